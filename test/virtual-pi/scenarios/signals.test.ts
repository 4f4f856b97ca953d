import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetRepo } from '../fleet-repo.ts';
import { ControlPlane } from './control-plane.ts';
import type { Device } from './device.ts';
import { templateRole } from './roles.ts';
import { newPi, newRepo } from './stage.ts';

/** The processes of the wake unit, with user, memory that is theirs (PSS in kB) and arguments. */
const PROCESSES = `for pid in $(pgrep -u role-agent-wake); do
  echo "$(ps -o user:20= -p $pid) $(awk '/^Pss:/ {print $2}' /proc/$pid/smaps_rollup) $(tr '\\0' ' ' </proc/$pid/cmdline)"
done`;

/** What all that is resident between two runs may take. kB. */
const RESIDENT = 8 * 1024;

/** By itself it would come round once an hour: what it does sooner, a signal has made it do. */
const ROLE = {
  ...templateRole(),
  'roles/hello/role.yaml': (templateRole()['roles/hello/role.yaml'] ?? '').replace(
    'update_interval: 5m',
    'update_interval: 1h\nheartbeat: 10s',
  ),
};
const page = (title: string): Record<string, string> => ({
  'roles/hello/site/index.html': `<title>${title}</title>`,
});

describe('a Pi that listens for signals', () => {
  let device: Device;
  let repo: FleetRepo;
  let overlord: ControlPlane;
  beforeAll(async () => {
    repo = await newRepo();
    const first = await repo.push('The first release', {
      ...ROLE,
      'fleet.yaml': 'rollout:\n  stages:\n    - {segment: canary, soak: 1s}\n    - {segment: general}\n',
    });
    [device, overlord] = await Promise.all([newPi('trixie', 'listens'), ControlPlane.start(repo.url)]);
    await overlord.enrols(device, 'hello');
    await device.settlesOn(first);
  });
  afterAll(async () => {
    await overlord.stop();
    await device.pi.destroy();
    await repo.close();
  });

  /** Waits on the Pi, a minute at most, until a condition of its shell holds. */
  const until = (condition: string): Promise<string> =>
    device.pi.ok(`for i in $(seq 300); do ${condition} && exit 0; sleep 0.2; done; exit 1`);
  const listens = (): Promise<string> => until('grep -q " 21$" /run/role-agent-wake/beat 2>/dev/null');

  it('holds its stream as a user without rights, in little memory, with its token in no argument', async () => {
    await listens();
    const token = (await device.pi.ok('cat /run/role-agent/token')).trim();
    const processes = (await device.pi.ok(PROCESSES)).trim().split('\n');
    const pss = processes.map((line) => Number(line.split(/\s+/)[1]));
    expect(processes.length).toBeGreaterThanOrEqual(2);
    expect(processes.filter((line) => !line.startsWith('role-agent-wake '))).toEqual([]);
    expect(processes.filter((line) => line.includes(token))).toEqual([]);
    expect(pss.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(RESIDENT);
    const writes =
      'touch /run/role-agent/wake /run/role-agent/signals/line /etc/role-agent/x 2>&1; cat /run/role-agent/signals';
    const { stdout } = await device.pi.sh(`runuser -u role-agent-wake -- sh -c '${writes}'`);
    expect(stdout).not.toContain(token);
    expect((await device.pi.sh('test -e /run/role-agent/wake -o -e /etc/role-agent/x')).code).not.toBe(0);
  });

  it('is online by that between its check-ins', async () => {
    const { items } = await overlord.ask<{ items: { id: string }[] }>('devices');
    const shown = (): Promise<unknown> => overlord.ask(`devices/${items[0]?.id}`);
    await expect
      .poll(shown, { timeout: 30_000 })
      .toMatchObject({ online: true, connected: true, state: 'healthy' });
  });

  it('takes a release as soon as its stage opens, long before its interval is over', async () => {
    const second = await repo.push('A new page', page('Second'));
    await device.settlesOn(second);
    expect(await overlord.rolloutIs('done')).toMatchObject({ commit: second });
    await until('[ -e /run/role-agent/next-due ]');
    const [due, uptime] = await device.pi.ok('cat /run/role-agent/next-due /proc/uptime').then((text) => {
      return text.split(/\s+/).map(Number);
    });
    expect((due ?? 0) - (uptime ?? 0)).toBeGreaterThan(3_000);
  });

  it('stays quiet in a run that nobody asked for', async () => {
    const answered = (): Promise<string> => device.pi.ok('cat /run/role-agent/contact.json');
    const before = await answered();
    await device.pi.ok('echo 0 > /run/role-agent/next-due; systemctl start role-agent.service');
    await until('[ "$(cat /run/role-agent/next-due)" -gt 0 ]');
    expect(await answered()).toBe(before);
  });

  it('loses no signal that comes while a run goes on', async () => {
    const slow = (ROLE['roles/hello/role.yaml'] ?? '').replace('stable_for: 2s', 'stable_for: 12s');
    await device.pi.ok('cp /run/role-agent-wake/last-event-id /run/last-seen');
    const third = await repo.push('A release that takes its time', { 'roles/hello/role.yaml': slow });
    await device.shows('the run that takes its time', ({ state }) => state === 'probation');
    await device.pi.ok('cp /run/role-agent-wake/last-event-id /run/last-seen');
    const fourth = await repo.push('A newer one meanwhile', { ...page('Fourth'), ...ROLE });
    await until('! cmp -s /run/last-seen /run/role-agent-wake/last-event-id');
    expect(await device.pi.ok('systemctl is-active role-agent.service')).toBe('active\n');
    await device.settlesOn(fourth);
    const updated = (await device.history()).filter(({ event }) => event === 'updated');
    expect(updated.slice(-2).map(({ commit }) => commit)).toEqual([third, fourth]);
  });

  it('gives up a line that is dead without saying so, and is woken again once there is one', async () => {
    await listens();
    const port = new URL(
      (await device.pi.ok('sed -n 1p /run/role-agent/signals/line')).trim().replace(/^/, 'https://'),
    ).port;
    const drop = (flag: string): string =>
      `iptables -${flag} INPUT -p tcp --sport ${port} -j DROP && iptables -${flag} OUTPUT -p tcp --dport ${port} -j DROP`;
    await device.pi.ok(drop('I'));
    await until('[ ! -e /run/role-agent-wake/beat ]');
    expect(await device.pi.ok('cat /run/role-agent-wake/ended')).toBe('the stream ended\n');
    // As at the first start of a boot: without the random pause, of half a minute at most.
    await device.pi.ok(`rm /run/role-agent-wake/tries; ${drop('D')}`);
    await listens();
    const fifth = await repo.push('A page after the silence', page('Fifth'));
    await device.settlesOn(fifth);
  });
});
