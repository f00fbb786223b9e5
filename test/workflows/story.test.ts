/** What the Temporal UI tells of a blocked job: its breaches, their likely causes, and what each button does. */
import { expect, test } from 'vitest';
import { tellStory } from '../../workflows/story.ts';

test('a blocked job names the likely cause by kind, scope and headings, and what to check', () => {
  const story = tellStory(
    { connector: 'sab', id: 'sab.complete.1', task: 'all', rollbackOf: undefined },
    {
      state: 'blocked',
      step: 'gate',
      counts: null,
      breaches: [
        {
          threshold: 'maximumUpdatedLines',
          scope: 'sab_user',
          planned: 240,
          allowed: 100,
          base: 240,
        },
      ],
      diagnoses: [
        { kind: 'swappedHeaders', scope: 'sab_user', columns: ['last_name', 'first_name'] },
      ],
      delta: 'd',
      notes: [],
    },
  );
  expect(story).toContain('maximumUpdatedLines of sab_user: 240 planned');
  expect(story).toContain('Likely cause:\n- swappedHeaders of sab_user (last_name, first_name): ');
  expect(story).toContain('have the headings put right');
  expect(story).toContain('`resume`');
});
