import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeFinding, lintRole, parseRole, type Finding } from '../../src/lint/lint.ts';
import { readFolder, roleOf } from './read-folder.ts';

const TEMPLATE = join(import.meta.dirname, '../../../templates/role');
const CLEAN = `services:
  web:
    image: busybox:1.36.1
    restart: unless-stopped
    mem_limit: 16m
    healthcheck: {test: [CMD, 'true']}
`;

/** What the lint says about one service with more settings, without what CLEAN would give. */
function findingsOf(settings: string, role = ''): Finding[] {
  return lintRole(
    roleOf({ 'role.yaml': `name: hello\n${role}`, 'compose.yaml': `${CLEAN}    ${settings}\n` }),
  );
}

describe('the lint', () => {
  it('has nothing to say about the role to copy', () => {
    expect(lintRole(readFolder(TEMPLATE, 'hello'))).toEqual([]);
  });

  it('tells how to declare a folder that a service writes to, and is content once it is done', () => {
    const [finding] = findingsOf("volumes: ['./data:/data']");
    expect(finding).toMatchObject({ rule: 'undeclared-state', file: 'compose.yaml', line: 7 });
    const snippet = /`(state: [^`]*)`/.exec(finding?.remedy ?? '')?.[1] ?? '';
    expect(findingsOf("volumes: ['./data:/data']", `${snippet}\n`)).toEqual([]);
  });

  it('judges a path by the default of the variable in it', () => {
    expect(findingsOf("volumes: ['${D:-../up}:/data:ro']")).toMatchObject([{ rule: 'self-contained' }]);
    const role = 'vars: {D: {type: string, default: ../up}}\n';
    expect(findingsOf("volumes: ['$D:/data:ro']", role)).toMatchObject([{ rule: 'self-contained' }]);
  });

  it('knows the time zones of the world, and says which one it does not', () => {
    const window = (zone: string): string =>
      `update: {window: {start: '02:00', end: '04:00', timezone: ${zone}}}\n`;
    expect(findingsOf('init: true', window('Europe/Berlin'))).toEqual([]);
    expect(findingsOf('init: true', window('Europe/Bärlin'))).toMatchObject([
      { rule: 'timezone-unknown', file: 'role.yaml', line: 2, what: 'Europe/Bärlin is no time zone' },
    ]);
  });

  it('follows the symlinks of a role, and refuses those that leave it', () => {
    const { files } = roleOf({
      'role.yaml': 'name: hello\n',
      'compose.yaml': `${CLEAN}    volumes: ['./a/x:/x:ro']\n`,
    });
    const linked = new Map([...files, ['a', { link: 'b' }], ['b/x', new Uint8Array()]] as const);
    expect(lintRole({ role: 'hello', files: linked })).toEqual([]);
    const leaving = new Map([
      ...linked,
      ['b/up', { link: '../../other' }],
      ['b/root', { link: '/etc/passwd' }],
    ] as const);
    expect(lintRole({ role: 'hello', files: leaving })).toMatchObject([
      {
        rule: 'self-contained',
        file: 'b/root',
        line: null,
        what: expect.stringContaining('/etc/passwd') as string,
      },
      { rule: 'self-contained', file: 'b/up', line: null },
    ]);
  });

  it('says once what an alias makes stand in several places', () => {
    const aliased = `x-env: &env {A: $UNKNOWN}\n${CLEAN}    environment: *env\n    labels: *env\n`;
    const findings = lintRole(roleOf({ 'role.yaml': 'name: hello\n', 'compose.yaml': aliased }));
    expect(findings).toMatchObject([{ rule: 'variable-undeclared', line: 1 }]);
  });

  it.each([
    ['AWS', `AKIA${'A2'.repeat(8)}`],
    ['GitHub', `ghp_${'a1'.repeat(18)}`],
    ['Slack', ['xoxb', '1234567890', 'abcdef'].join('-')],
    ['private key', '-----BEGIN RSA PRIVATE KEY-----'],
  ])('finds a committed credential: %s', (kind, text) => {
    const role = roleOf({
      'role.yaml': 'name: hello\n',
      'compose.yaml': CLEAN,
      'a.conf': `# one\nkey = ${text}\n`,
    });
    const what = expect.stringContaining(kind) as string;
    expect(lintRole(role)).toMatchObject([{ rule: 'committed-secret', file: 'a.conf', line: 2, what }]);
  });
});

describe('a finding in words', () => {
  it('is one line with the path in the repo, the severity and the rule', () => {
    const [finding] = findingsOf('privileged: true');
    if (finding === undefined) throw new Error('no finding');
    expect(describeFinding(finding, 'hello')).toBe(
      'roles/hello/compose.yaml:7: warning: The service web is privileged: it can do anything on the device. Give it what it needs with `devices:`, `cap_add:` or `group_add:`. [privileged]',
    );
    expect(describeFinding(finding)).toMatch(/^compose\.yaml:7: warning: /);
  });
});

describe('role.yaml, parsed alone,', () => {
  it('comes back typed', () => {
    expect(parseRole('name: hello\nsignals: off\n', 'role.yaml')).toEqual({ name: 'hello', signals: 'off' });
  });

  it('is refused with file and line', () => {
    expect(() => parseRole('name: hello\nsignals: radio\n', 'roles/hello/role.yaml')).toThrow(
      expect.objectContaining({
        problem: expect.objectContaining({
          code: 'role-invalid',
          where: 'roles/hello/role.yaml:2',
        }) as object,
      }) as Error,
    );
  });
});
