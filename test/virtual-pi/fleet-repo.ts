import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { GitServer } from './git-server.ts';
import { must } from './process.ts';

/** Files of a commit: path in the repo to text, to a symlink, or to null, which removes. */
export type Files = Readonly<Record<string, string | { readonly link: string } | null>>;

/** A fleet's Git repo with a work tree to push from and a server that devices fetch from. */
export class FleetRepo {
  private readonly folder: string;
  private readonly server: GitServer;

  private constructor(folder: string, server: GitServer) {
    this.folder = folder;
    this.server = server;
  }

  /** Makes an empty repo, served on an address. */
  static async create(host: string): Promise<FleetRepo> {
    const folder = mkdtempSync(join(tmpdir(), 'metrica-repo-'));
    const repo = new FleetRepo(folder, new GitServer(folder, host));
    await repo.git('init', '-q', '--bare', '-b', 'main', join(folder, 'fleet.git'));
    // As GitHub and GitLab serve: partial clones, and any object by its id.
    await repo.git('-C', join(folder, 'fleet.git'), 'config', 'uploadpack.allowFilter', 'true');
    await repo.git('-C', join(folder, 'fleet.git'), 'config', 'uploadpack.allowAnySHA1InWant', 'true');
    await repo.git('clone', '-q', join(folder, 'fleet.git'), repo.tree);
    await repo.git('-C', repo.tree, 'checkout', '-q', '-B', 'main');
    await repo.server.start();
    return repo;
  }

  get url(): string {
    return this.server.url('fleet.git');
  }

  /** The work tree, for what `push` cannot say. */
  get tree(): string {
    return join(this.folder, 'tree');
  }

  /** Commits files and pushes; returns the commit id. */
  async push(message: string, files: Files): Promise<string> {
    for (const [path, content] of Object.entries(files)) this.put(join(this.tree, path), content);
    await this.git('-C', this.tree, 'add', '-A');
    await this.git('-C', this.tree, 'commit', '-q', '--allow-empty', '-m', message);
    await this.git('-C', this.tree, 'push', '-q', 'origin', 'main');
    return (await this.git('-C', this.tree, 'rev-parse', 'HEAD')).trim();
  }

  async stopServing(): Promise<void> {
    await this.server.stop();
  }

  async startServing(): Promise<void> {
    await this.server.start();
  }

  async close(): Promise<void> {
    await this.server.stop();
    rmSync(this.folder, { recursive: true });
  }

  private put(path: string, content: Files[string] | undefined): void {
    rmSync(path, { force: true, recursive: true });
    if (content === null || content === undefined) return;
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content !== 'string') return symlinkSync(content.link, path);
    writeFileSync(path, content);
    if (content.startsWith('#!')) chmodSync(path, 0o755);
  }

  private git(...args: string[]): Promise<string> {
    const identity = [
      '-c',
      'user.name=Fleet',
      '-c',
      'user.email=fleet@example.org',
      '-c',
      'commit.gpgsign=false',
    ];
    return must(['git', ...identity, ...args], { deadline: 120_000 });
  }
}
