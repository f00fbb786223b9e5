/** Finds accented letters that were broken on the way: read in the wrong encoding, or replaced because they had none. */
import { type Diagnosis, diagnosisOf, type Example } from './diagnosis.ts';
import { changesOf, columnProperties, type Evidence, fewestCases } from './evidence.ts';

/** Properties in which letters that were stored whole come back broken. */
export function encodingDamage(evidence: Evidence): Diagnosis[] {
  const { entityType, updates, rekeyed } = evidence;
  const columns: string[] = [];
  const properties: string[] = [];
  const examples: Example[] = [];
  const resources = new Set<string>();
  for (const { name, column } of columnProperties(entityType)) {
    const changes = [
      ...changesOf(updates, name),
      ...(name === entityType.key
        ? rekeyed.map(({ before, after }) => ({ key: before, property: name, before, after }))
        : []),
    ];
    const accented = changes.filter(({ before }) => before !== null && hasAccents(before));
    const broken = accented.filter(({ before, after }) => isBroken(before ?? '', after ?? ''));
    if (broken.length < fewestCases || broken.length * 2 < accented.length) continue;
    columns.push(column);
    properties.push(name);
    examples.push(...broken);
    for (const { key } of broken) resources.add(key as string);
  }
  if (resources.size * 2 < updates.length + rekeyed.length) return [];
  if (examples.length === 0) return [];
  return [
    diagnosisOf({
      kind: 'encodingDamage',
      scope: entityType.name,
      detail: properties.join(', '),
      columns,
      examples,
    }),
  ];
}

const hasAccents = (text: string) => /\P{ASCII}/u.test(text);

/** True when the second text is the first one as a wrong encoding shows it. */
export function isBroken(whole: string, seen: string): boolean {
  if (whole === seen || !hasAccents(whole)) return false;
  if (misread(whole).includes(seen)) return true;
  // One or more replacement characters or question marks in place of each letter outside ASCII.
  const letters = whole.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = letters.replace(/\P{ASCII}+/gu, '[\\uFFFD?]+');
  return new RegExp(`^${pattern}$`, 'u').test(seen);
}

const utf8 = new TextEncoder();
/** 0x80 to 0x9F of windows-1252; ISO 8859-1 has controls there. */
const windows1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** UTF-8 read as windows-1252 or ISO 8859-1, as `Zoé` becomes `ZoÃ©`; white space at the ends is gone by then. */
function misread(text: string): string[] {
  const bytes = [...utf8.encode(text)];
  const latin = bytes.map((byte) => String.fromCharCode(byte)).join('');
  const windows = latin.replace(
    /[\u0080-\u009f]/g,
    (control) => windows1252[control.charCodeAt(0) - 0x80] as string,
  );
  return [latin.trim(), windows.trim()];
}
