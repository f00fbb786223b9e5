/** What a look at sources found, as findings in words: which source, column, lines, and what to do. */
import { didYouMean } from '../config/finding.ts';
import {
  type CheckFact,
  type ColumnFact,
  type DataProblem,
  type DataProblemCode,
  isFine,
  type SourceFailed,
} from '../engine/check-fact.ts';
import { errorCatalogue, rejectCatalogue } from '../engine/errors.ts';
import type { CheckFinding } from './check.ts';

/** So many findings of one kind are told of a source; more of them are counted. */
const toldOfAKind = 10;

/** The findings of one connector, bounded in number. */
export function findingsOfFacts(connector: string, facts: readonly CheckFact[]): CheckFinding[] {
  const kinds = new Map<string, CheckFact[]>();
  for (const fact of facts) {
    const kind = JSON.stringify([fact.fact, 'scope' in fact ? fact.scope : null, isFine(fact)]);
    kinds.set(kind, [...(kinds.get(kind) ?? []), fact]);
  }
  return [...kinds.values()].flatMap((same) => {
    const told = same.slice(0, toldOfAKind).map((fact) => findingOf(connector, fact));
    const more = same.length - toldOfAKind;
    const last = told.at(-1);
    if (more <= 0 || last === undefined) return told;
    const { area, ok, hint } = last;
    return [
      ...told,
      { area, ok, message: `${connector}: … and ${more} more like these`, hint, connector },
    ];
  });
}

function findingOf(connector: string, fact: CheckFact): CheckFinding {
  const { message, hint = '', ...place } = wordsOf(connector, fact);
  return {
    area: fact.fact.startsWith('data') ? 'data' : 'source',
    ok: isFine(fact),
    message: `${connector}: ${message}`,
    hint,
    connector,
    ...place,
  };
}

type Words = Pick<CheckFinding, 'message'> &
  Partial<Pick<CheckFinding, 'hint' | 'entityType' | 'column' | 'file' | 'line'>>;

function wordsOf(connector: string, fact: CheckFact): Words {
  switch (fact.fact) {
    case 'source-read':
      return { message: `${fact.source}: ${rows(fact.rows)}` };
    case 'source-failed':
      return failedWords(fact);
    case 'source-silent':
      return {
        message: `${fact.source} said nothing for ${fact.seconds} s and was given up`,
        hint: errorCatalogue.SourceUnavailable.remedy,
      };
    case 'column-missing':
    case 'column-repeated':
      return columnWords(fact);
    case 'data-read':
      return {
        message: `${fact.scope}: all of ${fact.source} can be used, ${rows(fact.rows)}`,
        entityType: fact.scope,
      };
    case 'data-problem':
      return problemWords(connector, fact);
    case 'data-passed-over':
      return {
        message: 'data were not looked at: the sources are not as they are mapped',
        hint: 'Mend what is named above first.',
      };
  }
}

/** Messages of connectors begin with the source they are about. */
function failedWords({ source, message, hint }: SourceFailed): Words {
  return { message: message.includes(source) ? message : `${source}: ${message}`, hint };
}

function columnWords({ fact, source, scope, property, column, headings }: ColumnFact): Words {
  const place = { entityType: scope, column };
  const mapped = `${scope}.${property} is mapped to`;
  if (fact === 'column-repeated') {
    return {
      message: `${source} has the heading “${column}” more than once, which ${mapped}`,
      hint: 'Columns are found by name, so a mapped one must be unique. Have one of them renamed.',
      ...place,
    };
  }
  const instead =
    headings.length === 0
      ? '; its first line does not seem to be a header at all'
      : didYouMean(column, headings);
  return {
    message: `${source} has no column “${column}”, which ${mapped}${instead}`,
    hint: errorCatalogue.SourceColumnMissing.remedy,
    ...place,
  };
}

const verbs: Partial<Record<DataProblemCode, string>> = {
  KeyMissing: 'have no key',
  KeyDuplicate: 'repeat a key',
  ValueInvalid: 'hold a value that does not convert',
  ReferenceUnknown: 'refer to what does not exist',
  RowMalformed: 'do not have the cells that the header promises',
  KeysAlike: 'have a key that looks like that of another row',
};

function problemWords(connector: string, problem: DataProblem): Words {
  const { scope, code, column, places } = problem;
  const [first] = places;
  const more = problem.rows - places.length;
  const isOneFile = places.every(({ file }) => file === first?.file);
  const source = isOneFile ? (first?.file ?? problem.source) : problem.source;
  const where = isOneFile
    ? `line${problem.rows === 1 ? '' : 's'} ${places.map(({ line }) => line).join(', ')}`
    : places.map(({ file, line }) => `${file}:${line}`).join(', ');
  const what = verbs[code] ?? 'cannot be used';
  const inColumn = column === null ? '' : ` in ${column}`;
  return {
    message: `${scope}: ${rows(problem.rows)} of ${source} ${what}${inColumn}: ${where}${more > 0 ? ` and ${more} more` : ''} (${code})`,
    hint:
      code === 'KeysAlike'
        ? 'Capitals, accents stored in two forms, or a wider gap: a run takes them for different resources. Look whether they are.'
        : `${firstSentence(rejectCatalogue[code])} To see them: \`lockstep run ${connector} --simulate\`, then \`lockstep rejects <job>\`.`,
    entityType: scope,
    ...(column !== null && { column }),
    ...(first && { file: first.file, line: first.line }),
  };
}

function firstSentence(text: string): string {
  return `${text.split('. ')[0]?.replace(/\.$/, '')}.`;
}

function rows(count: number): string {
  return count === 1 ? '1 row' : `${count} rows`;
}
