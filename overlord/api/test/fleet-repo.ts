import { execa } from 'execa';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const TEMPLATE = join(import.meta.dirname, '../../../templates/role');

/** A fleet's Git repo on this disk, as a person keeps one. */
export interface FleetRepo {
  readonly url: string;
  /** Writes files and commits them; a path with null is removed. Returns the commit. */
  push(files: Readonly<Record<string, string | null>>, message: string): Promise<string>;
  remove(): Promise<void>;
}

/** A repo with the role `hello` of templates/role, not yet committed unless `commit` says so. */
export async function fleetRepo(): Promise<FleetRepo> {
  const url = await mkdtemp(join(tmpdir(), 'fleet-repo-'));
  const git = async (...args: readonly string[]): Promise<string> => {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
    return (await execa('git', ['-C', url, ...identity, ...args])).stdout;
  };
  await git('init', '--quiet', '--initial-branch=main');
  await cp(TEMPLATE, join(url, 'roles/hello'), { recursive: true });
  return {
    url,
    async push(files, message) {
      for (const [path, text] of Object.entries(files)) {
        if (text === null) await rm(join(url, path), { recursive: true });
        else {
          await mkdir(dirname(join(url, path)), { recursive: true });
          await writeFile(join(url, path), text);
        }
      }
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '-m', message);
      return git('rev-parse', 'HEAD');
    },
    remove: () => rm(url, { recursive: true, force: true }),
  };
}
