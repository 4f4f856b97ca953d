import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const TEMPLATE = join(import.meta.dirname, '../../../templates/role');

/**
 * A fleet's Git repo with the template role `hello`, and stages that do not soak for long. A device whose line swallowed
 * what it had to say asks again after a minute.
 */
export class FleetRepo {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<FleetRepo> {
    const repo = new FleetRepo(await mkdtemp(join(tmpdir(), 'simulated-repo-')));
    await repo.git('init', '--quiet', '--initial-branch=main');
    await cp(TEMPLATE, join(repo.path, 'roles/hello'), { recursive: true });
    const stages = ['canary, soak: 1s', 'early, soak: 1s', 'general'].map(
      (stage) => `    - {segment: ${stage}}\n`,
    );
    await repo.write('role.yaml', (text) => text.replace('update_interval: 5m', 'update_interval: 1m'));
    await writeFile(join(repo.path, 'fleet.yaml'), `rollout:\n  stages:\n${stages.join('')}`);
    return repo;
  }

  /** Commits one change of a file of the role; returns the commit. */
  async push(file: string, change: (text: string) => string): Promise<string> {
    await this.write(file, change);
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '-m', `Change ${file}`);
    return await this.git('rev-parse', 'HEAD');
  }

  private async write(file: string, change: (text: string) => string): Promise<void> {
    const path = join(this.path, 'roles/hello', file);
    await writeFile(path, change(await readFile(path, 'utf8')));
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  private async git(...args: readonly string[]): Promise<string> {
    const identity = [
      '-c',
      'user.name=Ada',
      '-c',
      'user.email=ada@example.org',
      '-c',
      'commit.gpgsign=false',
    ];
    const { stdout } = await promisify(execFile)('git', ['-C', this.path, ...identity, ...args]);
    return stdout.trim();
  }
}
