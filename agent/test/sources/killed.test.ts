import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gitSource } from '../../src/sources/git/git.ts';
import { bench, gitRemote, type Bench } from './bench.ts';
import { FleetRepo, writeRole } from './fleet-repo.ts';
import { serveGit, type GitServer } from './git-server.ts';

let on: Bench;
let repo: FleetRepo;
let server: GitServer;
const NOISE = randomBytes(400_000);

beforeEach(async () => {
  on = bench();
  repo = writeRole(new FleetRepo(join(on.root, 'fleet')), 'web').write('roles/web/noise', NOISE);
  server = await serveGit(on.root);
});
afterEach(async () => {
  await server.close();
  on.clear();
});

/** The agent's side of a fetch as a program of its own, so that it can be killed like one. */
async function program(): Promise<string> {
  const outfile = join(on.root, 'fetch.mjs');
  const contents = `
    import { realDisk } from './agent/src/ports/real/disk.ts';
    import { realExec } from './agent/src/ports/real/exec.ts';
    import { pathsUnder } from './agent/src/paths.ts';
    import { gitSource } from './agent/src/sources/git/git.ts';
    const [url, root, folder] = process.argv.slice(2);
    const exec = realExec();
    const remote = { kind: 'git', url, ref: 'refs/heads/main', credentials: null, sshKey: null, knownHosts: null };
    const config = { device: 'kiosk-1', role: 'web', site: null, allowedSigners: null, vars: {}, sources: [] };
    const source = gitSource(remote, config, { ports: { exec, disk: realDisk(exec) }, paths: pathsUnder(root) });
    await source.fetch(await source.desired(null), folder);
  `;
  await build({
    stdin: { contents, resolveDir: join(import.meta.dirname, '../../..'), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['source'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    outfile,
    logLevel: 'error',
  });
  return outfile;
}

/** A process and all below it, children last. */
function familyOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
    return [pid, ...children.flatMap(familyOf)];
  } catch {
    return [];
  }
}

/** As systemd ends a unit, or the kernel in want of memory: everything at once, with no last word. */
function killAll(pid: number): void {
  for (const one of familyOf(pid)) {
    try {
      process.kill(one, 'SIGKILL');
    } catch {
      // Ended by itself in the meantime.
    }
  }
}

describe('a fetch that is killed in the middle', () => {
  it.each([true, false])(
    'is done by the next run (server with partial clone: %s)',
    async (filter) => {
      repo.git('config', 'uploadpack.allowFilter', String(filter));
      repo.commit();
      server.stallAfter = 60_000;
      const url = `${server.url}/fleet/.git`;
      const device = join(on.root, 'device');
      const child = spawn(process.execPath, [await program(), url, device, on.folder()], {
        stdio: 'inherit',
      });
      const ended = new Promise((resolve) => {
        child.on('close', resolve);
      });
      const packs = join(on.context.paths.git, 'objects/pack');
      const halfWay = (): boolean =>
        existsSync(packs) && readdirSync(packs).some((name) => name.startsWith('tmp_pack'));
      while (!halfWay() && child.exitCode === null) await delay(20);
      await delay(200);
      killAll(child.pid ?? 0);
      await ended;
      expect(halfWay()).toBe(true);

      server.stallAfter = null;
      const source = gitSource(gitRemote(url), on.config(), on.context);
      const folder = on.folder();
      await source.fetch(await source.desired(null), folder);
      expect(readFileSync(join(folder, 'noise'))).toEqual(NOISE);
      expect(halfWay()).toBe(false);
    },
    30_000,
  );
});
