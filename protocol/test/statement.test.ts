import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  findPrincipalsArgv,
  parseStatement,
  principalsOf,
  signStatementArgv,
  statementBytes,
  verifyStatementArgv,
  type Statement,
} from '../src/index.ts';

const root = mkdtempSync(join(tmpdir(), 'metrica-statement-'));
afterAll(() => rmSync(root, { recursive: true }));
const at = (name: string): string => join(root, name);
const run = ([program, ...args]: readonly [string, ...string[]], input?: string): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'], input: input ?? '' });

const STATEMENT: Statement = {
  schemaVersion: 1,
  role: 'web',
  commit: 'a'.repeat(40),
  digest: 'b'.repeat(64),
  counter: 3,
  time: '2026-01-01T00:00:00Z',
};

describe('the command lines for statements', () => {
  it('sign, find who it was, and verify, with the real ssh-keygen', () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at('key')]);
    const [type, bytes] = readFileSync(at('key.pub'), 'utf8').split(' ');
    writeFileSync(at('signers'), `ci@example.org,ops@example.org ${type} ${bytes}\n`);
    const text = statementBytes(STATEMENT);
    writeFileSync(at('sig'), run(signStatementArgv(at('key')), text));
    const verification = { signers: at('signers'), signature: at('sig') };
    const principals = principalsOf(run(findPrincipalsArgv(verification)));
    expect(principals).toEqual(['ci@example.org', 'ops@example.org']);
    for (const principal of principals) {
      const argv = verifyStatementArgv(verification, principal);
      expect(run(argv, text)).toContain('Good');
      expect(() => run(argv, `${text} `)).toThrow();
    }
    expect(() => run(verifyStatementArgv(verification, 'eve@example.org'), text)).toThrow();
  });

  it('never take a principal for an option', () => {
    expect(principalsOf('a@x\n-Oevil\n!b@x\n\n')).toEqual(['a@x']);
  });
});

describe('the fixtures of statements', () => {
  const fixtures = join(import.meta.dirname, '../fixtures/statement');
  const texts = (folder: string): [string, string][] =>
    readdirSync(join(fixtures, folder)).map((name) => [
      name,
      readFileSync(join(fixtures, folder, name), 'utf8'),
    ]);

  it.each(texts('valid'))('%s is taken', (name, text) => {
    expect(parseStatement(text, name)).toMatchObject({ schemaVersion: 1 });
  });

  it.each(texts('invalid'))('%s is refused with the code in its name', (name, text) => {
    const code = name.split('.')[1];
    expect(() => parseStatement(text, name)).toThrow(
      expect.objectContaining({ problem: expect.objectContaining({ code, where: name }) as object }) as Error,
    );
  });
});
