/** The quirks of SCIM services that reading and writing have to be told of; others are provided for wherever they appear. */

/** What a quirk changes. */
export interface QuirkEffects {
  readonly meaning: string;
  /** Members are missing from lists, so each resource is asked for on its own. */
  readonly membersOneByOne?: true;
  /** `attributes=` is not sent. */
  readonly allAttributes?: true;
  /** Resources with members are read completely at every export. */
  readonly membersKeepLastModified?: true;
  /** A page must begin where a multiple of the page size does, so pages cannot overlap. */
  readonly alignedPages?: true;
  /** Members are added once the resource is there. */
  readonly createWithoutMembers?: true;
  /** Elements are removed before others are added in their place. */
  readonly replaceAdds?: true;
  /** The whole resource is put back. */
  readonly noPatch?: true;
  /** A key that is not found is looked for in small letters, too. */
  readonly caseSensitiveFilters?: true;
  /** `"true"` is written for true. */
  readonly booleansAsText?: true;
  /** Every write is read back with a request of its own. */
  readonly lyingAnswers?: true;
}

/** Every quirk with what it changes. */
export const quirkCatalogue = {
  'members-one-by-one': {
    meaning: 'lists never hold the members, only the single resource does',
    membersOneByOne: true,
  },
  'no-attribute-selection': {
    meaning: 'the parameter `attributes` is refused, or leaves out what it names',
    allAttributes: true,
  },
  'aligned-pages': {
    meaning: 'startIndex is rounded to whole pages',
    alignedPages: true,
  },
  'create-without-members': {
    meaning: 'a resource cannot be created with members; they can be added afterwards',
    createWithoutMembers: true,
  },
  'replace-adds': {
    meaning: 'a PATCH that replaces an element of a list adds one instead',
    replaceAdds: true,
  },
  'no-patch': {
    meaning: 'PATCH is announced and does not work',
    noPatch: true,
  },
  'case-sensitive-filters': {
    meaning: 'filters tell capitals from small letters where the schema does not',
    caseSensitiveFilters: true,
  },
  'booleans-as-text': {
    meaning: 'true and false are taken as text only',
    booleansAsText: true,
  },
  'lying-answers': {
    meaning: 'an answer to a write repeats what was asked for, whether it was done or not',
    lyingAnswers: true,
  },
  'membership-keeps-last-modified': {
    meaning: 'a change of the members does not move `meta.lastModified`',
    membersKeepLastModified: true,
  },
} as const satisfies Record<string, QuirkEffects>;

export type Quirk = keyof typeof quirkCatalogue;

/** What the quirks of a service together change. */
export function effectsOf(quirks: readonly Quirk[]): Omit<QuirkEffects, 'meaning'> {
  return Object.assign({}, ...quirks.map((quirk) => quirkCatalogue[quirk])) as QuirkEffects;
}
