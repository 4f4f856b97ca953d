import { DEFAULT_STAGES, type Stage } from '@metrica-fleet/protocol';
import { SEGMENTS } from '@metrica-fleet/protocol/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stageOf } from '../../src/rollouts/coverage.ts';
import { decide, type DecisionDevice } from '../../src/rollouts/decision.ts';
import {
  layersOf,
  type Offered,
  type OpenRollout,
  type RoleDecisions,
  type Snapshot,
} from '../../src/rollouts/snapshot.ts';

const offered = (letter: string, counter: number): Offered => ({
  releaseId: `release-${letter}`,
  role: 'web',
  commit: letter.repeat(40),
  digest: letter.repeat(64),
  statement: `statement of ${letter}`,
  signature: `signature of ${letter}`,
  counter,
});
const A = offered('a', 10);
const B = offered('b', 11);

const DEVICE: DecisionDevice = {
  id: '00000000-0000-4000-8000-000000000001',
  name: 'front-door',
  membership: 'active',
  role: 'web',
  site: null,
  segment: 'general',
  updatesOff: false,
  position: 'web.a..',
};

const opened = (count: number, standIn: string | null = null): OpenRollout['progress'] =>
  Array.from({ length: count }, () => ({ openedAt: '2026-01-01T00:00:00Z', metSince: null, standIn }));

const rolling = (count: number, rest: Partial<OpenRollout> = {}): OpenRollout => ({
  id: 'rollout-b',
  state: 'running',
  offered: B,
  stages: DEFAULT_STAGES,
  progress: opened(count),
  ...rest,
});

function snapshot(web: Partial<RoleDecisions>, files: Parameters<typeof layersOf>[0] = []): Snapshot {
  const decisions = { baseline: A, rollout: null, halted: null, ...web };
  return { roles: new Map([['web', decisions]]), ...layersOf(files) };
}

/** What a device gets: the letter of a release, `keeps` what it has, or nothing; and the rule that decided. */
function gets(device: Partial<DecisionDevice>, seen: Snapshot): readonly [string, string] {
  const { offer, keep, rules } = decide({ ...DEVICE, ...device }, seen);
  const what = offer === null ? (keep ? 'keeps' : 'nothing') : offer.commit.slice(0, 1);
  return [what, rules.at(-1)?.rule ?? ''];
}

describe('what a device gets', () => {
  it('is nothing before an operator has approved it, and after it was revoked', () => {
    expect(gets({ membership: 'waiting' }, snapshot({}))).toEqual(['nothing', 'membership']);
    expect(gets({ membership: 'revoked' }, snapshot({}))).toEqual(['nothing', 'membership']);
  });

  it('is nothing without a role', () => {
    expect(gets({ role: null }, snapshot({}))).toEqual(['nothing', 'role']);
  });

  it('is nothing of a role without a release', () => {
    expect(gets({ role: 'camera' }, snapshot({}))).toEqual(['nothing', 'baseline']);
  });

  it('is the baseline of the role that its file in the repo names', () => {
    const file = { kind: 'device', name: 'front-door', role: 'web', site: null, vars: {} } as const;
    expect(gets({ role: null }, snapshot({}, [file]))).toEqual(['a', 'baseline']);
  });

  it('is what it has while its updates are off', () => {
    const seen = snapshot({ rollout: rolling(3) });
    expect(gets({ updatesOff: true }, seen)).toEqual(['keeps', 'updates']);
  });

  it('is the new release once the stage of its segment is open, and the baseline before', () => {
    for (const [index, segment] of SEGMENTS.entries()) {
      expect(gets({ segment }, snapshot({ rollout: rolling(index) }))).toEqual(['a', 'baseline']);
      expect(gets({ segment }, snapshot({ rollout: rolling(index + 1) }))).toEqual(['b', 'rollout']);
    }
  });

  it('is the new release while it is paused, if its stage was open by then', () => {
    const seen = snapshot({ rollout: rolling(1, { state: 'paused' }) });
    expect(gets({ segment: 'canary' }, seen)).toEqual(['b', 'rollout']);
    expect(gets({ segment: 'early' }, seen)).toEqual(['a', 'baseline']);
  });

  it('is the new release for the one that stands in for a canary', () => {
    const seen = snapshot({ rollout: rolling(1, { progress: opened(1, DEVICE.id) }) });
    expect(gets({}, seen)).toEqual(['b', 'rollout']);
  });

  it('is what it has taken, even when its segment is changed: a stage only grows', () => {
    const seen = snapshot({ rollout: rolling(1) });
    expect(gets({ position: 'web.b..' }, seen)).toEqual(['b', 'rollout']);
    expect(gets({ position: 'camera.b..' }, seen)).toEqual(['a', 'baseline']);
  });

  it('is what a superseded rollout brought, until the newest release reaches it', () => {
    const seen = snapshot({ rollout: rolling(1, { offered: offered('c', 12) }) });
    expect(gets({ segment: 'early', position: 'web.b..' }, seen)).toEqual(['keeps', 'newer']);
    expect(gets({ segment: 'canary', position: 'web.b..' }, seen)).toEqual(['c', 'rollout']);
  });

  it('is the baseline again after a halt, for everybody', () => {
    const seen = snapshot({ baseline: offered('a', 12), halted: { id: 'rollout-b', commit: B.commit } });
    expect(gets({ segment: 'canary', position: 'web.b..' }, seen)).toEqual(['a', 'baseline']);
  });
});

