import { FleetError } from '@metrica-fleet/protocol';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../../src/act/context.ts';
import { collect } from '../../src/act/collect.ts';
import { claimImages, readOwnImages, settleClaims } from '../../src/act/images/own-images.ts';
import { expectedSize } from '../../src/act/images/room.ts';
import type { Event } from '../../src/decide/vocabulary.ts';
import type { Engine, Image } from '../../src/ports/engine.ts';
import { deployment } from '../decide/story.ts';
import { bench, type Bench } from '../sources/bench.ts';

const MIB = 1024 ** 2;
const ROOMY = 10_000 * MIB;

let on: Bench;
let images: Image[];
let asked: string[];
/** Free bytes of the disk; each image that goes gives its size back. */
let free: number;
let refuses: string | null;

beforeEach(() => {
  on = bench();
  images = [];
  asked = [];
  free = ROOMY;
  refuses = null;
  const role = join(on.context.paths.releases, deployment('a').release.digest, 'role.yaml');
  mkdirSync(dirname(role), { recursive: true });
  writeFileSync(role, 'name: web\n');
});
afterEach(() => on.clear());

/** An image came onto the device: how old, how many MiB, and whether a container has it. */
function came(id: string, tags: string[], more: { age?: number; size?: number; inUse?: boolean } = {}): void {
  const { age = 0, size = 10, inUse = false } = more;
  const created = new Date(Date.UTC(2026, 0, 100 - age)).toISOString();
  // A name means one image only.
  images = images.map((image) => ({ ...image, tags: image.tags.filter((tag) => !tags.includes(tag)) }));
  images.push({ id, tags, created, inUse, size: size * MIB });
  images.sort((one, other) => (one.created < other.created ? -1 : 1));
}

const idsNow = (): Record<string, string> =>
  Object.fromEntries(images.flatMap(({ id, tags }) => [...tags, id].map((name) => [name, id])));

function context(): Context {
  const engine: Partial<Engine> = {
    projects: () => Promise.resolve([]),
    containers: () => Promise.resolve([]),
    resolve: (name) => Promise.resolve({ name, services: {} }),
    images: () => Promise.resolve(images),
    imageIds: (references) => {
      const ids = idsNow();
      const here = references.filter((reference) => ids[reference] !== undefined);
      return Promise.resolve(Object.fromEntries(here.map((reference) => [reference, ids[reference] ?? ''])));
    },
    removeImage: (_label, names) => {
      if (refuses !== null && names.includes(refuses))
        return Promise.reject(new FleetError({ code: 'command-failed', what: 'conflict' }));
      asked.push(names.join(' '));
      images = images.map((image) => ({ ...image, tags: image.tags.filter((tag) => !names.includes(tag)) }));
      const gone = images.filter(({ id, tags }) => tags.length === 0 && (names.includes(id) || wasNamed(id)));
      for (const { size } of gone) free += size;
      images = images.filter((image) => !gone.includes(image));
      return Promise.resolve();
    },
  };
  const named = new Set(images.filter(({ tags }) => tags.length > 0).map(({ id }) => id));
  const wasNamed = (id: string): boolean => named.has(id);
  const { ports, paths } = on.context;
  const disk = { ...ports.disk, space: () => Promise.resolve({ bytes: free, inodes: 100_000 }) };
  return { ...on.context, paths, ports: { ...ports, disk, engine } } as unknown as Context;
}

/** The agent pulls what is missing, and it comes. */
async function pulls(reference: string, id: string, more: Parameters<typeof came>[2] = {}): Promise<void> {
  await claimImages(context(), [reference]);
  came(id, [reference], more);
  await settleClaims(context());
}

type Collected = Extract<Event, { type: 'collected' }>;
async function collecting(...needed: readonly string[]): Promise<Collected> {
  const keep = needed.length === 0 ? [] : [{ ...deployment('a'), images: needed }];
  return (await collect({ kind: 'collect', keep }, context())) as Collected;
}

const left = (): string[] => images.map(({ id }) => id).sort();
const own = async (): Promise<string[]> => (await readOwnImages(context())).map(({ reference }) => reference);

