/** The benchmark's result as Markdown, fit for docs/performance.md. */
import { stepNames } from '../engine/job.ts';
import type { Measurement } from './cycle.ts';
import { sizes } from './generate-data.ts';
import type { Machine } from './machine.ts';
import { type PhaseName, phases } from './phase.ts';
import { type Figure, figures, median, ratios, type SizeResult, seconds } from './result.ts';
import type { MissingTool, Tool, ToolName } from './tool.ts';

type Titles = readonly Pick<Tool, 'name' | 'title'>[];

const phaseNames = phases.map(({ name }) => name);

export function machineReport(machine: Machine, missing: readonly MissingTool[]): string {
  const facts = Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`);
  const without = missing.map((tool) => `- Without ${tool.name}: ${tool.missing}`);
  return ['# Benchmark', '', ...facts, ...without].join('\n');
}

/** The table of one size. */
export function sizeReport(result: SizeResult, tools: Titles): string {
  const lines = tools.map(({ name, title }) => {
    const cell = (phase: PhaseName) => [
      spread(figures(result, name, phase, seconds)),
      name === 'copy' ? '' : times(ratios(result, name, 'copy', phase)),
    ];
    return [title, ...phaseNames.map((phase) => cell(phase).filter(Boolean).join(' · '))];
  });
  const isMeasured = (tool: ToolName) => tools.some(({ name }) => name === tool);
  if (isMeasured('lockstep')) lines.push(...lockstepLines(result, tools));
  return [
    `## ${result.size}`,
    '',
    describeSize(result),
    '',
    ...table(['seconds', ...phaseNames], lines),
  ].join('\n');
}

/** Lockstep beside the other references, its steps and its memory. */
function lockstepLines(result: SizeResult, tools: Titles): string[][] {
  const others = tools.filter(({ name }) => name !== 'lockstep' && name !== 'copy');
  const line = (title: string, cell: (phase: PhaseName) => string) => [
    title,
    ...phaseNames.map(cell),
  ];
  const figureLine = (title: string, figure: Figure, digits: number) =>
    line(title, (phase) => {
      const all = figures(result, 'lockstep', phase, figure);
      return all.length === 0 ? '–' : median(all).toFixed(digits);
    });
  return [
    ...others.map(({ name, title }) =>
      line(`Lockstep ÷ ${title}`, (phase) => times(ratios(result, 'lockstep', name, phase))),
    ),
    ...stepNames.map((step) => figureLine(`of it ${step}, s`, ({ steps }) => steps?.[step], 2)),
    figureLine('of it else, s', betweenSteps, 2),
    figureLine('worker’s peak so far, MiB', ({ peakMiB }) => peakMiB, 0),
  ];
}

/** Starting a job, what it does between its steps, and noticing its end. */
function betweenSteps({ seconds, steps }: Measurement): number | undefined {
  return steps && Object.values(steps).reduce((rest, step) => rest - step, seconds);
}

function describeSize({ size, bytes, changes, runs }: SizeResult): string {
  const { users, groups, memberships } = sizes[size];
  const next = Object.entries(changes).map(
    ([name, { inserted, updated, deleted }]) => `${name} +${inserted} ~${updated} −${deleted}`,
  );
  return [
    `${number(users)} users of 15 columns, ${number(groups)} groups, ${number(memberships)} memberships`,
    `(${(bytes / 1e6).toFixed(1)} MB of CSV); next day: ${next.join(', ')}.`,
    `${runs.length} ${runs.length === 1 ? 'run' : 'runs'}; load average before each:`,
    `${runs.map(({ loadAverage }) => loadAverage.toFixed(2)).join(', ')}.`,
  ].join(' ');
}

/** What the numbers mean. */
export function notes(tools: Titles): string {
  const isMeasured = (...names: ToolName[]) => tools.some(({ name }) => names.includes(name));
  return [
    'Cells: median (lowest–highest) of the runs, and how many times the seconds of `\\copy` in the same run (the median of these ratios).',
    'One PostgreSQL server for all, a fresh database for every tool and run. After each phase the tool’s database was vacuumed and analysed, and its rows compared with those of the files; before each, a checkpoint was made, and the tool’s files and database were read through.',
    '`\\copy` reads the files into unlogged tables of text columns, and does nothing else. Set-based SQL keeps typed tables with surrogate ids and indexes, and applies the difference that joins find.',
    isMeasured('lockstep')
      ? 'Lockstep’s time is that of `lockstep run` (and of `resume`, where it asked) on a stack that has just been started; the others start a process in every phase, which is in theirs. The memory is the highest so far in the run, so it cannot fall.'
      : '',
    'Each run begins with another tool.',
    isMeasured('dlt', 'arrow', 'sling', 'keyed')
      ? 'dlt and sling run without their delete detection, if they have one: rows that are gone from the files stay in their tables.'
      : '',
    'Rows rotated: the rows of the phase before, the second half of each file first.',
  ]
    .filter(Boolean)
    .map((note) => `- ${note}`)
    .join('\n');
}

/** How times (and memory) grow from each size to the next; nothing when there is only one. */
export function scalingReport(results: readonly SizeResult[], tools: Titles): string | undefined {
  const steps = results
    .slice(1)
    .map((large, index) => [large, results[index] as SizeResult] as const);
  if (steps.length === 0) return undefined;
  const factor = (tool: ToolName, phase: PhaseName, figure: Figure) =>
    steps
      .map(([large, small]) => {
        const [more, less] = [large, small].map((each) =>
          median(figures(each, tool, phase, figure)),
        );
        return ((more ?? Number.NaN) / (less ?? Number.NaN)).toFixed(1);
      })
      .join(' · ');
  const line = (title: string, tool: ToolName, figure: Figure) => [
    title,
    ...phaseNames.map((phase) => factor(tool, phase, figure)),
  ];
  const lines = tools.map(({ name, title }) => line(title, name, seconds));
  if (tools.some(({ name }) => name === 'lockstep')) {
    lines.push(line('worker’s peak memory', 'lockstep', ({ peakMiB }) => peakMiB));
  }
  const compared = steps.map(([large, small]) => `${large.size} ÷ ${small.size}`).join(' · ');
  return [
    '## Scaling',
    '',
    `Medians: ${compared}.`,
    '',
    ...table(['times', ...phaseNames], lines),
  ].join('\n');
}

function table(header: readonly string[], lines: readonly (readonly string[])[]): string[] {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [row(header), `|---|${'--:|'.repeat(header.length - 1)}`, ...lines.map(row)];
}

/** `1.92 (1.90–2.05)`; of one run `1.92`. */
function spread(numbers: readonly number[]): string {
  const middle = median(numbers);
  const digits = middle < 10 ? 2 : 1;
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  if (numbers.length < 2) return middle.toFixed(digits);
  return `${middle.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}

/** `4.5×` */
function times(numbers: readonly number[]): string {
  const middle = median(numbers);
  return `${middle.toFixed(middle < 10 ? 2 : 1)}×`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}
