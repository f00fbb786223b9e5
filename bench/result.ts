/** All that a benchmark measured, and the numbers that are made of it. */
import type { Measurement } from './cycle.ts';
import type { Changes, SizeName } from './generate-data.ts';
import type { Machine } from './machine.ts';
import type { PhaseName } from './phase.ts';
import type { MissingTool, ToolName } from './tool.ts';

/** What `--json` writes. */
export interface BenchmarkResult {
  readonly machine: Machine;
  readonly missing: readonly MissingTool[];
  readonly sizes: readonly SizeResult[];
}

export interface SizeResult {
  readonly size: SizeName;
  /** Bytes and rows of the first day, and what is other on the next. */
  readonly bytes: number;
  readonly changes: Changes;
  readonly runs: readonly RunResult[];
}

export interface RunResult {
  /** Of the machine, when the run began. */
  readonly loadAverage: number;
  readonly measurements: readonly Measurement[];
}

/** One number of a measurement, such as its seconds. */
export type Figure = (measurement: Measurement) => number | undefined;

export const seconds: Figure = (measurement) => measurement.seconds;

/** The figure of a tool in a phase, one for each run that has it. */
export function figures(
  { runs }: SizeResult,
  tool: ToolName,
  phase: PhaseName,
  figure: Figure,
): number[] {
  return runs.map((run) => figureOf(run, tool, phase, figure)).filter((each) => each !== undefined);
}

/** How many times the seconds of another tool, compared within each run. */
export function ratios(
  { runs }: SizeResult,
  tool: ToolName,
  other: ToolName,
  phase: PhaseName,
): number[] {
  return runs.flatMap((run) => {
    const [own, others] = [tool, other].map((each) => figureOf(run, each, phase, seconds));
    return own === undefined || others === undefined ? [] : [own / others];
  });
}

function figureOf(
  { measurements }: RunResult,
  tool: ToolName,
  phase: PhaseName,
  figure: Figure,
): number | undefined {
  const found = measurements.find((each) => each.tool === tool && each.phase === phase);
  return found && figure(found);
}

/** The middle one, or what lies between the two in the middle; NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
}
