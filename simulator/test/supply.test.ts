import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { MemoryDisk } from '../src/host/memory-disk.ts';
import { Supply } from '../src/host/supply.ts';

/** Whether a promise is settled after everything that was under way has had its turn. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  void promise.then(settle, settle);
  for (let turns = 0; turns < 5; turns += 1) await turn();
  return settled;
}

it('feeds a port as long as there is power', async () => {
  const disk = new Supply().feeds(new MemoryDisk());
  await disk.replace('test.file', '/file', 'text');
  expect(await disk.readText('/file')).toBe('text');
  await expect(disk.rename('test.none', '/none', '/other')).rejects.toMatchObject({
    problem: { code: 'disk-failed' },
  });
});

it('lets nothing happen once it is cut, and nobody hear of it', async () => {
  const supply = new Supply();
  const bare = new MemoryDisk();
  const disk = supply.feeds(bare);
  supply.cut();
  expect(await isSettled(disk.replace('test.file', '/file', 'text'))).toBe(false);
  expect(await bare.readText('/file')).toBeNull();
});

it('tells nobody how that ended which was under way', async () => {
  const supply = new Supply();
  let fail = (_reason: Error): void => undefined;
  const port = supply.feeds({ ask: () => new Promise<string>((_resolve, reject) => (fail = reject)) });
  const asked = port.ask();
  supply.cut();
  fail(new Error('the line is dead'));
  expect(await isSettled(asked)).toBe(false);
});

it('leaves of a file that was being written what had come by then', async () => {
  const supply = new Supply();
  const bare = new MemoryDisk();
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('one ');
    await turn();
    supply.cut();
    yield Buffer.from('two');
  }
  const content = supply.flow(pieces());
  expect(await isSettled(supply.feeds(bare).write('test.file', '/file', { content }))).toBe(false);
  expect(await bare.readText('/file')).toBe('one ');
});

it('says once that it was cut, to whoever still listens', () => {
  const supply = new Supply();
  const heard: string[] = [];
  supply.onCut(() => heard.push('stays'));
  supply.onCut(() => heard.push('leaves'))();
  supply.cut();
  supply.cut();
  expect(heard).toEqual(['stays']);
});
