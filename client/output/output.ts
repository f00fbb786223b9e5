/** Where a command writes: one JSON document or text on stdout, and everything else on stderr. */
import { once } from 'node:events';
import { type ErrorCode, LockstepError } from '../../engine/errors.ts';
import { type Terminal, terminalOf } from './terminal.ts';

/** The streams of a command. */
export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** What a command prints. Every method waits while the reader is behind, so memory stays bounded. */
export class Output {
  readonly streams: Streams;
  readonly isJson: boolean;
  readonly terminal: Terminal;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(streams: Streams, environment: NodeJS.ProcessEnv, isJson: boolean) {
    this.streams = streams;
    this.isJson = isJson;
    this.terminal = terminalOf(streams.stdout, environment);
    this.#environment = environment;
  }

  /** Text for people, a line at least; nothing with `--json`. */
  async text(text: string): Promise<void> {
    if (!this.isJson) await this.#write(`${text}\n`);
  }

  /** The document of a command with `--json`, nothing otherwise. */
  async json(document: unknown): Promise<void> {
    if (this.isJson) await this.#write(`${JSON.stringify(document, null, 2)}\n`);
  }

  /** A document that is an array, written as its items come. */
  async jsonArray(items: AsyncIterable<unknown>): Promise<void> {
    let separator = '[\n';
    for await (const item of items) {
      await this.#write(`${separator}${JSON.stringify(item)}`);
      separator = ',\n';
    }
    await this.#write(separator === '[\n' ? '[]\n' : '\n]\n');
  }

  /** What a person should know besides; never on stdout. */
  note(text: string): void {
    this.streams.stderr.write(
      `${terminalOf(this.streams.stderr, this.#environment).colors.dim(text)}\n`,
    );
  }

  /** An error: a document of its own with `--json`, else words on stderr. */
  async error(error: unknown): Promise<void> {
    const told = inPublic(error);
    if (this.isJson) return await this.json({ error: told });
    const { colors } = terminalOf(this.streams.stderr, this.#environment);
    this.streams.stderr.write(`${colors.red('✗')} ${told.message}\n  ${colors.dim(told.hint)}\n`);
    if (told.code === 'InternalError') {
      this.streams.stderr.write(`${colors.dim((error as Error)?.stack ?? String(error))}\n`);
    }
  }

  async #write(text: string): Promise<void> {
    const { stdout } = this.streams;
    if (!stdout.write(text) && stdout.writable) await once(stdout, 'drain');
  }
}

function inPublic(error: unknown): { code: ErrorCode; message: string; hint: string } {
  if (error instanceof LockstepError) {
    const { code, message, hint } = error;
    return { code, message, hint };
  }
  const { code, message, hint } = new LockstepError(
    'InternalError',
    (error as Error)?.message ?? String(error),
    {
      hint: 'This is a fault of Lockstep: please report it with what is printed here.',
    },
  );
  return { code, message, hint };
}
