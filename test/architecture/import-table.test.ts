// Proves that biome.json enforces the import table of docs/architecture.md: every rule fires once.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanFiles, seeds } from './seeds.ts';

const root = path.resolve(import.meta.dirname, '../..');
const biome = path.join(root, 'node_modules/.bin/biome');

/** Linter findings per file, each a rule name without its group. */
let findings: Map<string, string[]>;
let tree: string;

/** Runs the linter once over `folder`; it exits 1 when it finds something, which is no failure. */
function lint(folder: string): Promise<string> {
  const options = ['lint', '--reporter=json', '--max-diagnostics=none', '--diagnostic-level=info'];
  return new Promise((resolve, reject) => {
    execFile(
      biome,
      [...options, '.'],
      { cwd: folder, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) =>
        stdout === '' ? reject(error ?? new Error(stderr)) : resolve(stdout),
    );
  });
}

beforeAll(async () => {
  tree = await mkdtemp(path.join(tmpdir(), 'lockstep-architecture-'));
  await Promise.all(
    ['biome.json', 'package.json'].map((name) =>
      copyFile(path.join(root, name), path.join(tree, name)),
    ),
  );
  for (const { file, text } of [...seeds, ...cleanFiles]) {
    await mkdir(path.dirname(path.join(tree, file)), { recursive: true });
    await writeFile(path.join(tree, file), text, { flag: 'wx' });
  }
  const report = JSON.parse(await lint(tree)) as {
    diagnostics: { category: string; location: { path: string } }[];
  };
  findings = new Map();
  for (const { category, location } of report.diagnostics) {
    const file = location.path.split(path.sep).join('/');
    findings.set(file, [...(findings.get(file) ?? []), category.split('/').at(-1) ?? category]);
  }
});

afterAll(() => rm(tree, { recursive: true, force: true }));

describe('a seeded violation is reported, and nothing else in its file', () => {
  test.each(seeds)('$file breaks $rule', ({ file, rule }) => {
    expect(findings.get(file)).toEqual([rule]);
  });
});

describe('what the table allows passes', () => {
  test.each(cleanFiles)('$file', ({ file }) => {
    expect(findings.get(file)).toBeUndefined();
  });
});

test('the linter reports no file but the seeded ones', () => {
  expect([...findings.keys()].sort()).toEqual(seeds.map(({ file }) => file).sort());
});
