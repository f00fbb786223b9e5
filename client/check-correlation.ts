/** Whether the rules of correlation can tell identities apart, for `lockstep check`. */
import type { Configuration } from '../config/configuration.ts';
import { ruleText } from '../engine/correlation-rule.ts';
import type { Mapping } from '../engine/mapping.ts';
import { sharedValues } from '../store/queries/shared-values.ts';
import type { CheckFinding } from './check.ts';
import type { Session } from './session.ts';

/**
 * Warns of every rule by which several identities are the same: what fits one of them is ambiguous. Not a fault, since a
 * later rule, or a person, may know better.
 *
 * @param connector only mappings of this one
 * @param withKeys name some of them
 */
export async function checkCorrelation(
  session: Session,
  configuration: Configuration,
  connector: string | undefined,
  withKeys: boolean,
): Promise<CheckFinding[]> {
  const findings: CheckFinding[] = [];
  const store = await session.store();
  for (const mapping of configuration.mappings.values()) {
    if (connector !== undefined && mapping.connector !== connector) continue;
    const side = identitySide(configuration, mapping);
    for (const rule of mapping.correlate) {
      const properties = rule.pairs.map((pair) => ({ property: pair[side], ignore: pair.ignore }));
      const shared = await sharedValues(store, mapping[side], properties);
      if (shared === undefined || shared.values === 0) continue;
      const names = properties.map(({ property }) => property).join(', ');
      const hint = withKeys
        ? `They are ${shared.keys.join(', ')}${shared.resources > shared.keys.length ? ' …' : ''}`
        : 'An account that fits several of them is left to a person. `lockstep check --keys` names them.';
      findings.push({
        area: 'data',
        ok: true,
        message: `${mapping.name}: ${shared.resources} ${mapping[side]} share ${shared.values} values of ${names}, by which the rule ${ruleText(rule)} cannot tell them apart`,
        hint,
        connector: mapping.connector,
        entityType: mapping[side],
        ...(withKeys && { keys: shared.keys }),
      });
    }
  }
  return findings;
}

/** What is managed by us; between two connected systems, the target. */
function identitySide({ managedTypes }: Configuration, { source }: Mapping): 'source' | 'target' {
  return managedTypes.has(source) ? 'source' : 'target';
}
