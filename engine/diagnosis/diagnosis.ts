/** A diagnosis: the probable reason for a breach, or for a stop, as the person who decides reads it. */

/** What is found, and what to look at before deciding. Words stay the same between versions. */
export const whatToCheck = {
  firstRun:
    'Nothing of it is stored yet, so every row is new. Look at the counts, the rejects and some of the rows; resume when they are what the source holds.',
  swappedHeaders:
    'The values stand under each other’s heading. Compare a row you know with the source; abort, and have the headings put right.',
  dateFormatChange:
    'The source writes these dates in another format than before. Compare a date you know; abort, and change `format` in the configuration, or have the source write it as before.',
  blankSource:
    'What had rows or values has none any more. Ask whoever writes the source; go on only if it was meant to forget them.',
  keyChange:
    'The same resources come back under other keys: resuming deletes and inserts them anew, and their links with them. Resume only if the keys were meant to change.',
  encodingDamage:
    'Accented letters are broken. Abort; set `encoding` of the connector to what the file is written in, or have it exported again.',
  scopeShrank:
    'A large part of the source is missing. Ask whether it was exported completely and with the same filter as before.',
  lostLeadingZeros:
    'A spreadsheet takes such text for numbers. Have the file exported again without opening it in one, or that column formatted as text.',
  scientificNotation:
    'A spreadsheet rounded these numbers, and their last digits are lost for good. Have the file exported again without opening it in one.',
  dateSerialNumber:
    'A spreadsheet wrote its own day numbers in place of dates. Have the file exported again, or that column formatted as text.',
  typeChange:
    'The column holds another kind of value than what is stored. Ask the owner of the source; if it is meant, say so with `drift` of the entity type.',
  olderExtraction:
    'A newer extraction is loaded already: with this one the store goes back in time. Resume only if that is what you want.',
  newColumn:
    'The source has a column that it did not have at the last load. Nothing is mapped to it; map it if it is wanted.',
  lostColumn:
    'A column of the last load is not there any more. Nothing is mapped to it, so nothing is lost in the store.',
} as const;

export type DiagnosisKind = keyof typeof whatToCheck;

/** One value of the source, before and after. **Danger:** identity data: for people and the store, never for a log. */
export interface Example {
  /** Key of the resource, or null where the row has none. */
  readonly key: string | null;
  /** What the value belongs to: a property, or a column where nothing is mapped to it. */
  readonly property: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** So many examples are enough to see what happened. */
export const examplesShown = 3;

/**
 * A likely cause, in the words of the person who reviews it.
 *
 * **Danger:** `detail` and `examples` may quote identity data. Of a diagnosis only {@link Finding} may leave the store.
 */
export interface Diagnosis {
  readonly kind: DiagnosisKind;
  /** An entity type, an association, a reference (`sab_user.organisation`) or a source. */
  readonly scope: string;
  /** What exactly, for the kind: of swapped headers `lastName, firstName`. */
  readonly detail: string;
  /** Columns of the source that it is about. */
  readonly columns: readonly string[];
  /** At most three. */
  readonly examples: readonly Example[];
  /** What to look at before deciding. */
  readonly check: string;
}

/** What may be told outside the store, too: kind, scope and headings come from the configuration and the header. */
export type Finding = Pick<Diagnosis, 'kind' | 'scope' | 'columns'>;

/** A diagnosis with the advice of its kind, and its examples cut down to a few that fit on a line. */
export function diagnosisOf(found: Omit<Diagnosis, 'check'>): Diagnosis {
  const examples = found.examples.slice(0, examplesShown).map((example) => ({
    ...example,
    before: shortened(example.before),
    after: shortened(example.after),
  }));
  return { ...found, examples, check: whatToCheck[found.kind] };
}

/** What of a diagnosis may stand in logs and in Temporal's history. */
export function findingOf({ kind, scope, columns }: Diagnosis): Finding {
  return { kind, scope, columns };
}

/** One finding in words: `swappedHeaders of sab_user (last_name, first_name)`. */
export function describeFinding({ kind, scope, columns }: Finding): string {
  return `${kind} of ${scope}${columns.length === 0 ? '' : ` (${columns.join(', ')})`}`;
}

function shortened(text: string | null): string | null {
  return text !== null && text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
