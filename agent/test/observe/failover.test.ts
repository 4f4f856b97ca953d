import { afterEach, describe, expect, it } from 'vitest';
import { HAND_OVER } from '../../src/decide/precedence.ts';
import { Rounds, Told, wish } from './rounds.ts';

let device: Rounds;
afterEach(() => device.on.clear());

const SIGNED = { allowedSigners: '/signers' };

describe('a lower source', () => {
  /** A device that runs `a` by the word of the overlord; its Git mirror is there too. */
  async function fleet(): Promise<{ overlord: Told; git: Told }> {
    const [overlord, git] = [new Told('overlord'), new Told('git')];
    device = new Rounds([overlord, git], SIGNED);
    overlord.says = wish('a', { counter: 5 });
    await device.settles(5);
    overlord.says = null;
    return { overlord, git };
  }

  it('is asked at once when the one above does not answer, and followed only when that lasts', async () => {
    const { git } = await fleet();
    git.says = wish('b', { counter: 6 });
    expect(await device.follows(true)).toBe('a');
    expect(git.asked).toBe(1);
    device.passes(HAND_OVER - 1);
    expect(await device.follows(true)).toBe('a');
    device.passes(1);
    expect(await device.follows(true)).toBe('b');
  });

  it.each([
    ['older', 4],
    ['as old', 5],
    ['signed by nobody', undefined],
  ])('that names something %s is never followed, however long the silence lasts', async (_, counter) => {
    const { git } = await fleet();
    git.says = wish('b', counter === undefined ? {} : { counter });
    for (let day = 0; day < 30; day += 1) {
      expect(await device.follows(true)).toBe('a');
      device.passes(86_400);
    }
  });

  it('that is behind is said to be', async () => {
    const { git } = await fleet();
    git.says = wish('b', { counter: 4 });
    const { contacts } = await device.observe(true);
    expect(contacts[1]).toMatchObject({ answered: true, problem: { code: 'statement-replayed' } });
  });

  it('that was followed goes on leading while the one above is silent, and steps back when it answers', async () => {
    const { overlord, git } = await fleet();
    git.says = wish('b', { counter: 6 });
    await device.follows(true);
    device.passes(HAND_OVER);
    expect(await device.follows(true)).toBe('b');
    await device.settles(6);
    git.says = wish('c', { counter: 7 });
    expect(await device.follows(true)).toBe('c');
    await device.settles(7);
    overlord.says = wish('d', { counter: 8 });
    expect(await device.follows(true)).toBe('d');
  });

  it('does not flap with one above that comes back with what it said before', async () => {
    const { overlord, git } = await fleet();
    git.says = wish('b', { counter: 6 });
    const seen: (string | null)[] = [await device.follows(true)];
    device.passes(HAND_OVER);
    seen.push(await device.follows(true));
    await device.settles(6);
    for (let n = 0; n < 6; n += 1) {
      overlord.says = n % 2 === 0 ? wish('a', { counter: 5 }) : null;
      device.passes(2 * HAND_OVER);
      seen.push(await device.follows(true));
    }
    expect(seen.join('')).toBe('abbbbbbb');
  });

  it('takes over at once on a device that has been silent since before a reboot', async () => {
    const { git } = await fleet();
    await device.observe(true);
    await device.observe(true);
    device.reboots('second');
    git.says = wish('b', { counter: 6 });
    expect(await device.follows()).toBe('b');
  });
});

describe('two repos that nobody signs', () => {
  async function pair(): Promise<{ first: Told; mirror: Told }> {
    const [first, mirror] = [new Told('first'), new Told('mirror')];
    device = new Rounds([first, mirror]);
    first.says = wish('b', { time: '2026-02-02T00:00:00Z' });
    await device.settles();
    first.says = null;
    return { first, mirror };
  }

  it('are not followed back in time, by whichever of them', async () => {
    const { first, mirror } = await pair();
    mirror.says = wish('a', { time: '2026-02-01T00:00:00Z' });
    await device.follows(true);
    device.passes(HAND_OVER);
    expect(await device.follows(true)).toBe('b');
    mirror.says = wish('c', { time: '2026-02-03T00:00:00Z' });
    expect(await device.follows(true)).toBe('c');
    await device.settles();
    first.says = wish('b', { time: '2026-02-02T00:00:00Z' });
    const { desired, contacts } = await device.observe(true);
    expect(desired?.source).toBe('mirror');
    expect(contacts[0]?.problem?.code).toBe('source-behind');
  });

  it('may be rewritten: the one that leads is followed wherever it goes', async () => {
    const { first } = await pair();
    first.says = wish('a', { time: '2026-02-01T00:00:00Z' });
    expect(await device.follows(true)).toBe('a');
  });
});

describe('a stick that is listed first', () => {
  function plugged(): { usb: Told; git: Told } {
    const [usb, git] = [new Told('usb', true), new Told('git')];
    device = new Rounds([usb, git], SIGNED);
    return { usb, git };
  }

  it('is followed at once while it has something newer, until that is in place', async () => {
    const { usb, git } = plugged();
    git.says = wish('a', { counter: 5 });
    await device.settles(5);
    usb.says = wish('b', { counter: 6 });
    expect(await device.follows()).toBe('b');
    // Its counter counts as accepted from the fetch on, and the update goes on.
    device.journal = { ...device.journal, counters: { web: 6 } };
    expect(await device.follows()).toBe('b');
  });

  it('and stays plugged in does not block newer content of Git', async () => {
    const { usb, git } = plugged();
    usb.says = wish('a', { counter: 5 });
    await device.settles(5);
    git.says = wish('b', { counter: 6 });
    expect(await device.follows()).toBe('b');
    await device.settles(6);
    expect(await device.follows()).toBe('b');
  });

  it('and has failed here leaves the word to the next', async () => {
    const { usb, git } = plugged();
    git.says = wish('a', { counter: 5 });
    await device.settles(5);
    usb.says = wish('b', { counter: 6 });
    const { desired } = await device.observe();
    const problem = { code: 'health-failed', what: 'It did not become healthy' } as const;
    const { wantedKey } = await import('../../src/decide/wanted.ts');
    const failed = { role: 'web', commit: 'b'.repeat(40), problem, at: device.now.wall };
    device.journal = { ...device.journal, quarantine: [{ key: wantedKey(desired ?? wish('x')), ...failed }] };
    expect(await device.follows()).toBe('a');
  });

  it('and is older than what runs changes nothing, whether Git answers or not', async () => {
    const { usb, git } = plugged();
    git.says = wish('b', { counter: 6 });
    await device.settles(6);
    usb.says = wish('a', { counter: 5 });
    expect(await device.follows()).toBe('b');
    git.says = null;
    expect(await device.follows(true)).toBe('b');
  });

  it('and is not there is no fault of a device that knows what to run', async () => {
    const { git } = plugged();
    expect((await device.observe(true)).contacts[0]?.problem?.code).toBe('source-unreachable');
    git.says = wish('a', { counter: 5 });
    await device.settles(5);
    expect((await device.observe(true)).contacts).toEqual([
      { source: 'usb', answered: false, problem: null },
      { source: 'git', answered: true, problem: null },
    ]);
  });

  it('gives way to Git that has caught up, so that new values of variables arrive', async () => {
    const { usb, git } = plugged();
    usb.says = wish('b', { counter: 6 });
    await device.settles(6);
    git.says = wish('b', { counter: 6, layers: [{ from: 'devices/kiosk-1.yaml', values: { NAME: 'new' } }] });
    expect((await device.observe()).desired?.layers[0]?.from).toBe('devices/kiosk-1.yaml');
  });
});
