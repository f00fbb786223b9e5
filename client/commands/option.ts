/** Values of options that need reading. */
import { InvalidArgumentError } from 'commander';

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
