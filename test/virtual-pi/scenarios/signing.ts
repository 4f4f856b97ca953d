import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FleetRepo } from '../fleet-repo.ts';
import { must } from '../process.ts';

const FLEET = join(import.meta.dirname, '../../../fleet');

/** A person with an SSH key, who signs releases with the commands that people use. */
export class Signer {
  private readonly folder = mkdtempSync(join(tmpdir(), 'metrica-signer-'));
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  static async create(name: string): Promise<Signer> {
    const signer = new Signer(name);
    await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', signer.key], {
      deadline: 20_000,
    });
    return signer;
  }

  /** A line for `allowed_signers`. */
  get allowed(): string {
    const [type, key] = readFileSync(`${this.key}.pub`, 'utf8').split(' ');
    return `${this.name} ${type} ${key}\n`;
  }

  /** `fleet release sign`, for the newest commit that has been pushed. */
  async sign(repo: FleetRepo, role: string): Promise<void> {
    await this.fleet(
      'release',
      'sign',
      '--role',
      role,
      '--key',
      this.key,
      '--repo',
      repo.tree,
      '--push',
      'origin',
    );
  }

  /** `fleet bundle export`; returns the folder, as a tar. */
  async exportBundle(repo: FleetRepo, role: string): Promise<Buffer> {
    const out = join(this.folder, 'stick');
    await this.fleet(
      'bundle',
      'export',
      '--role',
      role,
      '--key',
      this.key,
      '--repo',
      repo.tree,
      '--out',
      out,
    );
    await must(['tar', '-C', out, '-cf', `${out}.tar`, '.'], { deadline: 20_000 });
    return readFileSync(`${out}.tar`);
  }

  forget(): void {
    rmSync(this.folder, { recursive: true });
  }

  private get key(): string {
    return join(this.folder, 'id');
  }

  private async fleet(...args: string[]): Promise<void> {
    await must([FLEET, ...args], { deadline: 120_000 });
  }
}
