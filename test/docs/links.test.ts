// Proves that the documentation points at what exists: files, headings, commands and codes.
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { Writable } from 'node:stream';
import { beforeAll, describe, expect, test } from 'vitest';
import { runCommandLine } from '../../client/command-line.ts';
import { errorCatalogue, rejectCatalogue } from '../../engine/errors.ts';
import { searchAttributes } from '../../workflows/identifiers.ts';

const root = path.resolve(import.meta.dirname, '../..');

interface Page {
  readonly file: string;
  readonly text: string;
  /** Without code, where a bracket is no link. */
  readonly prose: string;
  /** Code spans and blocks. */
  readonly code: readonly string[];
}

const pages: readonly Page[] = await Promise.all(
  [
    ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'],
    ...(await markdownIn('docs')),
    ...(await markdownIn('examples')),
  ].map(readPage),
);

async function markdownIn(folder: string): Promise<string[]> {
  const files = await readdir(path.join(root, folder), { recursive: true });
  return files.filter((file) => file.endsWith('.md')).map((file) => path.join(folder, file));
}

async function readPage(file: string): Promise<Page> {
  const text = await readFile(path.join(root, file), 'utf8');
  const code: string[] = [];
  const keep = (_: string, content: string) => {
    code.push(content);
    return '';
  };
  const prose = text.replaceAll(/^```[^\n]*\n(.*?)^```$/gms, keep).replaceAll(/`([^`\n]+)`/g, keep);
  return { file, text, prose, code };
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  const headings = text.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm);
  for (const [, heading = ''] of headings) {
    const words = heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '');
    const anchor = words.trim().replaceAll(' ', '-');
    let free = anchor;
    for (let count = 1; anchors.has(free); count++) free = `${anchor}-${count}`;
    anchors.add(free);
  }
  return anchors;
}

function relativeLinks({ prose }: Page): string[] {
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

async function brokenLinks(page: Page): Promise<string[]> {
  const broken: string[] = [];
  for (const target of relativeLinks(page)) {
    const [place = '', anchor] = target.split('#');
    const file = place === '' ? page.file : path.join(path.dirname(page.file), place);
    const found = await stat(path.join(root, file)).catch(() => undefined);
    if (found === undefined) broken.push(target);
    else if (anchor !== undefined) {
      const text = await readFile(path.join(root, file), 'utf8');
      if (!anchorsOf(text).has(anchor)) broken.push(target);
    }
  }
  return broken;
}

describe('every relative link leads to a file, and to a heading of it', () => {
  test.each(pages)('$file', async (page) => {
    expect(await brokenLinks(page)).toEqual([]);
  });
});

test('a link to nowhere is found', async () => {
  const prose = '[a](docs/no-such-page.md) [b](README.md#no-such-heading) [c](README.md)';
  expect(await brokenLinks({ file: 'x.md', text: prose, prose, code: [] })).toEqual([
    'docs/no-such-page.md',
    'README.md#no-such-heading',
  ]);
});

test('no page names a place of the machine it was written on', () => {
  for (const { file, text } of pages) {
    expect([...text.matchAll(/\/(?:work|root|home\/\w+|Users)\//g)], file).toEqual([]);
  }
});

describe('every command that is named exists', () => {
  let commands: Set<string>;

  beforeAll(async () => {
    let help = '';
    const stdout = new Writable({
      write(chunk, _, done) {
        help += String(chunk);
        done();
      },
    }) as NodeJS.WriteStream;
    const stderr = new Writable({ write: (_, __, done) => done() }) as NodeJS.WriteStream;
    expect(await runCommandLine(['--help'], { stdout, stderr, environment: {} })).toBe(0);
    const lines = [...help.matchAll(/^ {2}([a-z]+)(?: \[[\w=.]+\]| <\w+>)* {2,}\S/gm)];
    commands = new Set(lines.map(([, name = '']) => name));
    expect(commands).toContain('run');
  });

  const unknownCommands = ({ code }: Pick<Page, 'code'>) =>
    code
      .flatMap((text) => [...text.matchAll(/(?<![\w./-])lockstep ([a-z]+)/g)])
      .map(([, name = '']) => name)
      .filter((name) => !commands.has(name));

  test.each(pages)('$file', (page) => {
    expect(unknownCommands(page)).toEqual([]);
  });

  test('one that does not is found', () => {
    expect(unknownCommands({ code: ['npx lockstep sync sab', 'lockstep run sab'] })).toEqual([
      'sync',
    ]);
  });
});

describe('every code in capitals that is named exists', () => {
  const known = new Set([
    ...Object.keys(errorCatalogue),
    ...Object.keys(rejectCatalogue),
    ...Object.keys(searchAttributes),
    // The failure type of a refused update.
    'DecisionRejected',
  ]);

  const unknownCodes = ({ code }: Pick<Page, 'code'>) =>
    code.filter((text) => /^(?:[A-Z][a-z]+){2,}$/.test(text) && !known.has(text));

  test.each(pages)('$file', (page) => {
    expect(unknownCodes(page)).toEqual([]);
  });

  test('one that does not is found', () => {
    expect(unknownCodes({ code: ['SourceBlank', 'SourceEmpty', 'a SourceBlank'] })).toEqual([
      'SourceBlank',
    ]);
  });
});
