import { textOf, type RoleFiles } from './files.ts';
import { finding, type Finding } from './finding.ts';
import { readTree, type Tree } from './tree.ts';

/** What Compose looks for, in its own order (compose-spec, «Compose file»). */
const NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];

/** The compose file of a role as it was understood. */
export interface Stack {
  readonly file: string;
  readonly tree: Tree;
  readonly services: ReadonlyMap<string, Tree>;
}

export interface StackResult {
  /** Null where there is no compose file that can be understood. */
  readonly stack: Stack | null;
  readonly findings: readonly Finding[];
}

/** Finds and reads the one compose file of a role. */
export function readStack({ files }: RoleFiles): StackResult {
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
  const { stack, findings } = read(file, textOf(files, file));
  return { stack, findings: [...extra, ...findings] };
}

function read(file: string, text: string | null): StackResult {
  const remedy = 'Correct it; `docker compose config` shows how Compose reads it.';
  const syntax = (what: string, line: number | null): StackResult =>
    failed('compose-syntax', { file, line, what, remedy });
  if (text === null) return syntax('The compose file is not a text file of less than 256 KiB', null);
  const result = readTree(text);
  if (!('tree' in result)) return syntax(`The compose file is not valid: ${result.what}`, result.line);
  const { tree } = result;
  const services = tree.fields.get('services');
  if (services?.kind !== 'map' || services.fields.size === 0) {
    return syntax('The compose file has no map of services', services?.line ?? tree.line);
  }
  const odd = [...services.fields].filter(([, service]) => service.kind !== 'map');
  const findings = odd.flatMap(
    ([name, { line }]) => syntax(`The service ${name} is not a map of settings`, line).findings,
  );
  const stack = {
    file,
    tree,
    services: new Map([...services.fields].filter(([, { kind }]) => kind === 'map')),
  };
  return { stack, findings };
}

function failed(...found: Parameters<typeof finding>): StackResult {
  return { stack: null, findings: [finding(...found)] };
}
