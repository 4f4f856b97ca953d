import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config, DirectoryConfig, GitConfig } from '../../src/config.ts';
import { pathsUnder } from '../../src/paths.ts';
import { realClock } from '../../src/ports/real/clock.ts';
import { realDisk } from '../../src/ports/real/disk.ts';
import { realExec } from '../../src/ports/real/exec.ts';
import { realHttp } from '../../src/ports/real/http.ts';
import { realLog } from '../../src/ports/real/log.ts';
import { tlsSessionsIn } from '../../src/ports/real/tls-sessions.ts';
import type { SourceContext } from '../../src/sources/sources.ts';

/** A device's folders in a temporary place, with the real disk and real processes. */
export interface Bench {
  readonly root: string;
  readonly context: SourceContext;
  /** The same device in another process. */
  another(): SourceContext;
  config(over?: Partial<Config>): Config;
  /** An empty folder for a fetch. */
  folder(): string;
  clear(): void;
}

export function bench(): Bench {
  const root = mkdtempSync(join(tmpdir(), 'metrica-sources-'));
  const exec = realExec();
  const disk = realDisk(exec);
  const paths = pathsUnder(join(root, 'device'));
  let folders = 0;
  const context = (): SourceContext => ({
    ports: {
      clock: realClock(),
      exec,
      disk,
      http: realHttp(tlsSessionsIn(disk, paths.run.tlsSession)),
      log: realLog('test', false),
    },
    paths,
  });
  return {
    root,
    context: context(),
    another: context,
    config: (over = {}) => ({
      device: 'kiosk-1',
      role: 'web',
      site: null,
      allowedSigners: null,
      vars: {},
      sources: [],
      ...over,
    }),
    folder() {
      folders += 1;
      const folder = join(root, `incoming-${folders}`);
      mkdirSync(folder);
      return folder;
    },
    clear: () => rmSync(root, { recursive: true, force: true }),
  };
}

export function gitRemote(url: string, over: Partial<GitConfig> = {}): GitConfig {
  return {
    kind: 'git',
    url,
    ref: 'refs/heads/main',
    credentials: null,
    sshKey: null,
    knownHosts: null,
    ...over,
  };
}

export function stick(path: string): DirectoryConfig {
  return { kind: 'directory', path };
}
