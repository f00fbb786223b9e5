/** What the benchmark measures: one of the references, or Lockstep itself. */
import type { DayFiles } from './data-cache.ts';
import type { FileName } from './generate-data.ts';
import type { Phase } from './phase.ts';

/** Names on the command line and in the JSON; `copy` is what all others are compared with. */
export const toolNames = [
  'copy',
  'sql',
  'freeze',
  'dlt',
  'arrow',
  'sling',
  'keyed',
  'lockstep',
] as const;
export type ToolName = (typeof toolNames)[number];

/** What one phase took. */
export interface Reading {
  readonly seconds: number;
  /** Seconds of Lockstep's steps. */
  readonly steps?: Readonly<Record<string, number>>;
  /** The most memory Lockstep's worker has had since it started, in MiB. */
  readonly peakMiB?: number;
}

/** A tool that can be measured here. */
export interface Tool {
  readonly name: ToolName;
  readonly title: string;
  /** It leaves the rows in place that the next day does not have any more. */
  readonly keepsDeletedRows: boolean;
  /** Makes it ready to work on a new, empty database. */
  open(place: ToolPlace): Promise<OpenTool>;
}

/** Where a tool works during one run. */
export interface ToolPlace {
  readonly databaseUrl: string;
  /** An empty directory of its own, removed after the run. */
  readonly home: string;
  readonly signal: AbortSignal;
}

/** A tool at work in one run. */
export interface OpenTool {
  /** Takes the files of the phase's day; the time is that of the tool alone. @throws when what it says it did is wrong. */
  load(phase: Phase, files: DayFiles): Promise<Reading>;
  /** SELECTs that give back the rows of the files, every column as text and as it was in the file. */
  readonly rows: Readonly<Record<FileName, string>>;
  /** Stops what `open` started. */
  close?(): Promise<void>;
}

/** A tool that cannot be measured here, and why. */
export interface MissingTool {
  readonly name: ToolName;
  readonly missing: string;
}
