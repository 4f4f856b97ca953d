import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { CommitGroup, type GroupOptions } from '../../src/devices/commit-group.ts';

/** A group that doubles numbers, with its commits on record; each ends when it is let go. */
function doubling(changes: Partial<GroupOptions<number, number>> = {}) {
  const commits: number[][] = [];
  const ends: (() => void)[] = [];
  const group = new CommitGroup<number, number>({
    commit: async (items) => {
      commits.push([...items]);
      await new Promise<void>((resolve) => ends.push(resolve));
      return items.map((item) => item * 2);
    },
    weigh: () => 1,
    group: { items: 10, bytes: 1_000 },
    lanes: 1,
    pace: { time: 0, items: 1 },
    queue: { items: 100, bytes: 1_000 },
    refuse: () => new Error('full'),
    noFaultOfItems: () => null,
    ...changes,
  });
  const finish = async (all: Promise<unknown>): Promise<void> => {
    const letGo = setInterval(() => ends.splice(0).forEach((end) => end()), 1);
    await all;
    clearInterval(letGo);
  };
  return { group, commits, finish };
}

it('commits together what arrives together, and what arrives meanwhile after that', async () => {
  const { group, commits, finish } = doubling();
  const first = Promise.all([1, 2, 3].map((item) => group.submit(item)));
  await expect.poll(() => commits).toEqual([[1, 2, 3]]);
  const later = Promise.all([4, 5].map((item) => group.submit(item)));
  await finish(Promise.all([first, later]));
  expect(commits).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
  expect([await first, await later]).toEqual([
    [2, 4, 6],
    [8, 10],
  ]);
});

it('writes as many groups at once as it has lanes', async () => {
  const { group, commits, finish } = doubling({ lanes: 2, group: { items: 2, bytes: 1_000 } });
  const all = Promise.all([1, 2, 3, 4, 5].map((item) => group.submit(item)));
  await expect
    .poll(() => commits)
    .toEqual([
      [1, 2],
      [3, 4],
    ]);
  await finish(all);
  expect(commits).toEqual([[1, 2], [3, 4], [5]]);
});

it('begins no group sooner after another than its pace, and the first at once', async () => {
  const { group, commits, finish } = doubling({ lanes: 2, pace: { time: 1_500, items: 3 } });
  await finish(group.submit(1));
  const two = group.submit(2);
  await nextTurn();
  await finish(Promise.all([two, group.submit(3)]));
  expect(commits).toEqual([[1], [2, 3]]);
});

it('waits no longer when enough have gathered', async () => {
  const { group, commits, finish } = doubling({ lanes: 2, pace: { time: 2 ** 31 - 1, items: 3 } });
  await finish(group.submit(1));
  const two = group.submit(2);
  await nextTurn();
  await finish(Promise.all([two, group.submit(3), group.submit(4)]));
  expect(commits).toEqual([[1], [2, 3, 4]]);
});

it('fills a group up to its weight, and takes what is heavier than that alone', async () => {
  const { group, commits, finish } = doubling({
    weigh: (item) => item,
    group: { items: 10, bytes: 10 },
  });
  await finish(Promise.all([20, 4, 5, 6].map((item) => group.submit(item))));
  expect(commits).toEqual([[20], [4, 5], [6]]);
});

it('refuses what the queue cannot take, by number and by weight, and takes more once it is shorter', async () => {
  const { group, finish } = doubling({ weigh: (item) => item, queue: { items: 2, bytes: 100 } });
  const one = group.submit(99);
  await expect(group.submit(2)).rejects.toThrow('full');
  const two = group.submit(1);
  await expect(group.submit(0)).rejects.toThrow('full');
  await finish(Promise.all([one, two]));
  await finish(group.submit(50));
  expect(await one).toBe(198);
});

it('finds the item that cannot be committed, and commits all others', async () => {
  const tries: number[][] = [];
  const { group } = doubling({
    group: { items: 100, bytes: 1_000 },
    commit: (items) => {
      tries.push([...items]);
      if (items.includes(13)) return Promise.reject(new Error('poison'));
      return Promise.resolve(items.map((item) => item * 2));
    },
  });
  const items = Array.from({ length: 64 }, (_, index) => index);
  const results = await Promise.allSettled(items.map((item) => group.submit(item)));
  expect(results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([13]);
  expect(results[14]).toEqual({ status: 'fulfilled', value: 28 });
  expect(tries.length).toBeLessThan(16);
});

it('tells all at once, without trying again, when none of them is at fault', async () => {
  let tries = 0;
  const { group } = doubling({
    commit: () => {
      tries += 1;
      return Promise.reject(new Error('gone'));
    },
    noFaultOfItems: () => new Error('Come back later'),
  });
  const results = await Promise.allSettled([1, 2, 3].map((item) => group.submit(item)));
  expect(results.map((result) => (result as PromiseRejectedResult).reason.message)).toEqual(
    Array.from({ length: 3 }, () => 'Come back later'),
  );
  expect(tries).toBe(1);
});
