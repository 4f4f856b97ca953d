import type { Problem } from '@metrica-fleet/protocol';
import type { Context } from '../act/context.ts';
import { perform } from '../act/executors.ts';
import { changedServices } from '../act/stack/changed.ts';
import { wantedKey, judgeWanted, type Verdict } from '../decide/wanted.ts';
import { observeJournal } from '../observe/journal.ts';
import { observeWorld } from '../observe/world.ts';

/** What the next run would do. */
export interface Plan {
  readonly schemaVersion: 1;
  readonly verdict: Verdict | 'busy';
  readonly wanted: { readonly role: string; readonly commit: string } | null;
  /** Services that would be created, recreated or run again, and those that would be removed. */
  readonly restarts: readonly string[];
  readonly removes: readonly string[];
  readonly unchanged: readonly string[];
  /** Images that would have to be pulled. */
  readonly pulls: readonly string[];
  readonly problem: Problem | null;
}

/** Looks as a run does and stages what is wanted (which changes nothing that runs), then compares; nothing is activated. */
export async function plan(context: Context): Promise<Plan> {
  const { journal } = await observeJournal(context.ports.disk, context.paths);
  const { seen, contacts } = await observeWorld(context, journal, { eager: true });
  const { desired } = seen;
  const verdict = judgeWanted(journal, desired, context.ports.clock.now());
  const base: Plan = {
    schemaVersion: 1,
    verdict: journal.state.name === 'idle' ? verdict : 'busy',
    wanted: desired === null ? null : { role: desired.role, commit: desired.commit },
    restarts: [],
    removes: [],
    unchanged: [],
    pulls: [],
    problem: contacts.find(({ problem }) => problem !== null)?.problem ?? null,
  };
  if (desired === null || base.verdict !== 'news') return base;
  const event = await perform(
    { kind: 'fetch', wanted: desired, key: wantedKey(desired), floor: journal.counters },
    context,
  );
  if (event?.type === 'failed') return { ...base, problem: event.problem };
  if (event?.type !== 'fetched') return base;
  const { services, release, images } = event.deployment;
  const { toStart, removed } = changedServices(services, await context.ports.engine.containers(release.role));
  return {
    ...base,
    restarts: toStart,
    removes: removed,
    unchanged: Object.keys(services).filter((name) => !toStart.includes(name)),
    pulls: await context.ports.engine.missingImages(images),
  };
}

const WORDS: Record<Plan['verdict'], string> = {
  'nothing-known': 'No source has ever answered; there is nothing to do.',
  'in-place': 'What is wanted is in place; there is nothing to do.',
  quarantined: 'What is wanted failed here before; it is not tried again until a newer commit comes.',
  waiting: 'What is wanted could not be reached; it is tried again after a pause.',
  scheduled: 'What is wanted is staged and waits for its update window; `role-agent redeploy` does not.',
  news: 'The next run would update.',
  busy: 'An update is under way; see `role-agent status`.',
};

/** The plan for a person. */
export function renderPlan({ wanted, verdict, restarts, removes, unchanged, pulls, problem }: Plan): string {
  const list = (title: string, names: readonly string[]): string[] =>
    names.length > 0 ? [`${title}: ${names.join(', ')}`] : [];
  return [
    ...(wanted === null ? [] : [`wanted: ${wanted.role}@${wanted.commit.slice(0, 12)}`]),
    WORDS[verdict],
    ...list('would restart', restarts),
    ...list('would remove', removes),
    ...list('stays up', unchanged),
    ...list('would pull', pulls),
    ...(problem === null ? [] : [`${problem.code}: ${problem.what}. ${problem.remedy ?? ''}`.trim()]),
    '',
  ].join('\n');
}
