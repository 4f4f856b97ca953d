import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A fleet repo on the disk, made with the real git. */
export class FleetRepo {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    mkdirSync(path, { recursive: true });
    this.git('init', '--quiet', '--initial-branch=main');
    this.git('config', 'user.name', 'Test');
    this.git('config', 'user.email', 'test@example.org');
    // As the hosted services do; a test switches it off to be a plain server.
    this.git('config', 'uploadpack.allowFilter', 'true');
  }

  git(...args: string[]): string {
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    return execFileSync('git', args, {
      cwd: this.path,
      env,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    }).trim();
  }

  write(path: string, content: string | Uint8Array, mode = 0o644): this {
    const full = join(this.path, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
    chmodSync(full, mode);
    return this;
  }

  link(path: string, target: string): this {
    mkdirSync(dirname(join(this.path, path)), { recursive: true });
    symlinkSync(target, join(this.path, path));
    return this;
  }

  remove(path: string): this {
    rmSync(join(this.path, path), { recursive: true });
    return this;
  }

  /** Commits everything and returns the commit. */
  commit(message = 'Change'): string {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', `--message=${message}`);
    return this.git('rev-parse', 'HEAD');
  }
}

/** A role that is complete and small. */
export function writeRole(repo: FleetRepo, role: string): FleetRepo {
  return repo
    .write(`roles/${role}/role.yaml`, `name: ${role}\n`)
    .write(`roles/${role}/compose.yaml`, 'services:\n  page:\n    image: nginx:1\n')
    .write(`roles/${role}/page/index.html`, '<h1>hello</h1>\n')
    .write(`roles/${role}/run.sh`, '#!/bin/sh\n', 0o755)
    .link(`roles/${role}/start`, 'run.sh');
}
