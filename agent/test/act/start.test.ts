import { FleetError, type Problem } from '@metrica-fleet/protocol';
import { describe, expect, it } from 'vitest';
import type { Context } from '../../src/act/context.ts';
import { startServices } from '../../src/act/stack/start.ts';
import type { Container, Engine } from '../../src/ports/engine.ts';
import { realLog } from '../../src/ports/real/log.ts';

const GONE: Problem = { code: 'start-failed', what: 'network 34fb94 not found' };
const STUCK: Problem = { code: 'docker-stuck', what: 'port 8080' };
const AWAY: Problem = { code: 'docker-unreachable', what: 'no answer' };
const CHANGE = {
  label: 'test.up',
  model: { name: 'hello', services: {} },
  services: ['clock', 'web'],
} as const;

function container(service: string, state: Container['state']): Container {
  const rest = { health: null, exitCode: 0, restarts: 0, inputs: 'x', mounts: [] } as const;
  return { id: service, service, image: 'busybox', state, ...rest };
}

/** An engine that refuses to start what it has until that has been removed, or until it is restarted. Tells what it was asked. */
function refusing(problem: Problem, containers: readonly Container[]): { asked: string[]; context: Context } {
  const asked: string[] = [];
  let refuses = true;
  const engine: Partial<Engine> = {
    containers: () => Promise.resolve(containers),
    up: ({ services }) => {
      asked.push(`up ${services.join(' ')}`);
      return refuses ? Promise.reject(new FleetError(problem)) : Promise.resolve();
    },
    restartEngine: () => {
      asked.push('restart the engine');
      refuses = false;
      return Promise.resolve();
    },
    removeServices: (_label, _project, services) => {
      asked.push(`remove ${services.join(' ')}`);
      refuses = false;
      return Promise.resolve();
    },
  };
  return { asked, context: { ports: { engine, log: realLog('test', false) } } as unknown as Context };
}

describe('starting services', () => {
  it('makes those anew whose containers refuse to start, as after their network was removed', async () => {
    const { asked, context } = refusing(GONE, [container('clock', 'running'), container('web', 'exited')]);
    await startServices(context, CHANGE);
    expect(asked).toEqual(['up clock web', 'remove web', 'up clock web']);
  });

  it('says why it failed where no container stands in the way', async () => {
    const { asked, context } = refusing(GONE, [container('other', 'exited')]);
    await expect(startServices(context, CHANGE)).rejects.toMatchObject({ problem: GONE });
    expect(asked).toEqual(['up clock web']);
  });

  it('restarts an engine that is stuck, and removes nothing', async () => {
    const { asked, context } = refusing(STUCK, [container('web', 'exited')]);
    await startServices(context, CHANGE);
    expect(asked).toEqual(['up clock web', 'restart the engine', 'up clock web']);
  });

  it('removes nothing while the engine is away', async () => {
    const { asked, context } = refusing(AWAY, [container('web', 'exited')]);
    await expect(startServices(context, CHANGE)).rejects.toMatchObject({ problem: AWAY });
    expect(asked).toEqual(['up clock web']);
  });
});
