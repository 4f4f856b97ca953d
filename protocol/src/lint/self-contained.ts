import type { Stack } from './compose-file.ts';
import { exists, insideRole } from './files.ts';
import { finding, type Finding } from './finding.ts';
import { isDeviceSecret, kindOfPath } from './host-paths.ts';
import { includesOf } from './stacks.ts';
import { interpolatorOf, type Subject } from './subject.ts';
import type { Tree } from './tree.ts';
import { at, textAt } from './walk.ts';

/** A file that a compose file refers to, other than by a mount. */
interface FileReference {
  /** For messages: `The env_file of web`. */
  readonly user: string;
  readonly path: string;
  readonly line: number;
  /** False where the stack works without the file. */
  readonly required: boolean;
}

const COPY = 'Copy what it needs into the folder of the role.';

/** Every file that a role refers to is its own: `include`, `extends`, `env_file`, configs, secrets, symlinks. */
export function selfContainedFindings(subject: Subject): Finding[] {
  const interpolate = interpolatorOf(subject);
  const ofStacks = subject.stacks.flatMap((stack) =>
    referencesOf(stack).flatMap((found) => {
      const path = interpolate(found.path);
      return path === null ? [] : judge(subject, stack, { ...found, path });
    }),
  );
  return [...linkFindings(subject), ...ofStacks];
}

function referencesOf(stack: Stack): FileReference[] {
  const included = includesOf(stack.tree).flatMap(({ path, line }) =>
    path === null ? [] : [{ user: 'The include', path, line, required: true }],
  );
  const definitions = ['configs', 'secrets'].flatMap((section) =>
    [...(at(stack.tree, section)?.fields ?? [])].flatMap(([name, definition]) =>
      reference(`The ${section.slice(0, -1)} ${name}`, at(definition, 'file')),
    ),
  );
  const ofIncludes = (at(stack.tree, 'include')?.items ?? []).flatMap((item) => [
    ...filesIn('The env_file of an include', at(item, 'env_file')),
    ...reference('The project_directory of an include', at(item, 'project_directory')),
  ]);
  const services = [...stack.services].flatMap(([name, service]) => ofService(name, service));
  return [...included, ...definitions, ...ofIncludes, ...services];
}

function ofService(name: string, service: Tree): FileReference[] {
  const profiles = (at(service, 'security_opt')?.items ?? []).flatMap((option) => {
    const path = /^seccomp[:=](?!(?:unconfined|builtin)$)(.+)$/.exec(textAt(option) ?? '')?.[1];
    return path === undefined
      ? []
      : [{ user: `The seccomp profile of ${name}`, path, line: option.line, required: true }];
  });
  return [
    ...filesIn(`The env_file of ${name}`, at(service, 'env_file')),
    ...filesIn(`The label_file of ${name}`, at(service, 'label_file')),
    ...reference(`What ${name} extends`, at(service, 'extends', 'file')),
    ...reference(`The credential_spec of ${name}`, at(service, 'credential_spec', 'file')),
    ...profiles,
  ];
}

/** One path, a list of them, or a list of `{path, required}`. */
function filesIn(user: string, tree: Tree | undefined): FileReference[] {
  if (tree?.kind !== 'list') return reference(user, tree);
  return tree.items.flatMap((item) => {
    if (item.kind !== 'map') return reference(user, item);
    const required = textAt(at(item, 'required')) !== 'false';
    return reference(user, at(item, 'path')).map((found) => ({ ...found, required }));
  });
}

function reference(user: string, tree: Tree | undefined): FileReference[] {
  const path = textAt(tree);
  return tree === undefined || path === null || path === ''
    ? []
    : [{ user, path, line: tree.line, required: true }];
}

function judge(
  { files, role }: Subject,
  stack: Stack,
  { user, path, line, required }: FileReference,
): Finding[] {
  const place = { file: stack.file, line };
  const outside = (what: string): Finding[] => [finding('self-contained', { ...place, what, remedy: COPY })];
  if (isDeviceSecret(path)) return [];
  if (/^(oci:|[a-z+]+:\/\/|git@|github\.com\/)/.test(path)) return outside(`${user} is fetched from ${path}`);
  const kind = kindOfPath(path);
  if (kind === 'known') return [];
  if (kind !== 'inside') return outside(`${user} is ${path}, on the host`);
  const inner = insideRole(path, stack.folder);
  if (inner === null) return outside(`${user} is ${path}, outside of the role`);
  const kept =
    role?.state?.some((state) => inner === state.path || inner.startsWith(`${state.path}/`)) === true;
  if (!required || kept || exists(files, inner)) return [];
  const what = `${user} is ${path}, which the role does not have`;
  return [
    finding('file-missing', {
      ...place,
      what,
      remedy: 'Add it (is it in .gitignore?), or correct the path.',
    }),
  ];
}

function linkFindings({ files }: Subject): Finding[] {
  return [...files].flatMap(([file, entry]) => {
    if (!('link' in entry)) return [];
    const folder = file.slice(0, Math.max(0, file.lastIndexOf('/')));
    if (!entry.link.startsWith('/') && insideRole(entry.link, folder) !== null) return [];
    const what = `The symlink points to ${entry.link}, outside of the role`;
    return [finding('self-contained', { file, line: null, what, remedy: COPY })];
  });
}