describe('the position', () => {
  const files = [
    { kind: 'site', name: 'shop', role: null, site: null, vars: { PORT: 80 } },
    { kind: 'device', name: 'front-door', role: null, site: 'shop', vars: { PORT: 81 } },
  ] as const;
  const offerOf = (
    seen: Snapshot,
    device: Partial<DecisionDevice> = {},
  ): ReturnType<typeof decide>['offer'] => decide({ ...DEVICE, ...device }, seen).offer;

  it('comes with the layers of site and device, the weaker first', () => {
    expect(offerOf(snapshot({}, files))?.layers).toEqual([
      { from: 'sites/shop.yaml', values: { PORT: 80 } },
      { from: 'devices/front-door.yaml', values: { PORT: 81 } },
    ]);
  });

  it('changes with the statement, the role and the values, and with nothing else', () => {
    const at = (seen: Snapshot, device: Partial<DecisionDevice> = {}): string | undefined =>
      offerOf(seen, device)?.position;
    const before = at(snapshot({}, files));
    expect(at(snapshot({ rollout: rolling(1) }, files), { segment: 'early', position: null })).toBe(before);
    expect(at(snapshot({ baseline: offered('a', 12) }, files))).not.toBe(before);
    expect(at(snapshot({}, files.slice(0, 1)))).not.toBe(before);
    expect(at(snapshot({}, files), { site: 'elsewhere' })).not.toBe(before);
    expect(before?.length).toBeLessThan(200);
  });
});

describe('a stage', () => {
  const stages: readonly Stage[] = ([10, 50, 100] as const).map((percent) => ({
    ...(DEFAULT_STAGES.find(({ segment }) => segment === 'general') as Stage),
    percent,
  }));

  it('takes its share, and covers whom a former one covered', () => {
    const ids = Array.from({ length: 2_000 }, (_, index) => `device-${index}`);
    const counts = [0, 0, 0];
    for (const id of ids) {
      const index = stageOf(stages, 'release', { id, segment: 'general' });
      expect(index).not.toBeNull();
      counts[index ?? 0] = (counts[index ?? 0] ?? 0) + 1;
    }
    expect(counts[0]).toBeGreaterThan(150);
    expect(counts[0]).toBeLessThan(250);
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBeGreaterThan(900);
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBeLessThan(1_100);
  });

  it('covers the segments before its own, of which nobody is left out', () => {
    const [, early] = DEFAULT_STAGES;
    const only = early === undefined ? [] : [early];
    expect(SEGMENTS.map((segment) => stageOf(only, 'release', { id: 'x', segment }))).toEqual([0, 0, null]);
  });
});

it('decides by exactly one rule, the last, and offers nothing beyond the open stages', () => {
  const device = fc.record({
    id: fc.uuid(),
    name: fc.constant('front-door'),
    membership: fc.constantFrom('waiting', 'active', 'revoked'),
    role: fc.constantFrom('web', null),
    site: fc.constant(null),
    segment: fc.constantFrom(...SEGMENTS),
    updatesOff: fc.boolean(),
    position: fc.constantFrom(null, 'web.a..', 'camera.zz..', 'nonsense'),
  });
  fc.assert(
    fc.property(device, fc.integer({ min: 0, max: 3 }), (one, count) => {
      const { offer, rules, rollout } = decide(one, snapshot({ rollout: rolling(count) }));
      expect(rules.filter(({ verdict }) => verdict === 'decides')).toHaveLength(1);
      expect(rules.at(-1)?.verdict).toBe('decides');
      const reached = SEGMENTS.indexOf(one.segment) < count;
      expect(rollout === null || reached).toBe(true);
      expect(offer?.commit === B.commit).toBe(rollout !== null);
    }),
  );
});
