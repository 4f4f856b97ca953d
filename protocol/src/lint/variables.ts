import { FleetError } from '../errors.ts';
import type { Role } from '../role.ts';
import { resolveVariables } from '../variables.ts';
import { textFiles, textOf } from './files.ts';
import { finding, type Finding } from './finding.ts';
import { malformedIn, referencesIn, type Reference } from './interpolation.ts';
import { ROLE_FILE } from './role-file.ts';
import type { Stack } from './compose-file.ts';
import type { Subject } from './subject.ts';
import { at, entriesOf, leavesOf, textAt } from './walk.ts';

/** What Compose itself sets. */
const BUILT_IN = ['COMPOSE_PROJECT_NAME'];

/** Variables: their declarations, and what the stack makes of them. */
export function variableFindings(subject: Subject): Finding[] {
  const { role, stacks } = subject;
  const known = knownNames(subject);
  return [
    ...(role === null
      ? []
      : Object.keys(role.vars ?? {}).flatMap((name) => defaultFindings(subject, role, name))),
    ...stacks.flatMap((stack) => syntaxFindings(stack)),
    ...(role === null ? [] : stacks.flatMap((stack) => undeclared(stack, known))),
    ...(role === null || stacks.length === 0 ? [] : unused(subject, role)),
  ];
}

/** Names that have a value when Compose resolves the stack: declared ones and those of `.env`, which Compose reads. */
function knownNames({ files, role }: Subject): ReadonlySet<string> {
  const dotEnv = (textOf(files, '.env') ?? '').matchAll(/^\s*(?:export\s+)?([A-Za-z_]\w*)\s*[=:]/gm);
  return new Set([
    ...Object.keys(role?.vars ?? {}),
    ...[...dotEnv].map(([, name = '']) => name),
    ...BUILT_IN,
  ]);
}

function defaultFindings({ roleTree }: Subject, role: Role, name: string): Finding[] {
  const variable = role.vars?.[name];
  if (variable === undefined) return [];
  const place = (field: string): number | null =>
    (at(roleTree, 'vars', name, field) ?? at(roleTree, 'vars', name))?.line ?? null;
  const remedy = 'Correct the default or the declaration.';
  try {
    if (variable.pattern !== undefined) void new RegExp(`^(?:${variable.pattern})$`, 'u');
    if (variable.default !== undefined) resolveVariables({ name: role.name, vars: { [name]: variable } }, []);
    return [];
  } catch (thrown) {
    const what =
      thrown instanceof FleetError
        ? thrown.problem.what.replace(' is ', ' has the default ')
        : `The pattern of ${name} is not a regular expression`;
    const line = place(thrown instanceof FleetError ? 'default' : 'pattern');
    return [finding('variable-default', { file: ROLE_FILE, line, what, remedy })];
  }
}

function syntaxFindings({ file, tree }: Stack): Finding[] {
  return [...leavesOf(tree)].flatMap(({ tree: { value, line } }) =>
    (typeof value === 'string' ? malformedIn(value) : []).map((text) => {
      const what = `Compose refuses ${JSON.stringify(text)} as a reference to a variable`;
      return finding('compose-syntax', {
        file,
        line,
        what,
        remedy: 'Write `$$` for a `$` that is meant for the container.',
      });
    }),
  );
}

/** A reference that leaves nothing behind when there is no value, or refuses. */
function needsValue({ operator }: Reference): boolean {
  return operator === '' || operator.endsWith('?');
}

function undeclared({ file, tree, services }: Stack, known: ReadonlySet<string>): Finding[] {
  const remedy = (name: string): string =>
    `Declare it in role.yaml: \`vars: {${name.toUpperCase()}: {type: string, default: …}}\`. For a \`$\` that is meant for the container write \`$$\`.`;
  const inValues = [...leavesOf(tree)].flatMap(({ tree: { value, line } }) => {
    const missing = (typeof value === 'string' ? referencesIn(value) : []).filter(
      (reference) => needsValue(reference) && !known.has(reference.name),
    );
    return missing.map(({ name }) => {
      const what = `The variable ${name} is not declared and has no default`;
      return finding('variable-undeclared', { file, line, what, remedy: remedy(name) });
    });
  });
  const sources = [...fromEnvironment(tree)].filter(({ name }) => !known.has(name));
  const inSources = sources.map(({ name, line }) => {
    const what = `A config or secret is made from the variable ${name}, which is not declared`;
    return finding('variable-undeclared', { file, line, what, remedy: remedy(name) });
  });
  const passed = [...passedOn(services)].filter(({ name }) => !known.has(name) && !name.includes('$'));
  const unset = passed.map(({ name, line, service }) => {
    const what = `${name} is passed on to ${service}, but no variable of that name is declared`;
    return finding('variable-unset', {
      file,
      line,
      what,
      remedy: `Give it a value, or declare it in role.yaml.`,
    });
  });
  return [...inValues, ...inSources, ...unset];
}

function* fromEnvironment(tree: Stack['tree']): Generator<{ name: string; line: number }> {
  for (const section of ['configs', 'secrets']) {
    for (const definition of at(tree, section)?.fields.values() ?? []) {
      const source = at(definition, 'environment');
      const name = textAt(source);
      if (source !== undefined && name !== null) yield { name, line: source.line };
    }
  }
}

function* passedOn(services: Stack['services']): Generator<{ name: string; line: number; service: string }> {
  for (const [service, settings] of services) {
    for (const { name, value, line } of entriesOf(settings.fields.get('environment'))) {
      if (value === null && name !== '') yield { name, line, service };
    }
  }
}

function unused({ files, roleTree, stacks }: Subject, role: Role): Finding[] {
  const used = new Set<string>();
  for (const { tree, services } of stacks) {
    for (const leaf of leavesOf(tree)) for (const name of namesIn(leaf.tree.value)) used.add(name);
    for (const { name } of [...fromEnvironment(tree), ...passedOn(services)]) used.add(name);
  }
  // An env_file is interpolated too, and validate.sh gets the variables; which files are read is not worth knowing here.
  for (const [path, text] of textFiles(files)) {
    if (path === ROLE_FILE || stacks.some(({ file }) => file === path)) continue;
    for (const [, name = ''] of text.matchAll(/\$\{?([A-Z][A-Z0-9_]*)/g)) used.add(name);
  }
  return Object.keys(role.vars ?? {})
    .filter((name) => !used.has(name))
    .map((name) => {
      const line = at(roleTree, 'vars', name)?.line ?? null;
      const what = `The variable ${name} is declared and never used`;
      return finding('variable-unused', {
        file: ROLE_FILE,
        line,
        what,
        remedy: `Use it as \`\${${name}}\`, or leave it out.`,
      });
    });
}

function namesIn(value: unknown): string[] {
  return typeof value === 'string' ? referencesIn(value).map(({ name }) => name) : [];
}
