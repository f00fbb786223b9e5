/** `lockstep matches`, and what a person says of one: `confirm`, `unmatch`, `match`. */
import { type Command, Option } from 'commander';
import { type Situation, situations } from '../../engine/mapping.ts';
import type { MatchDocument } from '../../store/queries/matches.ts';
import type { MatchDecisionDocument } from '../matches.ts';
import { matchesText } from '../output/match-text.ts';
import { type CommandContext, examples, type Opened, withLockstep } from './command.ts';
import { limitOf, limitOption } from './option.ts';

/** A terminal shows this many at first; a pipe gets all. */
const shownOnTerminal = 50;
/** Laid out together. */
const rowsOfTable = 500;

interface ListOptions {
  readonly unconfirmed?: boolean;
  readonly situation?: Situation;
  readonly limit?: number;
}

export function addMatches(program: Command, context: CommandContext): void {
  program
    .command('matches')
    .summary('who is who: the import list')
    .description(
      'Lists the matches of a mapping as they are now, and what its last reconciliation found of the resources that have none: situation, rule, candidates. Targets that nobody corresponds to are listed with --situation unassigned.',
    )
    .argument('[mapping]', 'a mapping of lockstep.yaml (default: all)')
    .option('--unconfirmed', 'only those that wait for a person')
    .addOption(new Option('--situation <name>', 'only those in this one').choices(situations))
    .addOption(limitOption(shownOnTerminal))
    .addHelpText(
      'after',
      examples(
        ['lockstep matches crm_user --unconfirmed', 'what waits for `lockstep confirm`'],
        ['lockstep matches --situation ambiguous', 'what a person has to pair'],
        ['lockstep matches crm_user --json', 'all of it, for another tool'],
      ),
    )
    .action(async (mapping: string | undefined, options: ListOptions, command: Command) => {
      await withLockstep(context, command, async (opened) => {
        const { lockstep, output } = opened;
        if (output.isJson) return await output.jsonArray(lockstep.matches(mapping, options));
        await printMatches(opened, mapping, options);
      });
    });
}

async function printMatches(
  { lockstep, output }: Opened,
  mapping: string | undefined,
  { limit: wanted, ...options }: ListOptions,
): Promise<void> {
  const limit = limitOf(wanted, output, shownOnTerminal);
  let lines: MatchDocument[] = [];
  let total = 0;
  const flush = async () => {
    const [first] = lines;
    if (!first) return;
    await output.text(`${first.mapping}:\n${matchesText(output.terminal, lines)}`);
    lines = [];
  };
  let hasMore = false;
  for await (const line of lockstep.matches(mapping, { ...options, limit: limit && limit + 1 })) {
    if (total === limit) {
      hasMore = true;
      break;
    }
    if (lines.length === rowsOfTable || lines[0]?.mapping !== line.mapping) await flush();
    lines.push(line);
    total++;
  }
  await flush();
  if (total === 0) {
    const isAny = options.unconfirmed || options.situation !== undefined;
    await output.text(isAny ? 'None like that.' : 'None: no reconciliation has found any yet.');
  }
  if (hasMore) await output.text('\n… and more: --limit, or | less');
}

export function addConfirm(program: Command, context: CommandContext): void {
  program
    .command('confirm')
    .summary('say that a match is right')
    .description(
      'Confirms a match. Its mapping reconciles at once (with `follows: false`: when it next does), and writes to it from then on. Where the connector lists approvers, only they may.',
    )
    .argument('<id>', 'of the match, as `lockstep matches` lists it')
    .addHelpText('after', examples(['lockstep confirm 41', 'the two are the same']))
    .action(async (id: string, _: unknown, command: Command) => {
      await withLockstep(context, command, async ({ lockstep, output }) => {
        await print(output, await lockstep.confirm(id), 'Confirmed');
      });
    });
}

export function addUnmatch(program: Command, context: CommandContext): void {
  program
    .command('unmatch')
    .summary('say that a match is wrong')
    .description(
      'Ends a match. That the two are not the same is remembered, so that no rule pairs them again; `lockstep match` still can. What was written while they were matched stays.',
    )
    .argument('<id>', 'of the match, as `lockstep matches` lists it')
    .option('--remember', 'no rule pairs the two again (default)')
    .option('--no-remember', 'leave it to the rules, which will find what they found before')
    .option('--reason <text>', 'why; kept in the audit log')
    .addHelpText(
      'after',
      examples(
        ['lockstep unmatch 41 --reason "namesakes"', 'not this one'],
        ['lockstep unmatch 41 --no-remember', 'after the rules were changed'],
      ),
    )
    .action(
      async (
        id: string,
        { remember = true, reason }: { remember?: boolean; reason?: string },
        command: Command,
      ) => {
        await withLockstep(context, command, async ({ lockstep, output }) => {
          await print(output, await lockstep.unmatch(id, { remember, reason }), 'Ended');
        });
      },
    );
}

export function addMatch(program: Command, context: CommandContext): void {
  program
    .command('match')
    .summary('say who is who, by hand')
    .description(
      'Pairs two resources that no rule could pair for sure, or that were kept apart; the match is confirmed.',
    )
    .argument('<mapping>', 'a mapping of lockstep.yaml')
    .argument('<source>', 'key of the resource of its source')
    .argument('<target>', 'key of the resource of its target')
    .addHelpText(
      'after',
      examples(['lockstep match crm_user jdoe2 john.doe', 'of several candidates, this one']),
    )
    .action(
      async (mapping: string, source: string, target: string, _: unknown, command: Command) => {
        await withLockstep(context, command, async ({ lockstep, output }) => {
          await print(output, await lockstep.match(mapping, source, target), 'Matched');
        });
      },
    );
}

async function print(
  output: Opened['output'],
  decision: MatchDecisionDocument,
  done: string,
): Promise<void> {
  await output.json(decision);
  await output.text(`${done}: match ${decision.match}.`);
}
