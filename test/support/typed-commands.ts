/** The command line as a person types it at a stack, with `--json`. */
import { runCommandLine } from '../../client/command-line.ts';
import { captured } from '../client/captured-stream.ts';
import type { JobStack } from './job-stack.ts';

/** The document of a job, as far as tests look at it. */
export interface PrintedJob {
  readonly job: string;
  readonly state: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly situations?: Readonly<Record<string, number>>;
  readonly provisioning?: Readonly<Record<string, number>>;
  readonly breaches: readonly { readonly threshold: string; readonly planned: number }[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface Typed<Answer> {
  readonly exitCode: number;
  readonly answer: Answer;
  /** What was said to the person. */
  readonly stderr: string;
}

/** Runs a command; what it prints must be one JSON document. */
export type Type = <Answer = PrintedJob>(...args: string[]) => Promise<Typed<Answer>>;

/** Types at a stack whose configuration is its home's `lockstep.yaml`. */
export function typingAt(
  stack: JobStack,
  environment: Readonly<Record<string, string>> = {},
): Type {
  return async <Answer>(...args: string[]) => {
    const stdout = captured();
    const stderr = captured();
    const exitCode = await runCommandLine([...args, '--json'], {
      stdout: stdout.stream,
      stderr: stderr.stream,
      environment: {
        ...stack.environment,
        ...environment,
      },
    });
    return { exitCode, answer: JSON.parse(stdout.text()) as Answer, stderr: stderr.text() };
  };
}
