import { afterEach, beforeEach, expect, it } from 'vitest';
import { Timeline } from '../src/timeline.ts';

let timeline: Timeline;
beforeEach(() => {
  timeline = new Timeline(100);
});
afterEach(() => timeline.stop());

it('calls in the order of time, and of two at the same time first who asked first', async () => {
  const order: string[] = [];
  const times = { late: 9, soon: 1, second: 4, third: 4, first: 3 };
  for (const [name, seconds] of Object.entries(times)) timeline.after(seconds, () => order.push(name));
  await timeline.sleep(10);
  expect(order).toEqual(['soon', 'first', 'second', 'third', 'late']);
});

it('shows each the moment for which it asked, and never goes back', async () => {
  const seen: number[] = [];
  for (let second = 20; second > 0; second -= 1) timeline.after(second, () => seen.push(timeline.now()));
  await timeline.sleep(21);
  expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(timeline.now()).toBeGreaterThanOrEqual(21);
});

it('does not call what was taken back', async () => {
  const called: string[] = [];
  const takeBack = timeline.after(1, () => called.push('taken back'));
  timeline.after(2, () => called.push('kept'));
  takeBack();
  await timeline.sleep(3);
  expect(called).toEqual(['kept']);
});

it('slows down instead of leaping when this machine is busy', async () => {
  await timeline.sleep(1);
  const before = timeline.now();
  const end = performance.now() + 400;
  while (performance.now() < end);
  await timeline.sleep(0);
  // 400 ms of ours would be 40 s.
  expect(timeline.now() - before).toBeLessThan(20);
});
