import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MiniClone } from './mini-clone.ts';

let clone: MiniClone;
beforeEach(async () => {
  clone = await MiniClone.make();
});
afterEach(async () => {
  await clone.remove('.');
});

describe('the first use of a clone', () => {
  it('installs, builds and runs, with nothing on stdout but the command', async () => {
    const { code, stdout, stderr } = await clone.fleet('role', 'lint');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '["role","lint"]\n' });
    expect(stderr).toMatch(/^Installing packages \(first use, about a minute\)…\n[^]*Building…\n/);
    expect(await clone.ran()).toEqual(['npm', 'tsc']);
  });

  it('happens once, however many come at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, async () => await clone.fleet('x')));
    expect(all.map(({ code, stdout }) => ({ code, stdout }))).toEqual(
      all.map(() => ({ code: 0, stdout: '["x"]\n' })),
    );
    expect(await clone.ran()).toEqual(['npm', 'tsc']);
    expect(all.filter(({ stderr }) => stderr.includes('waiting for it')).length).toBeGreaterThan(0);
  });

  it('is not held up by one that died', async () => {
    await clone.write('.cache/fleet.lock/999999999-1');
    await clone.write(`.cache/fleet.lock/999999999-${Date.now()}`);
    expect(await clone.fleet('x')).toMatchObject({ code: 0, stdout: '["x"]\n' });
  });
});

describe('a later use', () => {
  beforeEach(async () => {
    await clone.fleet();
  });

  it('does nothing but run', async () => {
    expect(await clone.fleet('x')).toEqual({ code: 0, stdout: '["x"]\n', stderr: '' });
    expect(await clone.ran()).toEqual(['npm', 'tsc']);
  });

  it.each(['cli/src/deep/new.ts', 'protocol/src/a.ts', 'tsconfig.base.json'])(
    'builds again after a change of %s',
    async (path) => {
      await clone.write(path, '// new');
      await clone.fleet();
      expect(await clone.ran()).toEqual(['npm', 'tsc', 'tsc']);
    },
  );

  it('installs and builds again after a change of package-lock.json', async () => {
    await clone.write('package-lock.json', '{"packages":{"node_modules/b":{"version":"2"}}}');
    await clone.fleet();
    expect(await clone.ran()).toEqual(['npm', 'tsc', 'npm', 'tsc']);
  });

  it('accepts what somebody installed by hand', async () => {
    const lock = '{"packages":{"node_modules/b":{"version":"2"},"node_modules/c":{"optional":true}}}';
    await clone.write('package-lock.json', lock);
    await clone.write('node_modules/.package-lock.json', '{"packages":{"node_modules/b":{"version":"2"}}}');
    await clone.fleet();
    expect(await clone.ran()).toEqual(['npm', 'tsc', 'tsc']);
  });
});

describe('when it cannot be', () => {
  it.each([
    ['npm', /no network here\n[^]*fleet: «npm install [^]*Check the network/],
    ['tsc', /error\n[^]*fleet: «[^]*The compiler says why above/],
  ])('%s says why and what to do, and the next use tries again', async (tool, says) => {
    await clone.write(`broken-${tool}`);
    const { code, stdout, stderr } = await clone.fleet('x');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(says);
    await clone.remove(`broken-${tool}`);
    expect((await clone.fleet('x')).code).toBe(0);
  });
});
