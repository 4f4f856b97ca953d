import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetRepo } from '../fleet-repo.ts';
import { NETWORK } from '../places.ts';
import type { Suite } from '../root-fs.ts';
import type { Device } from './device.ts';
import { templateRole } from './roles.ts';
import { newPi, newRepo } from './stage.ts';

interface Finding {
  readonly check: string;
  readonly severity: string;
  readonly seen: string;
  readonly command?: string;
}

/** What depends on the machine that the virtual Pi shares: its clock, its memory, its disk. */
const OF_THE_MACHINE = new Set(['time-sync', 'memory', 'disk-space', 'inodes', 'card-errors', 'clock-drift']);
/** Seconds that the doctor may take. */
const PATIENCE = 20;

describe.each<Suite>(['trixie', 'bookworm'])('the doctor on %s', (suite) => {
  let device: Device;
  let repo: FleetRepo;
  beforeAll(async () => {
    [device, repo] = await Promise.all([newPi(suite, `doctor-${suite}`), newRepo()]);
    const commit = await repo.push('First', templateRole());
    // A source with a name, which the engine's own name server knows.
    const served = `git://${device.pi.container}.${NETWORK.name}/fleet.git`;
    await device.pi.ok(`git clone -q --bare ${repo.url} /srv/fleet.git
      git daemon --base-path=/srv --export-all --detach`);
    await device.follows(served, 'hello');
    await device.wake();
    await device.settlesOn(commit);
  });
  afterAll(async () => {
    await device.pi.destroy();
    await repo.close();
  });

  async function examine(): Promise<{ findings: Finding[]; code: number }> {
    const { stdout, code } = await device.pi.sh(`timeout ${PATIENCE} role-agent doctor --json`);
    const { findings }: { findings: Finding[] } = JSON.parse(stdout);
    return { findings, code };
  }

  /** The finding of a check that the doctor makes now. */
  async function finds(check: string): Promise<Finding & { readonly code: number }> {
    const { findings, code } = await examine();
    const found = findings.find((finding) => finding.check === check);
    if (found === undefined) throw new Error(`No ${check} in ${JSON.stringify(findings)}`);
    return { ...found, code };
  }

  /** Types the command of a finding, and expects that it was all that was wrong. */
  async function mend({ check, command }: Finding): Promise<void> {
    await device.pi.ok(command ?? '', { deadline: 60_000 });
    expect(await finds(check)).toMatchObject({ severity: 'ok' });
  }

  it('finds Docker’s log files without a limit, and nothing else that is not the machine’s', async () => {
    const { findings, code } = await examine();
    const serious = findings.filter(({ severity, check }) => severity !== 'ok' && !OF_THE_MACHINE.has(check));
    expect(serious).toMatchObject([{ check: 'docker-logs', severity: 'warning' }]);
    expect(code).toBe(findings.some(({ severity }) => severity === 'problem') ? 1 : 0);
    for (const finding of serious) await mend(finding);
  });

  it('finds an engine that is stopped, and mends it as printed', async () => {
    await device.pi.ok('systemctl stop docker.socket docker.service');
    const found = await finds('docker');
    expect(found).toMatchObject({ severity: 'problem', code: 1 });
    await mend(found);
  });

  it('finds a volatile journal by its line', async () => {
    await device.pi.write('/etc/systemd/journald.conf.d/99-own.conf', '[Journal]\nStorage=volatile\n');
    const found = await finds('journald');
    expect(found).toMatchObject({ severity: 'warning' });
    expect(found.seen).toContain('/etc/systemd/journald.conf.d/99-own.conf:2');
    await mend(found);
  });

  it('finds a name server that does not answer, as a user who is nobody, too', async () => {
    await device.pi.ok('cp /etc/resolv.conf /tmp/right; echo nameserver 192.0.2.1 > /etc/resolv.conf');
    const found = await finds('dns');
    expect(found).toMatchObject({ severity: 'problem', code: 1 });
    expect(found.seen).toContain('192.0.2.1');
    const { stdout } = await device.pi.sh(`su nobody -s /bin/sh -c 'timeout ${PATIENCE} role-agent doctor'`);
    expect(stdout).toMatch(/^Problems\n/);
    expect(stdout).toContain('  dns: No name of a source resolves');
    expect(stdout).toContain('sudo role-agent doctor');
    await device.pi.ok('cat /tmp/right > /etc/resolv.conf');
    expect(await finds('dns')).toMatchObject({ severity: 'ok' });
  });

  it('finds a timer that somebody has masked', async () => {
    await device.pi.ok('systemctl disable --now role-agent.timer; systemctl mask role-agent.timer');
    const found = await finds('units');
    expect(found).toMatchObject({ severity: 'problem', code: 1 });
    await mend(found);
  });
});
