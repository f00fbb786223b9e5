/** The likely causes of a breach for people: what is the matter, a few values before and after, and what to check. */
import type { Diagnosis, Example } from '../../engine/diagnosis/diagnosis.ts';
import type { Terminal } from './terminal.ts';

/** All diagnoses of a job, or nothing. */
export function diagnosisText({ colors }: Terminal, diagnoses: readonly Diagnosis[]): string {
  if (diagnoses.length === 0) return '';
  const parts = diagnoses.map(({ kind, scope, detail, examples, check }) =>
    [
      `  ${colors.yellow(kind)}  ${scope}  ${detail}`.trimEnd(),
      ...examples.map((example) => `    ${exampleText(example)}`),
      `    ${colors.bold('Check:')} ${check}`,
    ].join('\n'),
  );
  return [colors.bold('Likely cause'), ...parts].join('\n');
}

function exampleText({ key, property, before, after }: Example): string {
  const place = key === null || key === property ? property : `${key}, ${property}`;
  return `${place}: ${before ?? 'nothing'} → ${after ?? 'nothing'}`;
}
