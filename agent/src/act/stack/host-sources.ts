import { FleetError, type Digest, type Variables } from '@metrica-fleet/protocol';
import { basename } from 'node:path/posix';
import type { ComposeModel } from '../../ports/engine.ts';
import { hostPathOf, type HostPath, type MountedPath, type Setting } from './host-path.ts';

/** A `configs:` or `secrets:` entry of a resolved model. */
export interface FileObject {
  readonly file?: string;
  readonly environment?: string;
  readonly content?: string;
  readonly external?: boolean;
  readonly [key: string]: unknown;
}

/** Something of the host whose content goes into a stack. */
export type HostSource =
  /** Of the release: mounted from a content-addressed copy. */
  | { readonly kind: 'content'; readonly key: string; readonly path: string; readonly user: string }
  /** A config or secret file that lies elsewhere on the device: used where it is, its content counts as input. */
  | { readonly kind: 'outside'; readonly key: string; readonly path: string; readonly user: string }
  /** The value of a variable as a file: Compose would read it from an environment that is gone when the stack starts. */
  | { readonly kind: 'text'; readonly key: string; readonly name: string; readonly text: string };

/** Where a source is mounted from, and what it holds. By the `key` of its source. */
export type Located = ReadonlyMap<string, { readonly digest: Digest; readonly target: string }>;

/** Key of a variable's value among the sources. */
export function variableKey(name: string): string {
  return `variable ${name}`;
}

/** The entries of a section such as `configs`. */
export function section<T>(model: ComposeModel, name: string): Readonly<Record<string, T>> {
  return (model[name] ?? {}) as Readonly<Record<string, T>>;
}

/** Every bind mount of a model with the service that has it. */
export function bindMountsOf(model: ComposeModel): readonly MountedPath[] {
  return Object.entries(model.services).flatMap(([name, { volumes = [] }]) =>
    volumes.flatMap(({ type, source, read_only: readOnly }) =>
      type === 'bind' && source !== undefined
        ? [{ source, writable: readOnly !== true, user: `service ${name}` }]
        : [],
    ),
  );
}

/** Where the file of a config or secret leads. Its content is read-only in containers, whatever is declared as state. */
export function fileOf(file: string, user: string, setting: Setting): HostPath {
  const at = hostPathOf({ source: file, writable: false, user }, setting);
  return at.kind === 'state' ? { kind: 'outside', path: at.target } : at;
}

/** Everything of the host that goes into a stack by its content. Throws `compose-invalid` for what cannot be mounted. */
export function hostSourcesOf(
  model: ComposeModel,
  setting: Setting,
  variables: Variables,
): readonly HostSource[] {
  const mounts = bindMountsOf(model).flatMap((mount): HostSource[] => {
    const at = hostPathOf(mount, setting);
    return at.kind === 'content' ? [{ kind: 'content', key: at.path, path: at.path, user: mount.user }] : [];
  });
  const files = (['configs', 'secrets'] as const).flatMap((kind) =>
    Object.entries(section<FileObject>(model, kind)).flatMap(([name, object]): HostSource[] => {
      const user = `${kind.slice(0, -1)} ${name}`;
      if (object.file !== undefined) {
        const at = fileOf(object.file, user, setting);
        return [{ kind: at.kind === 'content' ? 'content' : 'outside', key: at.path, path: at.path, user }];
      }
      if (object.environment === undefined) return [];
      const text = variables[object.environment];
      if (text === undefined) throw undeclaredVariable(object.environment, user);
      return [
        { kind: 'text', key: variableKey(object.environment), name: basename(object.environment), text },
      ];
    }),
  );
  return [...new Map([...mounts, ...files].map((source) => [source.key, source])).values()];
}

function undeclaredVariable(name: string, user: string): FleetError {
  return new FleetError({
    code: 'compose-invalid',
    what: `The ${user} is made from the variable ${name}, which the role does not declare`,
    where: 'compose.yaml',
    remedy: `Declare ${name} under \`vars:\` in role.yaml.`,
  });
}