describe('images', () => {
  it('that the agent has brought go once nothing refers to them, and are forgotten', async () => {
    await pulls('web:1', 'old');
    await pulls('web:2', 'new');
    expect(await collecting('web:2')).toMatchObject({ images: ['web:1'], bytes: 10 * MIB });
    expect(left()).toEqual(['new']);
    expect(await own()).toEqual(['web:2']);
  });

  it('of a kept deployment stay although no container has them, by whatever name', async () => {
    await pulls('registry.example.org/web:1', 'old');
    images = images.map((image) => ({ ...image, tags: [...image.tags, 'web:1'] }));
    await collecting('web:1');
    expect(left()).toEqual(['old']);
  });

  it('that a container has stay, whoever made it', async () => {
    await pulls('web:1', 'old', { inUse: true });
    await collecting('web:2');
    expect(left()).toEqual(['old']);
    expect(await own()).toEqual(['web:1']);
  });

  it('of other people stay, nameless ones too, as long as there is room', async () => {
    came('theirs', ['grafana:9']);
    came('nameless', []);
    await pulls('web:1', 'old');
    await collecting('web:2');
    expect(left()).toEqual(['nameless', 'theirs']);
  });

  it('that were here before the agent wanted them are other people’s', async () => {
    came('theirs', ['web:1']);
    await settleClaims(context());
    await collecting('web:2');
    expect(left()).toEqual(['theirs']);
  });

  it('whose tag has come to mean another one go by their id', async () => {
    await pulls('web:latest', 'old');
    await pulls('web:latest', 'new');
    await collecting('web:latest');
    expect(asked).toEqual(['old']);
    expect(left()).toEqual(['new']);
  });

  it('that somebody has given another name only lose ours', async () => {
    await pulls('web:1', 'old');
    images = images.map((image) => ({ ...image, tags: [...image.tags, 'backup:1'] }));
    await collecting('web:2');
    expect(left()).toEqual(['old']);
    expect(images[0]?.tags).toEqual(['backup:1']);
  });

  it('that came although nobody heard how the pull ended are the agent’s, too', async () => {
    await claimImages(context(), ['web:1']);
    came('old', ['web:1']);
    await collecting('web:2');
    expect(left()).toEqual([]);
  });

  it('that cannot be removed hold up no others, and are tried again', async () => {
    await pulls('web:1', 'stuck');
    await pulls('web:2', 'old');
    refuses = 'web:1';
    expect(await collecting('web:3')).toMatchObject({ images: ['web:2'], problem: { what: 'conflict' } });
    refuses = null;
    expect(await collecting('web:3')).toMatchObject({ images: ['web:1'], problem: null });
  });

  it('stay where a deployment is known from its files alone, and nobody knows what it needs', async () => {
    await pulls('web:1', 'old');
    await collect({ kind: 'collect', keep: [{ ...deployment('a'), key: 'rebuilt', images: [] }] }, context());
    expect(left()).toEqual(['old']);
  });

  it('are not asked for where the agent has brought none and there is room', async () => {
    const { ports } = context();
    const silent = { ...context(), ports: { ...ports, engine: { projects: () => Promise.resolve([]) } } };
    const event = await collect({ kind: 'collect', keep: [] }, silent as unknown as Context);
    expect(event).toMatchObject({ images: [], problem: null });
  });

  it('are recorded only where the record changes', async () => {
    await pulls('web:1', 'old');
    let writes = 0;
    const { ports, ...rest } = context();
    const replace = (): Promise<void> => Promise.resolve(void (writes += 1));
    const counting = { ...rest, ports: { ...ports, disk: { ...ports.disk, replace } } };
    await settleClaims(counting);
    await collect({ kind: 'collect', keep: [{ ...deployment('a'), images: ['web:1'] }] }, counting);
    expect(writes).toBe(0);
  });
});

describe('images on a disk that is nearly full', () => {
  it('go until there is room: the agent’s own, then nameless ones, then the oldest that no container has', async () => {
    await pulls('web:1', 'own', { size: 10 });
    came('young', ['young:1'], { age: 1, size: 500 });
    came('ancient', ['ancient:1'], { age: 9, size: 100 });
    came('nameless', [], { age: 2, size: 20 });
    came('running', ['running:1'], { age: 30, inUse: true });
    free = 140 * MIB;
    const { images: gone, bytes, problem } = await collecting('web:2');
    expect(asked).toEqual(['web:1', 'nameless', 'ancient:1']);
    expect(gone).toEqual(asked);
    expect(bytes).toBe(130 * MIB);
    expect(problem).toBeNull();
    expect(left()).toEqual(['running', 'young']);
  });

  it('that are all needed say so with numbers', async () => {
    came('needed', ['web:1']);
    free = 100 * MIB;
    const { problem } = await collecting('web:1');
    expect(problem).toMatchObject({ code: 'no-space' });
    expect(problem?.what).toContain('100 MiB');
    expect(left()).toEqual(['needed']);
  });

  it('include that of safe mode, which stays', async () => {
    const { safeModeImage } = on.context.paths;
    mkdirSync(dirname(safeModeImage), { recursive: true });
    writeFileSync(safeModeImage, 'role-agent-safe-mode:1\n');
    came('safe', ['role-agent-safe-mode:1']);
    free = 100 * MIB;
    await collecting('web:1');
    expect(left()).toEqual(['safe']);
  });
});

describe('room for a pull', () => {
  it('is guessed from the image of the same name that is here', () => {
    const here = [
      { tags: ['registry:5000/web:1'], size: 300 },
      { tags: ['registry:5000/web:2'], size: 200 },
      { tags: ['db:1'], size: 7_000 },
    ];
    expect(expectedSize(['registry:5000/web:3', 'new:1'], here)).toBe(300);
    expect(expectedSize(['db@sha256:abc'], here)).toBe(7_000);
  });
});
