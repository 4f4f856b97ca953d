import { SEGMENTS, type Segment } from '@metrica-fleet/protocol/api';
import type { Stage } from '@metrica-fleet/protocol';
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import type { StageProgress } from '../../src/db/schema.ts';
import { plan } from '../../src/rollouts/planner.ts';
import type { Rollout, Seen, Transition } from '../../src/rollouts/rollout.ts';

/** What a device makes of the release: it takes it well, fails, never answers, or never comes to an end. */
type Nature = 'good' | 'bad' | 'absent' | 'stuck';

interface Device {
  readonly segment: Segment;
  readonly nature: Nature;
  stage: number | null;
  state: 'pending' | 'updating' | 'healthy' | 'failed';
}

const stage: fc.Arbitrary<Stage> = fc.record({
  segment: fc.constantFrom(...SEGMENTS),
  percent: fc.constant(100),
  soak: fc.constantFrom(0, 60, 600),
  maxFailedPercent: fc.constantFrom(0, 5, 50),
  promotion: fc.constant('automatic' as const),
  timeout: fc.constantFrom(600, 3_600),
});

const devices = (natures: readonly Nature[]): fc.Arbitrary<Device[]> =>
  fc.array(
    fc.record({
      segment: fc.constantFrom(...SEGMENTS),
      nature: fc.constantFrom(...natures),
      stage: fc.constant(null),
      state: fc.constant('pending' as const),
    }),
    { maxLength: 12 },
  );

/** A fleet and one rollout in it: what the engine does, without a database. */
class World {
  rollout: Rollout;
  readonly transitions: Transition[] = [];
  /** The planner has never answered the same question in two ways. */
  same = true;
  private now = Date.parse('2026-01-01T00:00:00Z');
  private readonly fleet: readonly Device[];

  constructor(stages: readonly Stage[], fleet: readonly Device[]) {
    this.rollout = { state: 'running', stages, progress: [] };
    // fast-check uses a value again while it shrinks.
    this.fleet = fleet.map((device) => ({ ...device }));
  }

  get seen(): Seen {
    const counts = this.rollout.progress.map((_, index) => {
      const covered = this.fleet.filter((device) => device.stage === index);
      const count = (state: Device['state']): number => covered.filter((one) => one.state === state).length;
      const offline = covered.filter(({ nature }) => nature === 'absent').length;
      return {
        total: covered.length,
        pending: count('pending'),
        updating: count('updating'),
        healthy: count('healthy'),
        failed: count('failed'),
        offline,
      };
    });
    return { counts, roleDevices: this.fleet.length === 0 ? 'none' : 'some' };
  }

  tick(): void {
    for (let steps = 0; steps < 100; steps += 1) {
      const before = this.seen;
      const transition = plan(this.rollout, before, new Date(this.now));
      this.same &&= isDeepStrictEqual(plan(this.rollout, before, new Date(this.now)), transition);
      if (transition === null) return;
      holds(this.rollout, before, transition);
      this.apply(transition);
    }
    throw new Error('The planner does not come to rest');
  }

  /** One device goes a step further. */
  step(choice: number): void {
    const able = this.fleet.filter((device) => device.stage !== null && device.nature !== 'absent');
    const device = able[choice % Math.max(1, able.length)];
    if (device === undefined) return;
    if (device.state === 'pending') device.state = 'updating';
    else if (device.nature === 'good') device.state = 'healthy';
    else if (device.nature === 'bad') device.state = 'failed';
  }

  wait(seconds: number): void {
    this.now += seconds * 1_000;
  }

