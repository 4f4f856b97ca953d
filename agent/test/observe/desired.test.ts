import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DESIRED, Rounds, Told } from './rounds.ts';

let git: Told;
let mirror: Told;
let device: Rounds;
beforeEach(() => {
  git = new Told('git');
  mirror = new Told('mirror');
  device = new Rounds([git, mirror]);
});
afterEach(() => device.on.clear());

describe('what is desired', () => {
  it('is the answer of the first source that gives one, and every one asked is accounted for', async () => {
    mirror.says = DESIRED;
    const { desired, contacts, withdrawn } = await device.observe();
    expect(desired).toEqual({ ...DESIRED, source: 'mirror' });
    expect(withdrawn).toBe(false);
    expect(contacts).toEqual([
      { source: 'git', answered: false, problem: { code: 'source-unreachable', what: 'nobody there' } },
      { source: 'mirror', answered: true, problem: null },
    ]);
  });

  it('is asked of nobody below the one that leads', async () => {
    git.says = DESIRED;
    expect((await device.observe()).contacts).toHaveLength(1);
    expect(mirror.asked).toBe(0);
  });

  it('is the last answer when nobody answers, and nothing on a device that never had one', async () => {
    expect(await device.observe(true)).toMatchObject({ desired: null, withdrawn: false });
    git.says = DESIRED;
    await device.observe(true);
    git.says = null;
    expect((await device.observe(true)).desired).toEqual(DESIRED);
  });

  it('is nothing once the one that leads says so, and then it is forgotten', async () => {
    git.says = DESIRED;
    await device.observe(true);
    git.says = 'nothing';
    expect(await device.observe(true)).toMatchObject({ desired: null, withdrawn: true });
    git.says = null;
    expect(await device.observe(true)).toMatchObject({ desired: null, withdrawn: false });
  });

  it('is not for a lower source to withdraw', async () => {
    git.says = DESIRED;
    await device.observe(true);
    git.says = null;
    mirror.says = 'nothing';
    expect(await device.observe(true)).toMatchObject({ desired: DESIRED, withdrawn: false });
  });

  it('writes nothing when nothing is new, nor while nobody answers', async () => {
    git.says = DESIRED;
    await device.observe(true);
    const { ino, mtimeMs } = lstatSync(device.on.context.paths.desired);
    await device.observe(true);
    git.says = null;
    await device.observe(true);
    expect(lstatSync(device.on.context.paths.desired)).toMatchObject({ ino, mtimeMs });
  });

  it.each(['', 'rubbish', '{"schemaVersion":2}', JSON.stringify({ ...DESIRED, commit: 1 })])(
    'is asked anew where the former answer is «%s»',
    async (text) => {
      const path = device.on.context.paths.desired;
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      expect((await device.observe(true)).desired).toBeNull();
      git.says = DESIRED;
      expect((await device.observe(true)).desired).toEqual(DESIRED);
    },
  );
});
