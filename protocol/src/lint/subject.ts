import type { Role } from '../role.ts';
import type { Stack } from './compose-file.ts';
import type { RoleFiles } from './files.ts';
import type { Tree } from './tree.ts';

/** A role under the lint, with what could be understood of it. */
export interface Subject {
  /** Name of the folder. */
  readonly name: string;
  readonly files: RoleFiles['files'];
  /** Null where `role.yaml` is missing or does not fit its schema. */
  readonly role: Role | null;
  readonly roleTree: Tree | null;
  /** The compose file and those that it includes or extends; empty where there is none that can be understood. */
  readonly stacks: readonly Stack[];
}
