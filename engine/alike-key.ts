/** What a key looks like to a person: two keys that look alike are most likely one, written in two ways. */

/**
 * The key without what hardly anybody sees: capitals, the form in which accents are stored, full-width letters, how wide a
 * gap is (Unicode Standard Annex #15, form NFKC).
 */
export function lookOf(key: string): string {
  return key.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ');
}
