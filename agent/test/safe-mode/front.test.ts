import { describe, expect, it } from 'vitest';
import { FrontWatch, type Front } from '../../src/safe-mode/front.ts';

/** A device on which nginx comes and goes as a story has it. */
class Device {
  uptime = 1_000;
  nginx: 'absent' | 'coming' | 'gone' | number = 'absent';
  taken: number[] = [];
  readonly listening: number[] = [];
  private readonly watch = new FrontWatch({
    answers: (port) => Promise.resolve(this.nginx === port),
    nginxIsThere: () => Promise.resolve(this.nginx === 'coming' || typeof this.nginx === 'number'),
    listen: (port) => {
      if (this.taken.includes(port)) return Promise.resolve(false);
      this.listening.push(port);
      return Promise.resolve(true);
    },
    uptime: () => this.uptime,
  });

  look(): Promise<Front> {
    return this.watch.look();
  }
}

describe('who serves the page', () => {
  it('is the page’s server at once where there is no nginx', async () => {
    expect(await new Device().look()).toEqual({ port: 80, own: true });
  });

  it('takes 8800 where 80 is taken, and says so when both are', async () => {
    const device = new Device();
    device.taken = [80, 8800];
    expect(await device.look()).toBeNull();
    device.taken = [80];
    expect(await device.look()).toEqual({ port: 8800, own: true });
  });

  it('waits for nginx that is on its way, and leaves the page to it', async () => {
    const device = new Device();
    device.nginx = 'coming';
    expect(await device.look()).toBeNull();
    device.nginx = 8800;
    expect(await device.look()).toEqual({ port: 8800, own: false });
    expect(device.listening).toEqual([]);
  });

  it('waits for nginx no longer than a minute, as when the engine hangs', async () => {
    const device = new Device();
    device.nginx = 'coming';
    expect(await device.look()).toBeNull();
    device.uptime += 61;
    expect(await device.look()).toEqual({ port: 80, own: true });
  });

  it('takes the place of nginx that is gone, not of one that misses an answer', async () => {
    const device = new Device();
    device.nginx = 80;
    await device.look();
    device.nginx = 'gone';
    expect(await device.look()).toEqual({ port: 80, own: false });
    device.nginx = 80;
    await device.look();
    device.nginx = 'gone';
    await device.look();
    expect(await device.look()).toEqual({ port: 80, own: true });
  });

  it('opens one port once', async () => {
    const device = new Device();
    for (let looks = 0; looks < 3; looks += 1) await device.look();
    expect(device.listening).toEqual([80]);
  });
});
