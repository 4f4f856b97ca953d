import type { VariableLayer } from '@metrica-fleet/protocol';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../../src/act/context.ts';
import { validateRelease } from '../../src/act/validate.ts';
import { bench, type Bench } from '../sources/bench.ts';

const TEMPLATE = join(import.meta.dirname, '../../../templates/role');

let on: Bench;
let folder: string;
beforeEach(async () => {
  on = bench();
  folder = on.folder();
  await on.context.ports.disk.makeFolder('test.releases', on.context.paths.releases);
});
afterEach(() => on.clear());

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const validate = (role: string, layers: readonly VariableLayer[] = []): ReturnType<typeof validateRelease> =>
  validateRelease(on.context as unknown as Context, {
    folder,
    release: { role, commit: 'a'.repeat(40), digest: 'b'.repeat(64) },
    layers,
  });

function writeSmallRole(): void {
  write('role.yaml', 'name: web\nvars: {NAME: {type: string}}\n');
  write('compose.yaml', 'services:\n  page:\n    image: nginx:1\n    environment: {NAME: "${NAME}"}\n');
}

/** What is changed in a good small role (null removes the file), and what the refusal must say. */
interface Spoiled {
  readonly file: string;
  readonly text: string | null;
  readonly message: RegExp;
}

describe('a release on its way in', () => {
  it('is valid when it is the template', async () => {
    cpSync(TEMPLATE, folder, { recursive: true });
    rmSync(join(folder, 'validate.sh'), { force: true });
    const { role } = await validate(
      (await on.context.ports.disk.readText(join(folder, 'role.yaml')))?.match(/^name: (\S+)/m)?.[1] ?? '',
    );
    expect(role.name).not.toBe('');
  });

  it('gets its variables from the layers', async () => {
    writeSmallRole();
    const { variables } = await validate('web', [{ from: 'sites/a.yaml', values: { NAME: 'x' } }]);
    expect(variables).toEqual({ NAME: 'x' });
  });

  const role = (text: string | null, message: RegExp): Spoiled => ({ file: 'role.yaml', text, message });
  const compose = (text: string | null, message: RegExp): Spoiled => ({
    file: 'compose.yaml',
    text,
    message,
  });
  it.each<[string, string, Spoiled]>([
    ['role-invalid', 'no role.yaml', role(null, /role\.yaml/)],
    ['role-invalid', 'a typo in role.yaml', role('name: web\nvras: {}\n', /role\.yaml:2/)],
    ['role-invalid', 'another name', role('name: other\nvars: {NAME: {type: string}}\n', /role\.yaml:1/)],
    ['compose-invalid', 'no compose file', compose(null, /compose/)],
    ['compose-invalid', 'no YAML', compose('services: [\n', /compose\.yaml:\d/)],
    ['compose-invalid', 'a build', compose('services:\n  page:\n    build: .\n', /compose\.yaml:3/)],
    [
      'variables-invalid',
      'a variable that nobody gives',
      role('name: web\nvars: {NAME: {type: string}}\n', /NAME/),
    ],
  ])('is refused as %s for %s', async (expected, _, { file, text, message }) => {
    writeSmallRole();
    if (text === null) rmSync(join(folder, file));
    else write(file, text);
    const refused = validate('web');
    await expect(refused).rejects.toMatchObject({ problem: { code: expected } });
    await expect(refused).rejects.toThrow(message);
  });

  it('says with file and line what does not suit, before it asks for variables', async () => {
    writeSmallRole();
    write('role.yaml', 'name: web\nrequires: {devices: [/dev/none]}\nvars: {NAME: {type: string}}\n');
    await expect(validate('web')).rejects.toThrow(/\/dev\/none, which is not here.*role\.yaml/);
  });
});
