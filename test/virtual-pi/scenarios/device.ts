import type { Status } from '@metrica-fleet/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VirtualPi } from '../pi.ts';

/** How long a story waits for what it expects before it fails with everything that the device can tell. Milliseconds. */
const PATIENCE = 120_000;

/** A virtual Pi with the agent on it, in the words of the stories. */
export class Device {
  readonly pi: VirtualPi;

  constructor(pi: VirtualPi) {
    this.pi = pi;
  }

  /** Writes `config.yaml` so that the device follows a Git repo. `extra` is YAML appended at the top level. */
  async follows(url: string, role: string, extra = ''): Promise<void> {
    const config = `device: pi\nrole: ${role}\n${extra}sources:\n  - git: {url: '${url}', branch: main}\n`;
    await this.pi.write('/etc/role-agent/config.yaml', config);
  }

  /** Asks for a run at once, as a signal does. */
  async wake(): Promise<void> {
    await this.pi.ok('touch /run/role-agent/wake');
  }

  async status(): Promise<Status | null> {
    const { stdout } = await this.pi.sh('role-agent status --json');
    try {
      return JSON.parse(stdout) as Status | null;
    } catch {
      return null;
    }
  }

  /** Waits until the device has settled on a commit, and says so of its own accord. */
  async settlesOn(commit: string): Promise<Status> {
    return this.shows(`running ${commit.slice(0, 12)}`, (status) => {
      return status.state === 'idle' && status.running?.commit === commit && status.health === 'healthy';
    });
  }

  /** Waits until the device runs all that is wanted of it. */
  async isUpToDate(): Promise<Status> {
    return this.shows(
      'nothing pending',
      ({ state, health, pending }) => state === 'idle' && health === 'healthy' && pending === null,
    );
  }

  /** Waits until the device has refused a commit: it is idle, has looked at that commit, and runs something else. */
  async refuses(commit: string): Promise<Status> {
    return this.shows(`refusing ${commit.slice(0, 12)}`, (status) => {
      const looked = status.wanted?.commit === commit && status.running?.commit !== commit;
      return looked && status.state === 'idle' && status.problems.length > 0;
    });
  }

  /** Waits for a status; when it does not come, the error carries the status, the history and the log. */
  async shows(what: string, isSo: (status: Status) => boolean): Promise<Status> {
    const end = Date.now() + PATIENCE;
    let last: Status | null = null;
    while (Date.now() < end) {
      last = await this.status();
      if (last !== null && isSo(last)) return last;
      await sleep(500);
    }
    throw new Error(`The device never showed: ${what}\n${await this.tells()}`);
  }

  /** Container ids by service, of what runs. */
  async running(): Promise<Record<string, string>> {
    const format = '{{.Label "com.docker.compose.service"}} {{.ID}}';
    const out = await this.pi.ok(`docker ps --no-trunc --format '${format}'`);
    return Object.fromEntries(
      out
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(' ') as [string, string]),
    );
  }

  /** Fetches a page from inside the device; the body, or an empty text where nothing answers. */
  async page(path: string): Promise<string> {
    const { stdout } = await this.pi.sh(`curl -s --max-time 5 http://127.0.0.1:8080${path}`);
    return stdout.trim();
  }

  async history(): Promise<{ event: string; commit?: string; problem?: { code: string; what: string } }[]> {
    const out = await this.pi.ok('role-agent history --json --limit 500');
    return out
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { event: string });
  }

  /** How often the agent has begun to bring a commit in. */
  async attempts(commit: string): Promise<number> {
    return (await this.history()).filter(
      (entry) => entry.event === 'update-started' && entry.commit === commit,
    ).length;
  }

  /** Lets the device look again now, and waits until that run has ended. */
  async looksAgain(): Promise<void> {
    const before = await this.lastEnd();
    await this.wake();
    const end = Date.now() + PATIENCE;
    while (Date.now() < end) {
      const now = await this.lastEnd();
      if (now !== '' && now !== before) return;
      await sleep(300);
    }
    throw new Error(`The device did not run\n${await this.tells()}`);
  }

  /** Tells one end of a run from another: a run removes `next-due` when it begins and writes it when it ends. */
  private async lastEnd(): Promise<string> {
    return (await this.pi.sh('stat -c %i%z /run/role-agent/next-due')).stdout;
  }

  private async tells(): Promise<string> {
    const parts = [
      'role-agent status',
      'role-agent history | tail -20',
      'journalctl -u role-agent -u role-agent-pull -n 60 --no-pager -o cat',
      'docker ps -a',
      'systemctl --no-pager --failed; systemctl --no-pager status role-agent.timer role-agent.path | head -30',
    ];
    const told = await Promise.all(
      parts.map(async (part) => `$ ${part}\n${(await this.pi.sh(part)).stdout}`),
    );
    return told.join('\n');
  }
}
