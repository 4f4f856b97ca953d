import { FleetError } from '@metrica-fleet/protocol';
import { lstatSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../../src/act/context.ts';
import { observeDesired } from '../../src/observe/desired.ts';
import type { Desired, Source } from '../../src/sources/source.ts';
import { bench, type Bench } from '../sources/bench.ts';

let on: Bench;
beforeEach(() => {
  on = bench();
});
afterEach(() => on.clear());

const DESIRED: Desired = {
  schemaVersion: 1,
  role: 'web',
  commit: 'a'.repeat(40),
  digest: null,
  source: 'git',
  position: 'a',
  tree: 'b',
  layers: [{ from: 'sites/a.yaml', values: { NAME: 'x', COUNT: 1, ON: true } }],
};
const answering = (desired: Desired): Source => source(desired.source, () => Promise.resolve(desired));
const silent = (name: string): Source =>
  source(name, () => Promise.reject(new FleetError({ code: 'source-unreachable', what: 'nobody there' })));

function source(name: string, desired: Source['desired']): Source {
  return { name, needsStatement: false, desired, fetch: () => Promise.reject(new Error('not asked')) };
}
const observe = (...sources: Source[]): ReturnType<typeof observeDesired> =>
  observeDesired({ ...on.context, sources } as unknown as Context, { eager: false });

describe('what is desired', () => {
  it('is the answer of the first source that gives one, and every one asked is accounted for', async () => {
    const { desired, contacts } = await observe(silent('usb'), answering(DESIRED), silent('never asked'));
    expect(desired).toEqual(DESIRED);
    expect(contacts).toEqual([
      { source: 'usb', problem: { code: 'source-unreachable', what: 'nobody there' } },
      { source: 'git', problem: null },
    ]);
  });

  it('is the last answer when nobody answers, and nothing on a device that never had one', async () => {
    expect((await observe(silent('git'))).desired).toBeNull();
    await observe(answering(DESIRED));
    expect((await observe(silent('git'))).desired).toEqual(DESIRED);
  });

  it('writes nothing when nothing is new', async () => {
    await observe(answering(DESIRED));
    const { ino, mtimeMs } = lstatSync(on.context.paths.desired);
    await observe(answering({ ...DESIRED }));
    await observe(silent('git'));
    expect(lstatSync(on.context.paths.desired)).toMatchObject({ ino, mtimeMs });
  });

  it.each(['', 'rubbish', '{"schemaVersion":2}', JSON.stringify({ ...DESIRED, commit: 1 })])(
    'is asked anew where the former answer is «%s»',
    async (text) => {
      await observe(answering(DESIRED));
      writeFileSync(on.context.paths.desired, text);
      expect((await observe(silent('git'))).desired).toBeNull();
      expect((await observe(answering(DESIRED))).desired).toEqual(DESIRED);
    },
  );
});
