import { FleetError } from '@metrica-fleet/protocol';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../exec.ts';
import { ROLES, SITES, type SampleRole } from './sample-fleet.ts';

export interface SampleRepo {
  /** The clone, for its templates. */
  readonly root: string;
  /** Folder that is made. */
  readonly path: string;
  /** `update_interval` of its roles. Seconds. */
  readonly interval: number;
}

/** Short soaks, so that one can watch; at home ten minutes each are the default. */
const FLEET = `# How releases go out. The soaks are short, so that one can watch.
rollout:
  stages:
    - {segment: canary, soak: 5s, max_failed_percent: 0}
    - {segment: early, soak: 5s, max_failed_percent: 5}
    - {segment: general, max_failed_percent: 5}
`;

/** What the person who tries the printed commands needs of Git, whatever their own settings are. */
const SETTINGS = [
  ['user.name', 'Demo'],
  ['user.email', 'demo@example.org'],
  ['commit.gpgsign', 'false'],
  ['core.hooksPath', '/dev/null'],
] as const;

/** Makes the fleet repo of the demo: real Git, with roles from `templates/role`, sites and `fleet.yaml`. */
export async function makeSampleRepo(repo: SampleRepo): Promise<void> {
  const { path } = repo;
  await mkdir(join(path, 'roles'), { recursive: true });
  await mkdir(join(path, 'sites'));
  for (const role of ROLES) await writeRole(repo, role);
  for (const { name, greeting } of SITES) {
    await writeFile(join(path, 'sites', `${name}.yaml`), `vars:\n  GREETING: ${greeting}\n`);
  }
  await writeFile(join(path, 'fleet.yaml'), FLEET);
  const git = async (...args: string[]): Promise<void> => {
    await exec({ argv: ['git', '-C', path, ...args] });
  };
  await git('init', '--quiet', '--initial-branch=main');
  for (const [key, value] of SETTINGS) await git('config', key, value);
  await git('add', '--all');
  await git('commit', '--quiet', '--message=A fleet to try things on');
}

async function writeRole({ root, path, interval }: SampleRepo, role: SampleRole): Promise<void> {
  const folder = join(path, 'roles', role.name);
  await cp(join(root, 'templates/role'), folder, { recursive: true });
  await rm(join(folder, 'README.md'));
  await change(join(folder, 'role.yaml'), [
    [/^name: .*$/m, `name: ${role.name}`],
    [/^description: .*$/m, `description: ${role.description}`],
    [/^update_interval: .*$/m, `update_interval: ${interval}s`],
    [/^( +)within: .*$/m, '$1within: 30s'],
    [/^( +)stable_for: .*$/m, '$1stable_for: 3s'],
  ]);
  await change(join(folder, 'site/index.html'), [[/Hello from the fleet/g, role.title]]);
}

/** Fails where the template has nothing to change any more: the demo would go on with what nobody meant. */
async function change(path: string, changes: readonly (readonly [RegExp, string])[]): Promise<void> {
  let text = await readFile(path, 'utf8');
  for (const [form, now] of changes) {
    if (text.search(form) === -1) {
      throw new FleetError({
        code: 'input-invalid',
        what: `The template has no ${form.source}`,
        where: path,
      });
    }
    text = text.replace(form, now);
  }
  await writeFile(path, text);
}
