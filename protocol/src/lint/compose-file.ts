import { textOf, type RoleFiles } from './files.ts';
import { finding, type Finding } from './finding.ts';
import { readTree, type Tree } from './tree.ts';

/** What Compose looks for, in its own order (compose-spec, «Compose file»). */
const NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];

/** A compose file as it was understood. */
export interface Stack {
  readonly file: string;
  /** What its relative paths are relative to; empty for the role itself. */
  readonly folder: string;
  /** False for a file that others only take services from, by `extends`. */
  readonly runs: boolean;
  readonly tree: Tree;
  readonly services: ReadonlyMap<string, Tree>;
}

export interface StackResult {
  /** Null where there is no compose file that can be understood. */
  readonly stack: Stack | null;
  readonly findings: readonly Finding[];
}

/** Finds and reads the one compose file of a role. */
export function readMain({ files }: RoleFiles): StackResult {
  const [file, ...more] = NAMES.filter((name) => files.has(name));
  if (file === undefined) {
    const what = 'The role has no compose file';
    return failed('compose-file', { file: 'compose.yaml', line: null, what, remedy: 'Add compose.yaml.' });
  }
  const extra = more.map((other) =>
    finding('compose-file', {
      file: other,
      line: null,
      what: `The role has two compose files, ${file} and ${other}`,
      remedy: `Keep ${file} alone, which is the one that Compose would read.`,
    }),
  );
  const { stack, findings } = readStack(textOf(files, file), { file, folder: '', runs: true });
  if (
    stack !== null &&
    stack.services.size === 0 &&
    !stack.tree.fields.has('include') &&
    findings.length === 0
  ) {
    const what = 'The compose file has no services';
    extra.push(finding('compose-syntax', { file, line: stack.tree.line, what, remedy: 'Add `services:`.' }));
  }
  return { stack, findings: [...extra, ...findings] };
}

/** Understands the text of a compose file; null is one that is not text. */
export function readStack(text: string | null, place: Pick<Stack, 'file' | 'folder' | 'runs'>): StackResult {
  const { file } = place;
  const remedy = 'Correct it; `docker compose config` shows how Compose reads it.';
  const syntax = (what: string, line: number | null): StackResult =>
    failed('compose-syntax', { file, line, what, remedy });
  if (text === null) return syntax(`${file} is not a text file of less than 256 KiB`, null);
  const result = readTree(text);
  if (!('tree' in result)) return syntax(`${file} is not valid: ${result.what}`, result.line);
  const { tree } = result;
  if (tree.kind !== 'map') return syntax(`${file} is not a map`, tree.line);
  const services = tree.fields.get('services');
  if (services?.kind === 'list' || (services?.value ?? null) !== null) {
    return syntax('`services:` is not a map', services?.line ?? null);
  }
  const all = [...(services?.fields ?? [])];
  const odd = all.filter(([, { kind }]) => kind !== 'map');
  const findings = odd.flatMap(
    ([name, { line }]) => syntax(`The service ${name} is not a map of settings`, line).findings,
  );
  return {
    stack: { ...place, tree, services: new Map(all.filter(([, { kind }]) => kind === 'map')) },
    findings,
  };
}

function failed(...found: Parameters<typeof finding>): StackResult {
  return { stack: null, findings: [finding(...found)] };
}
