import { FleetError } from '@metrica-fleet/protocol';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { ComposeModel } from '../engine.ts';

/** In Compose's order of preference. */
const NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];

/** The Compose file of a folder. Named to Compose explicitly: left alone it also searches the parents, and merges overrides. */
export async function composeFileIn(folder: string): Promise<string> {
  for (const name of NAMES) {
    const path = join(folder, name);
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new FleetError({
    code: 'compose-invalid',
    what: 'The role has no Compose file',
    where: 'compose.yaml',
    remedy: 'Add a `compose.yaml` beside `role.yaml`.',
  });
}

/**
 * Reads what `docker compose config --format json` printed. Compose doubles every `$` of its output, keys included, so
 * that it can be fed back; in memory a model holds the true values. (Tried with 2.26: `$$HOME` in a command, a `$` from
 * an `env_file` and one from a variable all come out doubled.)
 */
export function modelOf(output: string): ComposeModel {
  const model: Printed = JSON.parse(output.replaceAll('$$', '$'));
  return { ...model, services: model.services ?? {} };
}

/** Compose prints `null` for an empty section. */
type Printed = Omit<ComposeModel, 'services'> & {
  readonly name: string;
  readonly services?: ComposeModel['services'] | null;
};

/** The text of a model for `docker compose -f -`: every `$` of a value doubled, so that nothing is interpolated again. */
export function modelText(model: ComposeModel): string {
  return JSON.stringify(model, (_key, value: unknown) =>
    typeof value === 'string' ? value.replaceAll('$', '$$$$') : value,
  );
}
