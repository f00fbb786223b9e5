/** Values of options that need reading. */
import { InvalidArgumentError, Option } from 'commander';
import type { Output } from '../output/output.ts';

/** A whole number from 1 on. */
export function count(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  }
  return number;
}

/** Gathers an option that may be given several times. */
export function gather(text: string, gathered: readonly string[]): string[] {
  return [...gathered, text];
}

/** `--limit` of a list: everything by default, but on a terminal only what a person would read. */
export function limitOption(shownOnTerminal: number): Option {
  const description = `how many at most (default: all; ${shownOnTerminal} on a terminal)`;
  return new Option('--limit <n>', description).argParser(count);
}

/** How many of a list to print; undefined for all of them. */
export function limitOf(
  wanted: number | undefined,
  output: Output,
  shownOnTerminal: number,
): number | undefined {
  return wanted ?? (output.terminal.isInteractive ? shownOnTerminal : undefined);
}
