/** Finding the servers: those the environment names, else those of the `lockstep dev` of this home. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import { LockstepError } from '../engine/errors.ts';
import { type DevState, readDevState } from '../local/dev-state.ts';
import { lockstepHome } from '../local/home.ts';

const startThem = 'Start them with `npx lockstep dev`';

/** Where the identity store is. **Danger:** the URL holds a password. */
export async function findDatabaseUrl(environment: NodeJS.ProcessEnv): Promise<string> {
  const given = environment['DATABASE_URL'];
  const url = given || (await readDevState(lockstepHome(environment)))?.databaseUrl;
  if (url === undefined) {
    throw new LockstepError('StoreUnavailable', 'No PostgreSQL is known: DATABASE_URL is not set', {
      hint: `${startThem}, or set DATABASE_URL (or LOCKSTEP_HOME, if they run in another home).`,
    });
  }
  if (!URL.canParse(url)) {
    throw new LockstepError('StoreUnavailable', 'DATABASE_URL is not a URL', {
      hint: 'Write it as postgresql://user:password@host:5432/database.',
    });
  }
  return url;
}

/**
 * How to reach Temporal. What the environment names (`TEMPORAL_*`, a profile) goes first, then `lockstep dev`,
 * then the default profile of the user's `temporal.toml`.
 */
export async function findTemporalServer(
  environment: NodeJS.ProcessEnv,
): Promise<ClientConnectConfig> {
  if (namesTemporal(environment)) return loadProfile(environment);
  const state = await readDevState(lockstepHome(environment));
  if (state) return { connectionOptions: { address: state.temporalAddress } };
  const profile = loadProfile(environment);
  if (profile.connectionOptions.address !== undefined) return profile;
  throw new LockstepError(
    'TemporalUnavailable',
    'No Temporal server is known: TEMPORAL_ADDRESS is not set',
    {
      hint: `${startThem}, or set TEMPORAL_ADDRESS (or LOCKSTEP_HOME, if they run in another home).`,
    },
  );
}

/** True when the environment says which Temporal server to use. */
export function namesTemporal(environment: NodeJS.ProcessEnv): boolean {
  const names = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'];
  return names.some((name) => Boolean(environment[name]));
}

/**
 * The environment in which a process of ours finds the same servers as we do.
 *
 * A server of `lockstep dev` is one without TLS or keys, whatever the user's own profile says of others.
 */
export function environmentOf(
  environment: NodeJS.ProcessEnv,
  state: Pick<DevState, 'databaseUrl' | 'temporalAddress'>,
): NodeJS.ProcessEnv {
  const databaseUrl = environment['DATABASE_URL'] || state.databaseUrl;
  if (namesTemporal(environment)) return { ...environment, DATABASE_URL: databaseUrl };
  const others = Object.entries(environment).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return {
    ...Object.fromEntries(others),
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: state.temporalAddress,
    TEMPORAL_CONFIG_FILE: profileFileOf(lockstepHome(environment)),
  };
}

/**
 * Writes the profile of the Temporal server of a home. It is read instead of the user's own, whose keys and TLS are for
 * other servers; the `temporal` command understands it too.
 */
export async function writeProfile(home: string, address: string): Promise<void> {
  await mkdir(home, { recursive: true });
  await writeFile(profileFileOf(home), `[profile.default]\naddress = ${JSON.stringify(address)}\n`);
}

function profileFileOf(home: string): string {
  return join(home, 'temporal.toml');
}

function loadProfile(environment: NodeJS.ProcessEnv): ClientConnectConfig {
  const set = Object.entries(environment).filter(([, value]) => value !== undefined);
  try {
    return loadClientConnectConfig({
      overrideEnvVars: Object.fromEntries(set) as Record<string, string>,
    });
  } catch (cause) {
    throw new LockstepError(
      'TemporalUnavailable',
      `The Temporal profile cannot be used: ${(cause as Error).message}`,
      {
        hint: 'Correct TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE or the profile in temporal.toml.',
        cause,
      },
    );
  }
}
