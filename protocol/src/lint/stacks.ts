import { insideRole, textOf, type RoleFiles } from './files.ts';
import type { Finding } from './finding.ts';
import { readMain, readStack, type Stack } from './compose-file.ts';
import type { Tree } from './tree.ts';
import { at, textAt } from './walk.ts';

export interface Stacks {
  /** The compose file, then what it includes, then what it extends; empty where there is none that can be understood. */
  readonly stacks: readonly Stack[];
  readonly findings: readonly Finding[];
}

/** More files than this are no honest role, and a circle of includes ends here at the latest. */
const LIMIT = 50;

/** Reads the compose file of a role and every other one that it includes or extends from within the role. */
export function readStacks(role: RoleFiles): Stacks {
  const { stack: main, findings } = readMain(role);
  if (main === null) return { stacks: [], findings };
  const stacks = [main];
  const seen = new Set([main.file]);
  const all = [...findings];
  for (const stack of stacks) {
    for (const { path, runs, base } of filesOf(stack)) {
      const file = insideRole(path, stack.folder);
      if (file === null || seen.has(file) || stacks.length >= LIMIT) continue;
      seen.add(file);
      const text = textOf(role.files, file);
      if (text === null) continue;
      const folder = insideRole(base, stack.folder) ?? '';
      const other = readStack(text, { file, runs: runs && stack.runs, folder: folder === '.' ? '' : folder });
      all.push(...other.findings);
      if (other.stack !== null) stacks.push(other.stack);
    }
  }
  return { stacks, findings: all };
}

interface OtherFile {
  readonly path: string;
  readonly runs: boolean;
  /** The folder that its relative paths are relative to, seen from the file that refers to it. */
  readonly base: string;
}

function filesOf({ tree, services }: Stack): OtherFile[] {
  const included = includesOf(tree).flatMap(({ path, base }) =>
    path === null ? [] : [{ path, base, runs: true }],
  );
  const extended = [...services.values()].flatMap((service) => {
    const path = textAt(at(service, 'extends', 'file'));
    return path === null ? [] : [{ path, base: `${path}/..`, runs: false }];
  });
  return [...included, ...extended];
}

interface Include {
  readonly path: string | null;
  readonly base: string;
  readonly line: number;
}

/** The files under `include:`, in its short and its long form. Of several in one entry the first gives the folder. */
export function includesOf(tree: Tree): Include[] {
  return (tree.fields.get('include')?.items ?? []).flatMap((item) => {
    const path = item.kind === 'map' ? item.fields.get('path') : item;
    const paths = path?.kind === 'list' ? path.items : [path];
    const base = textAt(at(item, 'project_directory')) ?? `${textAt(paths[0]) ?? 'none'}/..`;
    return paths.map((one) => ({ path: textAt(one), base, line: one?.line ?? item.line }));
  });
}

/**
 * The settings of a service with those that it gets by `extends`, for rules that ask whether something is there. Maps are
 * not merged in depth, and lines may be those of another file.
 */
export function settingsOf(stacks: readonly Stack[], stack: Stack, name: string): ReadonlyMap<string, Tree> {
  let settings = new Map<string, Tree>();
  let here: Stack | undefined = stack;
  let service: string | null = name;
  for (let hops = 0; hops < 20 && here !== undefined && service !== null; hops += 1) {
    const fields: ReadonlyMap<string, Tree> = here.services.get(service)?.fields ?? new Map<string, Tree>();
    settings = new Map([...fields, ...settings]);
    const base = fields.get('extends');
    service = base === undefined ? null : (textAt(base) ?? textAt(at(base, 'service')));
    here = stackOf(stacks, here, textAt(at(base, 'file')));
  }
  return settings;
}

// Where `extends` says which service, and in which file; without a file it is the same one.
function stackOf(stacks: readonly Stack[], from: Stack, path: string | null): Stack | undefined {
  const file = path === null ? from.file : insideRole(path, from.folder);
  return stacks.find((stack) => stack.file === file);
}
