/** The command line of the benchmark. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { type SizeName, sizes } from './generate-data.ts';
import { type ToolName, toolNames } from './tool.ts';

export interface BenchmarkArguments {
  readonly sizes: readonly SizeName[];
  readonly runs: number;
  readonly tools: readonly ToolName[];
  /** Where to write all measurements. */
  readonly json: string | undefined;
}

/** Ends the process with a message about what is wrong, or with the help that was asked for. */
export function readArguments(argv: readonly string[]): BenchmarkArguments {
  const sizeNames = Object.keys(sizes) as SizeName[];
  const optional = toolNames.filter((name) => name !== 'copy');
  const command = new Command('npm run bench --')
    .description(
      'Measures Lockstep and its references on generated data. Tables go to stdout, progress to stderr.',
    )
    .addOption(
      new Option('--size <names>', `any of ${sizeNames.join(', ')}`)
        .argParser(listOf(sizeNames))
        .default(sizeNames, 'all'),
    )
    .option('--runs <number>', 'runs of each size, each on fresh databases', count, 3)
    .addOption(
      new Option('--without <tools>', `leave out any of ${optional.join(', ')}`)
        .argParser(listOf(optional))
        .default([], 'none'),
    )
    .option('--json <file>', 'write all measurements to a file')
    .allowExcessArguments(false)
    .parse([...argv], { from: 'user' });
  const given = command.opts<{
    size: SizeName[];
    runs: number;
    without: ToolName[];
    json?: string;
  }>();
  return {
    sizes: sizeNames.filter((name) => given.size.includes(name)),
    runs: given.runs,
    tools: toolNames.filter((name) => !given.without.includes(name)),
    json: given.json,
  };
}

/** A list such as `10k,100k` of known names. */
function listOf<Name extends string>(known: readonly Name[]): (text: string) => Name[] {
  return (text) => {
    const names = text.split(',').map((name) => name.trim());
    const unknown = names.filter((name) => !known.some((each) => each === name));
    if (unknown.length > 0) {
      throw new InvalidArgumentError(`“${unknown}” is none of ${known.join(', ')}.`);
    }
    return names as Name[];
  };
}

function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) {
    throw new InvalidArgumentError('It is a whole number, 1 or more.');
  }
  return number;
}
