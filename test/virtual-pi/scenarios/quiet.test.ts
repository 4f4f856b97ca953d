import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetRepo } from '../fleet-repo.ts';
import type { Device } from './device.ts';
import { templateRole } from './roles.ts';
import { newPi, newRepo } from './stage.ts';

/** Every file outside tmpfs that the agent, its units or Docker's commands could have written, with its times. */
const FINGERPRINT = `find /etc /opt /usr /root /var/lib/role-agent -xdev -path '*/state' -prune -o -printf '%p %i %T@ %C@\\n' | sort`;

describe('a Pi that has nothing to do', () => {
  let device: Device;
  let repo: FleetRepo;
  beforeAll(async () => {
    [device, repo] = await Promise.all([newPi('trixie', 'quiet'), newRepo()]);
    await device.follows(repo.url, 'hello');
    const first = await repo.push('First', templateRole());
    await device.wake();
    await device.settlesOn(first);
    await device.looksAgain();
  });
  afterAll(async () => {
    await device.pi.destroy();
    await repo.close();
  });

  it('writes no file by a run that finds nothing new (A12)', async () => {
    const before = await device.pi.ok(FINGERPRINT);
    await device.looksAgain();
    await device.looksAgain();
    expect(await device.pi.ok(FINGERPRINT)).toBe(before);
  });

  it('does not even start Node while no run is due, and leaves no line in the journal', async () => {
    const cursor =
      (await device.pi.ok('journalctl --sync; journalctl -n 0 --show-cursor')).match(/cursor: (.*)/)?.[1] ??
      '';
    const before = await device.pi.ok('stat -c %z /run/role-agent/status.json');
    for (let minute = 0; minute < 3; minute += 1) await device.pi.sh('systemctl start role-agent.service');
    expect(await device.pi.ok('stat -c %z /run/role-agent/status.json')).toBe(before);
    const lines = await device.pi.ok(
      `journalctl --sync; journalctl --after-cursor='${cursor}' -u 'role-agent*' -o cat`,
    );
    expect(lines.replace('-- No entries --', '').trim()).toBe('');
  });

  it('keeps no process between runs', async () => {
    expect(
      await device.pi.ok('systemctl show -p MainPID --value role-agent.service role-agent-pull.service'),
    ).toBe('0\n\n0\n');
    expect((await device.pi.sh("pgrep -f '[r]ole-agent.cjs'")).code).toBe(1);
  });
});
