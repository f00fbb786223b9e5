/** A correlation rule in words, as lists, audit rows and matches name it. */
import type { CorrelationIgnore, CorrelationPair, CorrelationRule } from './mapping.ts';

const ignored = {
  case: 'case',
  accents: 'accents',
  emailDomain: 'e-mail domain',
} satisfies Record<CorrelationIgnore, string>;

/** `userName = userName (case ignored) and mail = email`: the source's property stands before the target's. */
export function ruleText({ pairs }: CorrelationRule): string {
  return pairs.map(pairText).join(' and ');
}

function pairText({ source, target, ignore }: CorrelationPair): string {
  if (ignore.length === 0) return `${source} = ${target}`;
  const words = ignore.map((each) => ignored[each]);
  return `${source} = ${target} (${words.join(', ')} ignored)`;
}
