// A step of setup: runs it, prints its one line with the time it took, and its error with what to do.

const colours = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint = (code, text) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);

const UNEXPECTED =
  'If it is about a folder that cannot be written, set XDG_CACHE_HOME to another one.';

/** Why a step failed and what the reader can do about it; `hint` is a command or a sentence. */
export class SetupError extends Error {
  /** @param {string} message @param {string} hint */
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

/**
 * Runs one step and prints its line. A step returns `'cached'` when nothing was to be done, another
 * word to show instead of the time, or nothing.
 *
 * @param {string} label
 * @param {() => string | undefined | Promise<string | undefined>} run
 * @param {{ withoutIt?: string }} [options] what happens without it; makes the step optional
 * @returns {Promise<boolean>} false when a step that is not optional failed
 */
export async function step(label, run, { withoutIt } = {}) {
  if (process.stdout.isTTY) process.stdout.write(`  ${label} …`);
  const started = performance.now();
  const line = (mark, text) =>
    process.stdout.write(
      `${process.stdout.isTTY ? '\r\u001b[2K' : ''}${mark} ${label} … ${text}\n`,
    );
  try {
    const outcome = await run();
    line(paint(32, '✓'), outcome ?? elapsed(performance.now() - started));
    return true;
  } catch (error) {
    const { message, hint = UNEXPECTED } = error;
    if (withoutIt) line(paint(33, '-'), `${message}; ${withoutIt}`);
    else line(paint(31, '✗'), `${message}\n  → ${hint}`);
    return withoutIt !== undefined;
  }
}

/** @param {number} ms */
function elapsed(ms) {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
