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

describe('a Pi that listens for signals', () => {
  let device: Device;
  let repo: FleetRepo;
  let overlord: ControlPlane;
  beforeAll(async () => {
    repo = await newRepo();
    const first = await repo.push('The first release', {
      ...templateRole(),
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

  it('holds its stream as a user without rights, in little memory, with its token in no argument', async () => {
    await device.pi.ok(
      'for i in $(seq 60); do [ -e /run/role-agent-wake/beat ] && exit 0; sleep 1; done; exit 1',
    );
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

  it('takes a release as soon as its stage opens, and nobody wakes it', async () => {
    const second = await repo.push('A new page', { 'roles/hello/site/index.html': '<title>Second</title>' });
    await device.settlesOn(second);
    expect(await overlord.rolloutIs('done')).toMatchObject({ commit: second });
  });

  it('stays quiet in a run that nobody asked for', async () => {
    const answered = (): Promise<string> => device.pi.ok('cat /run/role-agent/contact.json');
    const before = await answered();
    await device.pi.ok('echo 0 > /run/role-agent/next-due; systemctl start role-agent.service');
    await device.pi.ok(
      'for i in $(seq 30); do [ "$(cat /run/role-agent/next-due)" -gt 0 ] && exit 0; sleep 1; done; exit 1',
    );
    expect(await answered()).toBe(before);
  });
});
