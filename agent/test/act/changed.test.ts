import { describe, expect, it } from 'vitest';
import { changedServices } from '../../src/act/stack/changed.ts';
import type { Container } from '../../src/ports/engine.ts';

const EXPECTED = {
  web: { inputs: 'w', oneShot: false },
  clock: { inputs: 'c', oneShot: false },
  prepare: { inputs: 'p', oneShot: true },
};

function container(service: string, over: Partial<Container> = {}): Container {
  const lives = { state: 'running', health: null, exitCode: 0, restarts: 0 } as const;
  return { id: service, service, image: 'busybox', inputs: service.charAt(0), mounts: [], ...lives, ...over };
}

describe('an activation', () => {
  it('leaves alone what runs from the same inputs, and one-shots that have ended well', () => {
    const containers = [container('web'), container('clock'), container('prepare', { state: 'exited' })];
    expect(changedServices(EXPECTED, containers)).toEqual({ toStart: [], toReplace: [], removed: [] });
  });

  it('replaces what keeps restarting, though nothing of it changed: Compose would not touch it', () => {
    const containers = [
      container('web'),
      container('clock', { state: 'restarting', restarts: 12, exitCode: 3 }),
      container('prepare', { state: 'exited' }),
    ];
    expect(changedServices(EXPECTED, containers)).toEqual({
      toStart: ['clock'],
      toReplace: ['clock'],
      removed: [],
    });
  });

  it('starts what is missing or stopped, and removes what is not expected any more', () => {
    const containers = [container('web', { state: 'exited', exitCode: 1 }), container('former')];
    expect(changedServices(EXPECTED, containers)).toEqual({
      toStart: ['clock', 'prepare', 'web'],
      toReplace: [],
      removed: ['former'],
    });
  });
});
