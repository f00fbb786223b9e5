/** The sign of life of an activity: a dead worker is noticed within seconds, a slow statement is not taken for one. */
import { heartbeat } from '@temporalio/activity';

/** Tells how far an activity is; the next heartbeat carries it. */
export type Report = (progress: object) => void;

/**
 * Heartbeats every second while `work` runs. A long statement and a file system that does not answer say nothing by
 * themselves, so the heartbeat cannot wait for them; cancellation arrives with it, too.
 */
export async function withPulse<Info>(work: (report: Report) => Promise<Info>): Promise<Info> {
  let latest: object | undefined;
  const pulse = setInterval(() => heartbeat(latest), 1000);
  try {
    return await work((progress) => {
      latest = progress;
    });
  } finally {
    clearInterval(pulse);
  }
}
