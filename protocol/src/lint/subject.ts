import type { Role } from '../role.ts';
import type { Stack } from './compose-file.ts';
import type { RoleFiles } from './files.ts';
import { interpolated } from './interpolation.ts';
import type { Tree } from './tree.ts';

/** A role under the lint, with what could be understood of it. */
export interface Subject {
  readonly files: RoleFiles['files'];
  /** Null where `role.yaml` is missing or does not fit its schema. */
  readonly role: Role | null;
  readonly roleTree: Tree | null;
  /** The compose file and those that it includes or extends; empty where there is none that can be understood. */
  readonly stacks: readonly Stack[];
}

/** Interpolates as a device without values of its own would: with the defaults of the role's variables. */
export function interpolatorOf({ role }: Pick<Subject, 'role'>): (text: string) => string | null {
  const defaults = new Map(
    Object.entries(role?.vars ?? {}).flatMap(([name, { default: value }]) =>
      value === undefined ? [] : [[name, String(value)] as const],
    ),
  );
  return (text) => interpolated(text, (name) => defaults.get(name));
}