  private apply(transition: Transition): void {
    this.transitions.push(transition);
    const { progress } = this.rollout;
    const last = progress.length - 1;
    const met = (metSince: string | null): StageProgress[] =>
      progress.map((one, index) => (index === last ? { ...one, metSince } : one));
    const time = new Date(this.now).toISOString();
    switch (transition.kind) {
      case 'open':
        this.rollout = {
          ...this.rollout,
          progress: [...progress, { openedAt: time, metSince: null, standIn: null }],
        };
        this.cover(transition.stage);
        return;
      case 'stand-in': {
        const [device] = this.fleet;
        if (device !== undefined) device.stage = 0;
        return;
      }
      case 'soak':
        this.rollout = { ...this.rollout, progress: met(time) };
        return;
      case 'break-soak':
        this.rollout = { ...this.rollout, progress: met(null) };
        return;
      case 'halt':
        this.rollout = { ...this.rollout, state: 'halted' };
        return;
      case 'pause':
        this.rollout = { ...this.rollout, state: 'paused' };
        return;
      case 'done':
        this.rollout = { ...this.rollout, state: 'done' };
    }
  }

  private cover(index: number): void {
    const segment = this.rollout.stages[index]?.segment ?? 'general';
    for (const device of this.fleet) {
      if (SEGMENTS.indexOf(device.segment) <= SEGMENTS.indexOf(segment)) device.stage ??= index;
    }
  }
}

/** What must hold of every transition, by its number in planner.ts. */
function holds({ state, stages, progress }: Rollout, seen: Seen, transition: Transition): void {
  const { counts, roleDevices } = seen;
  expect(['running', 'paused']).toContain(state); // R4
  const exceeded = counts.some(
    ({ healthy, failed }, index) =>
      failed * 100 > (stages[index]?.maxFailedPercent ?? 0) * (healthy + failed),
  );
  if (exceeded) expect(transition.kind).toBe('halt'); // R2
  const evidence = counts.some(({ healthy }) => healthy > 0);
  const first = progress.length === 0;
  if (transition.kind === 'open') {
    expect(transition.stage).toBe(progress.length);
    expect(transition.stage).toBeLessThan(stages.length);
    if (!first) expect(evidence).toBe(true); // R1
  }
  if (transition.kind === 'done') {
    expect(evidence || roleDevices === 'none').toBe(true);
    expect(first || progress.length === stages.length).toBe(true);
  }
}

const life = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('step' as const), choice: fc.nat(20) }),
    fc.record({ kind: fc.constant('wait' as const), seconds: fc.constantFrom(1, 60, 700) }),
  ),
  { maxLength: 60 },
);

type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;

function live(stages: readonly Stage[], fleet: readonly Device[], events: Life): World {
  const world = new World(stages, fleet);
  world.tick();
  for (const event of events) {
    if (event.kind === 'step') world.step(event.choice);
    else world.wait(event.seconds);
    world.tick();
  }
  return world;
}

const stages = fc.array(stage, { minLength: 1, maxLength: 4 });

it('keeps R1 to R4 whatever the devices do, and asked twice says the same', () => {
  fc.assert(
    fc.property(stages, devices(['good', 'bad', 'absent', 'stuck']), life, (agreed, fleet, events) => {
      expect(live(agreed, fleet, events).same).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

it('never lets a release reach a second stage when everybody who tries it fails (invariant 4)', () => {
  fc.assert(
    fc.property(stages, devices(['bad', 'absent', 'stuck']), life, (agreed, fleet, events) => {
      const opened = live(agreed, fleet, events).transitions.filter(({ kind }) => kind === 'open');
      expect(opened.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 1_000 },
  );
});

it('comes to an end by itself where every stage has somebody good, whoever is absent (R3, invariant 5)', () => {
  fc.assert(
    fc.property(stages, devices(['good', 'absent']), (agreed, some) => {
      const good = SEGMENTS.map((segment): Device => ({
        segment,
        nature: 'good',
        stage: null,
        state: 'pending',
      }));
      const world = new World(agreed, [...good, ...some]);
      for (let round = 0; round < 12; round += 1) {
        world.tick();
        for (let choice = 0; choice < 40; choice += 1) world.step(choice);
        world.wait(600);
      }
      expect(world.rollout.state).toBe('done');
    }),
    { numRuns: 300 },
  );
});
