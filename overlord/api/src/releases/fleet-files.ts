import {
  canonicalJson,
  describeProblem,
  DeviceFileSchema,
  FleetFileSchema,
  parseYaml,
  problemOf,
  SiteFileSchema,
  stagesOf,
  type Stage,
  type VariableInput,
} from '@metrica-fleet/protocol';
import type { Transaction } from 'kysely';
import type { Schema } from '../db/schema.ts';
import type { Git } from './git.ts';
import { listYaml, readText } from './mirror.ts';

/** What `sites/<name>.yaml` or `devices/<name>.yaml` says. */
export interface VariableFile {
  readonly kind: 'site' | 'device';
  readonly name: string;
  readonly role: string | null;
  readonly site: string | null;
  readonly vars: VariableInput;
}

/** What the repo says about the fleet at one commit, beside its roles. */
export interface FleetFiles {
  /** Null: the default. */
  readonly stages: readonly Stage[] | null;
  readonly variables: readonly VariableFile[];
  /** One sentence for each file that cannot be used; what was known of it before holds. */
  readonly problems: readonly string[];
  /** Of files that cannot be used. */
  readonly keep: readonly Pick<VariableFile, 'kind' | 'name'>[];
}

/** Reads `fleet.yaml`, `sites/` and `devices/` at a commit. A file that is wrong is a problem, not a failure. */
export async function readFleetFiles(git: Git, commit: string): Promise<FleetFiles> {
  const problems: string[] = [];
  const keep: Pick<VariableFile, 'kind' | 'name'>[] = [];
  const attempt = async <T>(read: () => Promise<T>): Promise<T | null> => {
    try {
      return await read();
    } catch (thrown) {
      problems.push(describeProblem(problemOf(thrown)));
      return null;
    }
  };
  const stages = await attempt(async () => {
    const text = await readText(git, commit, 'fleet.yaml');
    if (text === null) return null;
    const rules = { where: 'fleet.yaml', schema: FleetFileSchema, code: 'config-invalid' } as const;
    return stagesOf(parseYaml(text, rules).value);
  });
  const variables: VariableFile[] = [];
  for (const kind of ['site', 'device'] as const) {
    for (const name of await listYaml(git, commit, `${kind}s`)) {
      const file = await attempt(() => readVariables(git, commit, { kind, name }));
      if (file === null) keep.push({ kind, name });
      else variables.push(file);
    }
  }
  return { stages, variables, problems, keep };
}

async function readVariables(
  git: Git,
  commit: string,
  { kind, name }: Pick<VariableFile, 'kind' | 'name'>,
): Promise<VariableFile> {
  const where = `${kind}s/${name}.yaml`;
  const text = (await readText(git, commit, where)) ?? '';
  if (kind === 'site') {
    const { value } = parseYaml(text, { where, schema: SiteFileSchema, code: 'variables-invalid' });
    return { kind, name, role: null, site: null, vars: value.vars ?? {} };
  }
  const { value } = parseYaml(text, { where, schema: DeviceFileSchema, code: 'variables-invalid' });
  return { kind, name, role: value.role ?? null, site: value.site ?? null, vars: value.vars ?? {} };
}

/** Writes the variable files of a commit; returns those that changed, so that their devices can be woken. */
export async function replaceVariables(
  trx: Transaction<Schema>,
  { variables, keep }: FleetFiles,
): Promise<readonly Pick<VariableFile, 'kind' | 'name'>[]> {
  const key = ({ kind, name }: Pick<VariableFile, 'kind' | 'name'>): string => `${kind}s/${name}`;
  const before = new Map(
    (await trx.selectFrom('variable_files').selectAll().execute()).map((row) => [key(row), row]),
  );
  const kept = new Set([...variables, ...keep].map(key));
  const gone = [...before.values()].filter((row) => !kept.has(key(row)));
  const changed = variables.filter((file) => {
    const row = before.get(key(file));
    return row === undefined || canonicalJson(row) !== canonicalJson(file);
  });
  for (const { kind, name } of gone) {
    await trx.deleteFrom('variable_files').where('kind', '=', kind).where('name', '=', name).execute();
  }
  for (const { kind, name, role, site, vars } of changed) {
    const values = { role, site, vars: JSON.stringify(vars) };
    await trx
      .insertInto('variable_files')
      .values({ kind, name, ...values })
      .onConflict((conflict) => conflict.columns(['kind', 'name']).doUpdateSet(values))
      .execute();
  }
  return [...gone, ...changed];
}
