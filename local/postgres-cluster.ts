// A PostgreSQL data directory: created whole or not at all, and its password, kept in a file beside it.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  makeReachable,
  postgresBinaries,
  type ServerAccount,
  serverAccount,
} from './postgres-binaries.ts';
import { commandLine } from './running-process.ts';

/** The superuser of the cluster. */
export const SUPERUSER = 'lockstep';

/** A data directory that a server can be started on. */
export interface Cluster {
  /** The folder of `postgres` and its companions. */
  readonly binaries: string;
  /** Where the data really is; root may have had to put it elsewhere, see `makeReachable`. */
  readonly directory: string;
  readonly account: ServerAccount | undefined;
  readonly password: string;
}

/**
 * The cluster in `dataDirectory`, created when there is none. The superuser's random password lies in
 * `<dataDirectory>.password`, mode 0600; where that file is lost, a new password is set.
 *
 * **Danger:** no server may be running on it.
 */
export async function openCluster(dataDirectory: string): Promise<Cluster> {
  const account = serverAccount(dataDirectory);
  const binaries = postgresBinaries(account);
  makeReachable(dataDirectory, account);
  const directory = existsSync(dataDirectory) ? await realpath(dataDirectory) : dataDirectory;
  const passwordFile = `${dataDirectory}.password`;

  if (!existsSync(join(directory, 'PG_VERSION'))) {
    const staging = `${directory}.new`;
    await createCluster(binaries, staging, account);
    await rm(passwordFile, { force: true });
    await rename(staging, directory);
  }
  await removeStaleLock(directory);
  const password = existsSync(passwordFile)
    ? await readFile(passwordFile, 'utf8')
    : await setPassword(binaries, directory, account, passwordFile);
  return { binaries, directory, account, password };
}

async function createCluster(
  binaries: string,
  directory: string,
  account: ServerAccount | undefined,
): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { mode: 0o700 });
  if (account) await chown(directory, account.uid, account.gid);
  // The builtin provider sorts and folds case alike on every machine and after every OS upgrade.
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  // No server ever runs with `trust`: there is no password yet, and pg_hba.conf is replaced below.
  const args = ['--encoding=UTF8', ...locale, `--username=${SUPERUSER}`, '--auth=trust'];
  await run(join(binaries, 'initdb'), [`--pgdata=${directory}`, ...args], account);
  await writeFile(
    join(directory, 'pg_hba.conf'),
    '# Written by Lockstep: one address, with a password.\nhost all all 127.0.0.1/32 scram-sha-256\n',
  );
}

/** Sets a new password without a server and without the old one, then keeps it. */
async function setPassword(
  binaries: string,
  directory: string,
  account: ServerAccount | undefined,
  passwordFile: string,
): Promise<string> {
  const password = randomBytes(24).toString('hex');
  const statement = `ALTER ROLE ${SUPERUSER} PASSWORD '${password}';\n`;
  const args = ['--single', '-D', directory, '-c', 'log_statement=none', 'postgres'];
  await run(join(binaries, 'postgres'), args, account, statement);
  const temporary = `${passwordFile}.new`;
  await writeFile(temporary, password, { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, passwordFile);
  return password;
}

/**
 * After a SIGKILL or a restart of the machine, the pid in the server's lock file may belong to another
 * program by now. PostgreSQL sees only that it is alive, and would refuse to start.
 */
async function removeStaleLock(directory: string): Promise<void> {
  const lock = join(directory, 'postmaster.pid');
  if (!existsSync(lock)) return;
  const pid = Number((await readFile(lock, 'utf8')).split('\n')[0]);
  if (!commandLine(pid)?.includes('postgres')) await rm(lock, { force: true });
}

async function run(
  command: string,
  args: readonly string[],
  account: ServerAccount | undefined,
  input = '',
): Promise<void> {
  const child = spawn(command, args, { ...account, cwd: '/' });
  child.stdin.end(input);
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  // A server in single-user mode reports an error and goes on.
  if (code !== 0 || /^.*(ERROR|FATAL|PANIC): /m.test(errors)) {
    throw new Error(`${command} failed (${code}):\n${errors || output}`);
  }
}
