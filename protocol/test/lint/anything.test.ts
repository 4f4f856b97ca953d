import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lintRole, RULES, type Finding, type RoleEntry } from '../../src/lint/lint.ts';
import { roleOf } from './read-folder.ts';

const ROLE = 'name: hello\nvars:\n  A: {type: string}\nstate:\n  - path: data\n';

const scalar = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    0,
    -1,
    1.5,
    '',
    '.',
    './a:/b',
    '${A',
    '$',
    '${A:-${B}}',
    '/x:/y:ro',
    'C:\\a:/b',
  ),
  fc.string(),
);
const { tree } = fc.letrec((again) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(again('tree'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.constantFrom('source', 'file', 'path', 'test', '<<', 'default'), fc.string()),
      again('tree'),
      {
        maxKeys: 4,
      },
    ),
  ),
}));
const SERVICE = [
  'image', 'build', 'environment', 'env_file', 'volumes', 'depends_on', 'networks', 'configs', 'secrets', 'extends',
  'healthcheck', 'deploy', 'restart', 'user', 'security_opt', 'command', 'links', 'volumes_from', 'network_mode', 'x-any',
] as const; // prettier-ignore
const service = fc.record(Object.fromEntries(SERVICE.map((key) => [key, tree])), { requiredKeys: [] });
const compose = fc.record(
  {
    services: fc.oneof(tree, fc.dictionary(fc.constantFrom('web', 'db'), fc.oneof(service, tree))),
    volumes: tree,
    networks: tree,
    configs: tree,
    secrets: tree,
    include: tree,
    'x-any': tree,
  },
  { requiredKeys: ['services'] },
);

function areWellFormed(findings: readonly Finding[]): boolean {
  return findings.every(
    ({ rule, severity, line, what, remedy }) =>
      RULES[rule].severity === severity &&
      (line === null || line > 0) &&
      what !== '' &&
      !what.endsWith('.') &&
      remedy !== '',
  );
}

describe('the lint, whatever it is given,', () => {
  it('says something well formed about any tree in the shape of a compose file', () => {
    const property = fc.property(compose, (some) => {
      expect(
        areWellFormed(lintRole(roleOf({ 'role.yaml': ROLE, 'compose.yaml': JSON.stringify(some) }))),
      ).toBe(true);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('never throws on arbitrary bytes and links', () => {
    const entry = fc.oneof(fc.uint8Array(), fc.record({ link: fc.string() }));
    const path = fc.constantFrom(
      'role.yaml',
      'compose.yaml',
      'compose.yml',
      '.env',
      'site/a',
      'site',
      '.fleet',
      'b',
    );
    const property = fc.property(fc.dictionary(path, entry), (files: Record<string, RoleEntry>) => {
      expect(areWellFormed(lintRole({ role: 'hello', files: new Map(Object.entries(files)) }))).toBe(true);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('never throws on text that is nearly YAML', () => {
    const word = fc.constantFrom(
      'services:',
      '\n',
      '  ',
      '- ',
      'web:',
      '&a',
      '*a',
      '<<: *a',
      '!reset',
      '{',
      '}',
      '[',
      ']',
      '"',
      '|',
      '---',
      '? ',
      ': ',
      '#',
      '\t',
      'image: x',
    );
    const property = fc.property(fc.array(word, { maxLength: 40 }), (words) => {
      const text = words.join('');
      expect(areWellFormed(lintRole(roleOf({ 'role.yaml': text, 'compose.yaml': text })))).toBe(true);
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  it('ends soon on a text that is nested beyond reason', () => {
    const deep = `services: ${'['.repeat(100_000)}`;
    expect(lintRole(roleOf({ 'role.yaml': deep, 'compose.yaml': deep }))).toMatchObject([
      { rule: 'compose-syntax' },
      { rule: 'role-file' },
    ]);
  });
});
