import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lintRole, RULES, type Finding, type RoleFiles } from '../../src/lint/lint.ts';
import { readFolder } from './read-folder.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/roles');
const EXPECTED = 'expected.json';
const foldersIn = (kind: string): string[] => readdirSync(join(fixtures, kind)).sort();

/** A fixture without what is expected of it. */
function roleIn(kind: string, name: string): RoleFiles {
  const { files } = readFolder(join(fixtures, kind, name), name);
  return { role: name, files: new Map([...files].filter(([path]) => path !== EXPECTED)) };
}

type Expected = Pick<Finding, 'rule' | 'file' | 'line' | 'severity'>;

function expectedOf(name: string): Expected[] {
  return JSON.parse(readFileSync(join(fixtures, 'invalid', name, EXPECTED), 'utf8')) as Expected[];
}

describe('the fixtures of roles', () => {
  it.each(foldersIn('valid'))('%s has no errors', (name) => {
    const errors = lintRole(roleIn('valid', name)).filter(({ severity }) => severity === 'error');
    expect(errors).toEqual([]);
  });

  it.each(foldersIn('invalid'))('%s has the expected findings and no others', (name) => {
    const findings = lintRole(roleIn('invalid', name));
    expect(findings.map(({ rule, file, line, severity }) => ({ rule, file, line, severity }))).toEqual(
      expectedOf(name),
    );
  });

  it('break every rule at least once', () => {
    const broken = new Set(foldersIn('invalid').flatMap((name) => expectedOf(name).map(({ rule }) => rule)));
    expect([...broken].sort()).toEqual(Object.keys(RULES).sort());
  });
});
