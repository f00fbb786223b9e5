/** The quirks of SCIM services that reading has to be told of; others are provided for wherever they appear. */

interface QuirkEffects {
  readonly meaning: string;
  /** Members are missing from lists, so each resource is asked for on its own. */
  readonly membersOneByOne?: true;
  /** `attributes=` is not sent. */
  readonly allAttributes?: true;
  /** A page must begin where a multiple of the page size does, so pages cannot overlap. */
  readonly alignedPages?: true;
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
} as const satisfies Record<string, QuirkEffects>;

export type Quirk = keyof typeof quirkCatalogue;

/** What the quirks of a service together change. */
export function effectsOf(quirks: readonly Quirk[]): Omit<QuirkEffects, 'meaning'> {
  return Object.assign({}, ...quirks.map((quirk) => quirkCatalogue[quirk])) as QuirkEffects;
}
