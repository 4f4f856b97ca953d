import { FleetError } from '@metrica-fleet/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../src/act/context.ts';
import { journalText } from '../src/observe/journal.ts';
import type { Disk } from '../src/ports/disk.ts';
import type { Engine } from '../src/ports/engine.ts';
import { realNetwork } from '../src/ports/real/network.ts';
import { readStatus } from '../src/report/read-status.ts';
import { run } from '../src/run.ts';
import type { Desired, Source } from '../src/sources/source.ts';
import { RUNNING_A, wanted } from './decide/story.ts';
import { bench, type Bench } from './sources/bench.ts';

/** A stack of which nothing runs, on an engine that would do what it is told. */
const ENGINE = { containers: () => Promise.resolve([]) } as unknown as Engine;
const FULL = new FleetError({ code: 'no-space', what: 'The disk is full' });

let on: Bench;
beforeEach(() => {
  on = bench();
});
afterEach(() => on.clear());

function device(desired: Desired, disk: Disk): Context {
  const source: Source = {
    name: 'git',
    needsStatement: false,
    desired: () => Promise.resolve(desired),
    fetch: () => Promise.reject(new Error('nothing is fetched here')),
  };
  const { ports, paths } = on.context;
  const all = { ...ports, disk, engine: ENGINE, network: realNetwork() };
  return { ports: all, paths, config: on.config(), sources: [source], budget: 1_000 };
}

describe('a run', () => {
  it('that cannot write its journal does nothing, and says why in its status', async () => {
    const { disk } = on.context.ports;
    const { paths } = on.context;
    await disk.replace('test.journal', paths.journal, journalText(RUNNING_A));
    const full: Disk = {
      ...disk,
      replace: (label, path, content) =>
        label.startsWith('journal.') ? Promise.reject(FULL) : disk.replace(label, path, content),
    };
    const { changed } = await run(device(wanted('b'), full), { insist: false, eager: false });
    expect(changed).toBe(false);
    const status = await readStatus(disk, paths);
    expect(status).toMatchObject({ state: 'idle', health: 'degraded', running: { role: 'web' } });
    expect(status?.problems[0]).toEqual(FULL.problem);
  });
});
