import { FleetError } from '@metrica-fleet/protocol';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../src/act/context.ts';
import type { Journal } from '../src/decide/journal.ts';
import { formerJournal, journalText, parseJournal } from '../src/observe/journal.ts';
import type { Disk } from '../src/ports/disk.ts';
import type { Container, Engine } from '../src/ports/engine.ts';
import { realNetwork } from '../src/ports/real/network.ts';
import { readStatus } from '../src/report/read-status.ts';
import { run } from '../src/run.ts';
import type { Desired, Source } from '../src/sources/source.ts';
import { deployment, ENVIRONMENT, RUNNING_A, Story, wanted } from './decide/story.ts';
import { bench, type Bench } from './sources/bench.ts';

const FULL = new FleetError({ code: 'no-space', what: 'The disk is full' });
const AWAY = new FleetError({ code: 'docker-unreachable', what: 'The Docker engine does not answer' });

let on: Bench;
beforeEach(() => {
  on = bench();
});
afterEach(() => on.clear());

/** An engine that shows the container of a release, or nothing. It cannot be told to do anything. */
function showing(letter: string | null): Engine {
  const containers: Container[] = [];
  if (letter !== null) {
    const inputs = deployment(letter).services['web']?.inputs ?? '';
    const lives = { state: 'running', health: null, exitCode: 0, restarts: 0 } as const;
    containers.push({ id: 'c1', service: 'web', image: 'web:1', inputs, mounts: [], ...lives });
  }
  return { containers: () => Promise.resolve(containers) } as unknown as Engine;
}

interface Device {
  /** A text is the file as it lies there. */
  readonly journal: Journal | string;
  readonly desired: Desired;
  readonly engine: Engine;
  readonly disk?: Disk;
}

/** Runs the agent once on a device that remembers this, sees this and wants this. */
async function once({ journal, desired, engine, disk }: Device): ReturnType<typeof run> {
  const { ports, paths } = on.context;
  const source: Source = {
    name: 'git',
    needsStatement: false,
    carrier: false,
    desired: () => Promise.resolve(desired),
    fetch: () => Promise.reject(new Error('nothing is fetched here')),
  };
  await ports.disk.replace(
    'test.journal',
    paths.journal,
    typeof journal === 'string' ? journal : journalText(journal),
  );
  for (const letter of ['a', 'b', 'f']) {
    const folder = join(paths.releases, deployment(letter).release.digest);
    const content = 'name: web\nhealth: {within: 2s, stable_for: 1s}\n';
    await ports.disk.write('test.role', join(folder, 'role.yaml'), { content });
    if (letter === 'a') await ports.disk.replaceLink('test.link', paths.current, folder);
  }
  const all = { ...ports, disk: disk ?? ports.disk, engine, network: realNetwork() };
  const context: Context = { ports: all, paths, config: on.config(), sources: [source], budget: 5_000 };
  return run(context, { insist: false, eager: false });
}

/** Seconds until the gate lets the next run through. */
async function wait(): Promise<number> {
  const { disk, clock } = on.context.ports;
  return Number(await disk.readText(on.context.paths.run.nextDue)) - clock.now().uptime;
}

describe('a run', () => {
  it('that cannot write its journal does nothing, and says why in its status', async () => {
    const { disk } = on.context.ports;
    const full: Disk = {
      ...disk,
      replace: (label, path, content) =>
        label.startsWith('journal.') ? Promise.reject(FULL) : disk.replace(label, path, content),
    };
    const told = await once({
      journal: RUNNING_A,
      desired: wanted('b'),
      engine: showing(null),
      disk: full,
    });
    expect(told.changed).toBe(false);
    const status = await readStatus(disk, on.context.paths);
    expect(status).toMatchObject({ state: 'idle', health: 'degraded', running: { role: 'web' } });
    expect(status?.problems[0]).toEqual(FULL.problem);
  });

  it('that finds its journal damaged keeps the former one, which saved the day', async () => {
    const { disk } = on.context.ports;
    const { journal } = on.context.paths;
    await disk.replace('test.former', formerJournal(journal), journalText(RUNNING_A));
    await once({ journal: '{"torn', desired: wanted('b'), engine: showing('a') });
    const texts = [await disk.readText(journal), await disk.readText(formerJournal(journal))];
    expect(texts.map((text) => parseJournal(text ?? '')?.current)).toEqual([
      RUNNING_A.current,
      RUNNING_A.current,
    ]);
  });

  it('that settles an update while something newer is wanted is followed by another at once', async () => {
    const { clock } = on.context.ports;
    const story = new Story().reaches('probation', 'b');
    const gate = { opened: clock.now(), goodSince: null, restarts: {}, reboots: 0 };
    const journal: Journal = {
      ...story.journal,
      state: { name: 'probation', next: deployment('b'), gate, revertedFor: null },
    };
    const { status } = await once({ journal, desired: wanted('c'), engine: showing('b') });
    expect(status).toMatchObject({ state: 'idle', running: { commit: 'b'.repeat(40) } });
    expect(await wait()).toBeLessThan(2);
  });

  it('that has nothing to do waits for its interval, whatever failed before of what is not wanted now', async () => {
    const { journal } = new Story().runs(wanted('b')).fails(ENVIRONMENT);
    const { status } = await once({ journal, desired: wanted('a'), engine: showing('a') });
    expect(status).toMatchObject({ health: 'healthy', problems: [] });
    expect(await wait()).toBeGreaterThan(250);
  });

  it('on a disk that is nearly full, with nothing left to remove, says so with numbers', async () => {
    const { disk } = on.context.ports;
    const engine: Partial<Engine> = {
      ...showing('a'),
      projects: () => Promise.resolve([]),
      resolve: (name) => Promise.resolve({ name, services: {} }),
      images: () => Promise.resolve([]),
      imageIds: () => Promise.resolve({}),
    };
    const { status } = await once({
      journal: RUNNING_A,
      desired: wanted('a'),
      engine: engine as Engine,
      disk: { ...disk, space: () => Promise.resolve({ bytes: 90 * 1024 ** 2, inodes: 80_000 }) },
    });
    expect(status).toMatchObject({ health: 'healthy', problems: [{ code: 'no-space' }] });
    expect(status.problems[0]?.what).toContain('90 MiB');
  });

  it('that got no answer from the engine is followed by another soon', async () => {
    const engine = { containers: () => Promise.reject(AWAY) } as unknown as Engine;
    const { status } = await once({ journal: RUNNING_A, desired: wanted('a'), engine });
    expect(status).toMatchObject({ health: 'degraded', problems: [AWAY.problem] });
    expect(await wait()).toBeLessThanOrEqual(61);
  });
});
