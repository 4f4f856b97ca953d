import type { Stack } from './compose-file.ts';
import { textFiles } from './files.ts';
import { finding, type Finding } from './finding.ts';
import { ROLE_FILE } from './role-file.ts';
import type { Subject } from './subject.ts';
import type { Tree } from './tree.ts';
import { at, leavesOf } from './walk.ts';

/** A name that only mDNS or MagicDNS resolves: `printer.local`, `pi.tail1234.ts.net`. Not a file, not a word of a path. */
const LOCAL_NAME = /(?<![\w./$-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:local|ts\.net)(?![\w-]|\.\w)/gi;
/** The same where a scheme, a user or a key stands before it. */
const AFTER_SLASHES =
  /(?<=\/\/(?:[^\s/@]*@)?)(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:local|ts\.net)(?![\w-]|\.\w)/gi;

/** Where a service says what it talks to. */
const SPEAKING = [
  'environment',
  'command',
  'entrypoint',
  'extra_hosts',
  'healthcheck',
  'dns_search',
  'links',
  'external_links',
];
const REMEDY =
  'Such a name works on one network and not on the next: use the name of a service, 127.0.0.1, or a name that DNS knows; a variable if it differs between devices.';

/** Host names that depend on mDNS or MagicDNS, in the stack, the probes and the files of a role. */
export function networkNameFindings(subject: Subject): Finding[] {
  const { files, roleTree, stacks } = subject;
  const inRole = [at(roleTree, 'health'), ...defaultsIn(roleTree)].flatMap((part) => inTree(ROLE_FILE, part));
  const read = new Set([ROLE_FILE, ...stacks.map(({ file }) => file)]);
  const inFiles = [...textFiles(files)]
    .filter(([path]) => !read.has(path) && !/(^|\/)(README|LICENSE|CHANGELOG)|\.(md|rst)$/i.test(path))
    .flatMap(([path, text]) => inText(path, text));
  return [...stacks.flatMap((stack) => inStack(stack)), ...inRole, ...inFiles];
}

function defaultsIn(roleTree: Tree | null): (Tree | undefined)[] {
  const variables = [...(at(roleTree, 'vars')?.fields.values() ?? [])];
  return variables.flatMap((variable) => [at(variable, 'default'), at(variable, 'enum')]);
}

function inStack({ file, tree, services }: Stack): Finding[] {
  const settings = [...services.values()].flatMap((service) => SPEAKING.map((field) => at(service, field)));
  const contents = [...(at(tree, 'configs')?.fields.values() ?? [])].map((config) => at(config, 'content'));
  return [...settings, ...contents].flatMap((part) => inTree(file, part));
}

function inTree(file: string, tree: Tree | undefined): Finding[] {
  if (tree === undefined) return [];
  const texts = [...leavesOf(tree)].flatMap(({ path, tree: { value, line } }) =>
    typeof value === 'string'
      ? [
          { line, text: value },
          { line, text: path.at(-1) ?? '' },
        ]
      : [],
  );
  return texts.flatMap(({ line, text }) =>
    namesIn(text).map((name) =>
      finding('local-name', {
        file,
        line,
        what: `${name} is resolved by mDNS or MagicDNS alone`,
        remedy: REMEDY,
      }),
    ),
  );
}

function inText(file: string, text: string): Finding[] {
  if (!/\.local|\.ts\.net/i.test(text)) return [];
  return text.split('\n').flatMap((line, index) =>
    namesIn(line).map((name) =>
      finding('local-name-in-file', {
        file,
        line: index + 1,
        what: `${name} is resolved by mDNS or MagicDNS alone`,
        remedy: REMEDY,
      }),
    ),
  );
}

function namesIn(text: string): string[] {
  if (!/\.(local|ts\.net)/i.test(text)) return [];
  return [...new Set([...text.matchAll(LOCAL_NAME), ...text.matchAll(AFTER_SLASHES)].map(([name]) => name))];
}
