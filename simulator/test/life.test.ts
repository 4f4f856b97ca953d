import { describe, expect, it } from 'vitest';
import { fateOf, isAnswering, lookAt } from '../src/engine/life.ts';

const BIRTH = { awaited: false, ready: 3 };
const CHECK = { test: ['CMD', 'wget', 'http://127.0.0.1/'], interval: '5s', retries: 3, start_period: '5s' };
const IMAGE = 'web:1';

/** How a service looks that many seconds after its start. */
const looks = (service: object, age: number) => {
  const restart = 'restart' in service ? String(service.restart) : 'unless-stopped';
  return lookAt(fateOf({ image: IMAGE, ...service }, BIRTH), age, restart);
};

describe('a service', () => {
  it('runs, and has no health without a check', () => {
    expect(looks({}, 0)).toMatchObject({ state: 'running', health: null, restarts: 0 });
  });

  it('becomes healthy when it is ready', () => {
    expect(looks({ healthcheck: CHECK }, 2)).toMatchObject({ health: 'starting' });
    expect(looks({ healthcheck: CHECK }, 3)).toMatchObject({ state: 'running', health: 'healthy' });
  });

  it.each([
    ['a check that cannot pass', { healthcheck: { ...CHECK, test: ['CMD', 'false'] } }],
    ['a check in words that cannot pass', { healthcheck: { ...CHECK, test: ['CMD-SHELL', 'exit 1'] } }],
    ['the label for it', { healthcheck: CHECK, labels: { 'io.metrica-fleet.simulate': 'unhealthy' } }],
  ])('with %s becomes unhealthy after its retries, and answers nobody', (_what, service) => {
    expect(looks(service, 19)).toMatchObject({ state: 'running', health: 'starting' });
    expect(looks(service, 20)).toMatchObject({ state: 'running', health: 'unhealthy' });
    expect(isAnswering(fateOf(service, BIRTH), 20)).toBe(false);
  });

  it.each([
    ['a broken image', { image: 'registry:5000/web:1-broken' }, 1],
    ['the label for it', { labels: { 'io.metrica-fleet.simulate': 'crash' } }, 1],
    ['a command that ends', { command: ['sh', '-c', 'sleep 2; exit 7'] }, 7],
    ['an entrypoint that ends', { entrypoint: ['false'] }, 1],
  ])('with %s crashes, and is restarted again and again', (_what, service, exitCode) => {
    expect(looks(service, 0)).toMatchObject({ state: 'running', restarts: 0 });
    expect(looks(service, 3)).toMatchObject({ state: 'restarting', restarts: 1, exitCode });
    expect(looks(service, 60).restarts).toBeGreaterThan(5);
    expect(looks({ ...service, restart: 'no' }, 3)).toMatchObject({ state: 'exited', restarts: 0, exitCode });
  });

  it('that others wait for does its work and ends well', () => {
    const fate = fateOf({ image: IMAGE }, { ...BIRTH, awaited: true });
    expect(lookAt(fate, 60, 'no')).toMatchObject({ state: 'exited', exitCode: 0 });
  });

  it('is no worse for a registry with «broken» in its name', () => {
    expect(looks({ image: 'broken.example.org:5000/web:1' }, 60)).toMatchObject({ state: 'running' });
  });
});
