import { expect, it } from 'vitest';
import { inTurn } from '../../src/server/in-turn.ts';

it('answers who asks meanwhile with the next turn, and all of them with the same', async () => {
  let begun = 0;
  const releases: (() => void)[] = [];
  const ask = inTurn(async () => {
    begun += 1;
    const turn = begun;
    await new Promise<void>((resolve) => releases.push(resolve));
    return turn;
  });
  const first = ask();
  const meanwhile = [ask(), ask(), ask()];
  expect(begun).toBe(1);
  releases[0]?.();
  expect(await first).toBe(1);
  await Promise.resolve();
  releases[1]?.();
  expect(await Promise.all(meanwhile)).toEqual([2, 2, 2]);
  expect(begun).toBe(2);
});

it('goes on after a turn that failed', async () => {
  let begun = 0;
  const ask = inTurn(async () => {
    begun += 1;
    await Promise.resolve();
    if (begun === 1) throw new Error('once');
    return begun;
  });
  const [first, second] = [ask(), ask()];
  await expect(first).rejects.toThrow('once');
  expect(await second).toBe(2);
  await ask.settled();
  expect(await ask()).toBe(3);
});
