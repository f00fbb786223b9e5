/** Writes `docs/errors.md` from the catalogues in the code: `node docs/generate-errors.ts`. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  type ErrorCode,
  type ErrorKind,
  errorCatalogue,
  rejectCatalogue,
} from '../engine/errors.ts';

const page = fileURLToPath(new URL('errors.md', import.meta.url));

const kinds: Readonly<Record<ErrorKind, { heading: string; explanation: string }>> = {
  fix: {
    heading: 'Mend something first',
    explanation:
      'Trying again is useless until something is mended. A job that meets one of these fails at once.',
  },
  wait: {
    heading: 'May pass by itself',
    explanation:
      'A job that meets one of these tries again by itself, with growing pauses; see [what happens when something dies](architecture.md#what-dies-and-what-happens). A command says so and ends.',
  },
};

/** The whole page, in Markdown. */
export function errorsPage(): string {
  const codes = Object.keys(errorCatalogue) as ErrorCode[];
  const sections = (Object.keys(kinds) as ErrorKind[]).flatMap((kind) => [
    `## ${kinds[kind].heading}`,
    kinds[kind].explanation,
    ...codes.filter((code) => errorCatalogue[code].kind === kind).flatMap(errorSection),
  ]);
  const rejects = Object.entries(rejectCatalogue).flatMap(([code, meaning]) => [
    `### ${code}`,
    meaning,
  ]);
  return `${[
    '# Errors and rejects',
    '<!-- Generated from engine/errors.ts by `node docs/generate-errors.ts`. Do not edit. -->',
    'Every error has a code that stays the same between versions, a message about this case, and a hint. The command line prints all three; with `--json` they are the `error` of the document. In Temporal a failed workflow has the code as its failure type. No message holds the value of a source cell.',
    ...sections,
    '## Rejects',
    'A reject is a source row, or one reference in it, that cannot be used; of a job that writes to a connected system, a write that did not take ([provisioning](provisioning.md)). It never stops a job: it is set aside, counted and listed by `lockstep rejects <job>` with file, line, column and value. A job with rejects ends as *succeeded-with-rejects*. A row that is set aside never deletes the stored resource it may stand for.',
    ...rejects,
  ].join('\n\n')}\n`;
}

function errorSection(code: ErrorCode): string[] {
  const { meaning, remedy } = errorCatalogue[code];
  return [`### ${code}`, meaning, `**What to do:** ${remedy}`];
}

if (import.meta.main) await writeFile(page, errorsPage());
