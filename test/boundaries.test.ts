import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** The import rules are only as good as what they catch: each is broken here on purpose, in a small tree of its own. */
const ROOT = dirname(import.meta.dirname);

/** A tree that keeps every rule, with the imports that are allowed although they come close. */
const GOOD: Readonly<Record<string, string>> = {
  'protocol/src/index.ts': 'export const contract = 1;',
  'agent/src/main.ts': "import { disk } from './ports/real/disk.ts';\nexport const it = disk;",
  'agent/src/ports/disk.ts': "import type { All } from './all.ts';\nexport interface Disk { all: All }",
  'agent/src/ports/all.ts': "import type { Disk } from './disk.ts';\nexport interface All { disk: Disk }",
  'agent/src/ports/real/disk.ts':
    "import { readFileSync } from 'node:fs';\nexport const disk = readFileSync;",
  'agent/src/act/act.ts': 'export const act = 1;\nexport interface Act { act: 1 }',
  'agent/src/decide/decide.ts':
    "import { contract } from '@metrica-fleet/protocol';\nimport type { Disk } from '../ports/disk.ts';\nimport { sibling } from './sibling.ts';\nexport const decide = (disk: Disk) => [disk, contract, sibling];",
  'agent/src/decide/sibling.ts': 'export const sibling = Math.max(1, 2);',
  'agent/src/observe/observe.ts':
    "import type { Act } from '../act/act.ts';\nexport const observe = (act: Act) => act;",
  'cli/src/main.ts': "import { contract } from '@metrica-fleet/protocol';\nexport const cli = contract;",
  'overlord/api/src/main.ts': 'export const api = 1;',
  'overlord/api/src/rollouts/engine.ts': 'export const engine = new Date();',
  'overlord/api/src/rollouts/gate.ts': 'export const gate = 1;',
  'overlord/api/src/rollouts/planner.ts':
    "import { contract } from '@metrica-fleet/protocol';\nimport type { engine } from './engine.ts';\nimport { gate } from './gate.ts';\nexport const plan = (now: typeof engine) => [gate, contract, now];",
  'overlord/dashboard/src/main.ts': 'export const dashboard = 1;',
  'overlord/dashboard/src/pages/page.tsx':
    "import { contract } from '@metrica-fleet/protocol';\nimport { dashboard } from '../main.ts';\nexport const Page = () => <p title={String(contract)}>{dashboard}</p>;",
  'simulator/src/main.ts': "import { it } from '../../agent/src/main.ts';\nexport const simulator = it;",
  'test/some.test.ts': "import { it } from '../agent/src/main.ts';\nexport const test = it;",
};

let tree: string;
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'fleet-boundaries-'));
  for (const file of ['.dependency-cruiser.cjs', '.oxlintrc.json', 'tsconfig.base.json'])
    cpSync(join(ROOT, file), join(tree, file));
  for (const [path, text] of Object.entries(GOOD)) plant(path, text);
  for (const name of ['protocol', 'agent', 'cli']) {
    const json = {
      name: `@metrica-fleet/${name}`,
      type: 'module',
      exports: { '.': { source: './src/index.ts' } },
    };
    plant(`${name}/package.json`, JSON.stringify(json));
    mkdirSync(join(tree, 'node_modules/@metrica-fleet'), { recursive: true });
    symlinkSync(join(tree, name), join(tree, 'node_modules/@metrica-fleet', name));
  }
});
afterEach(() => {
  rmSync(tree, { recursive: true, force: true });
});

describe('dependency-cruiser', () => {
  const PLANTS: Readonly<Record<string, readonly [path: string, text: string]>> = {
    'agent-imports-protocol-only': ['agent/src/x.ts', "export { cli } from '../../cli/src/main.ts';"],
    'cli-imports-protocol-only': ['cli/src/x.ts', "import { it } from '../../agent/src/main.ts';\nit();"],
    'overlord-api-imports-protocol-only': [
      'overlord/api/src/x.ts',
      "import type { it } from '../../../agent/src/main.ts';\nexport type It = typeof it;",
    ],
    'overlord-dashboard-imports-protocol-only': [
      'overlord/dashboard/src/x.ts',
      "export const x = await import('../../api/src/main.ts');",
    ],
    'simulator-imports-protocol-only': ['simulator/src/x.ts', "export * from '../../cli/src/main.ts';"],
    'protocol-imports-nobody': ['protocol/src/x.ts', "export { it } from '../../agent/src/main.ts';"],
    'ports-are-built-in-main': ['agent/src/act/x.ts', "export { disk } from '../ports/real/disk.ts';"],
  };

  it('has a plant here for each of its rules', () => {
    const { forbidden }: { readonly forbidden: readonly { readonly name: string }[] } = createRequire(
      import.meta.url,
    )('../.dependency-cruiser.cjs');
    expect(Object.keys(PLANTS).sort()).toEqual(forbidden.map(({ name }) => name).sort());
  });

  it('accepts the good tree, and has really read its TypeScript', async () => {
    const { violations, edges } = await cruise();
    expect(violations).toEqual([]);
    expect(edges).toContain('agent/src/main.ts → agent/src/ports/real/disk.ts');
    expect(edges).toContain('cli/src/main.ts → protocol/src/index.ts');
  });

  it.each(Object.entries(PLANTS))(
    'catches a violation of %s, and nothing else',
    async (rule, [path, text]) => {
      plant(path, text);
      const { violations } = await cruise();
      expect(violations).toEqual([`${rule}: ${path}`]);
    },
  );

  it('follows the name of a package to its source', async () => {
    plant('agent/src/index.ts', 'export const agent = 1;');
    plant('cli/src/x.ts', "export { agent } from '@metrica-fleet/agent';");
    expect((await cruise()).violations).toEqual(['cli-imports-protocol-only: cli/src/x.ts']);
  });
});

describe('oxlint', () => {
  it('accepts the good tree', async () => {
    expect(await lint()).toEqual([]);
  });

  it.each([
    ['I/O', "export { readFileSync } from 'node:fs';", 'no-restricted-imports'],
    ['a package', "export { it } from 'vitest';", 'no-restricted-imports'],
    [
      'another folder',
      "import { act } from '../act/act.ts';\nexport const x = act;",
      'no-restricted-imports',
    ],
    ['a detour', "import { act } from './../act/act.ts';\nexport const x = act;", 'no-restricted-imports'],
    ['a late import', "export const x = await import('node:fs');", 'no-restricted-imports'],
    ['the time', 'export const x = new Date();', 'no-restricted-globals'],
    ['the environment', 'export const x = process.env;', 'no-restricted-globals'],
    ['randomness', 'export const x = Math.random();', 'no-restricted-properties'],
  ])('catches %s in decide/', async (_what, text, rule) => {
    plant('agent/src/decide/x.ts', text);
    expect(await lint()).toEqual([`eslint(${rule}): agent/src/decide/x.ts`]);
  });

  it.each([
    ['the database', "import { db } from '../main.ts';\nexport const x = db;", 'no-restricted-imports'],
    [
      'the engine',
      "import { engine } from './engine.ts';\nexport const x = engine;",
      'no-restricted-imports',
    ],
    ['the time', 'export const x = new Date();', 'no-restricted-globals'],
    ['randomness', 'export const x = Math.random();', 'no-restricted-properties'],
  ])('catches %s in the rollout planner', async (_what, text, rule) => {
    plant('overlord/api/src/rollouts/planner.ts', text);
    expect(await lint()).toEqual([`eslint(${rule}): overlord/api/src/rollouts/planner.ts`]);
  });

  it('catches observe/ when it acts', async () => {
    plant('agent/src/observe/x.ts', "import { act } from '../act/act.ts';\nexport const x = act;");
    expect(await lint()).toEqual(['eslint(no-restricted-imports): agent/src/observe/x.ts']);
  });

  it.each([
    ['the overlord', "export { api } from '../../../api/src/main.ts';"],
    ['a package of ours', "export { api } from '@metrica-fleet/overlord';"],
    ['Node', "export { readFileSync } from 'node:fs';"],
  ])('catches %s in a page of the dashboard', async (_what, text) => {
    plant('overlord/dashboard/src/pages/x.tsx', text);
    expect(await lint()).toEqual(['eslint(no-restricted-imports): overlord/dashboard/src/pages/x.tsx']);
  });

  it('catches a cycle', async () => {
    plant('cli/src/x.ts', "import { y } from './y.ts';\nexport const x = () => y;");
    plant('cli/src/y.ts', "import { x } from './x.ts';\nexport const y = () => x;");
    expect(await lint()).toEqual(['import(no-cycle): cli/src/x.ts', 'import(no-cycle): cli/src/y.ts']);
  });
});

function plant(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), `${text}\n`);
}

interface Cruised {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly { readonly resolved: string }[];
  }[];
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
  };
}

async function cruise(): Promise<{ violations: string[]; edges: string[] }> {
  const folders = ['protocol', 'agent', 'cli', 'overlord', 'simulator', 'test'];
  const { modules, summary }: Cruised = JSON.parse(
    await tool('depcruise', ['--config', '.dependency-cruiser.cjs', '-T', 'json', ...folders]),
  );
  return {
    violations: summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`),
    edges: modules.flatMap(({ source, dependencies }) =>
      dependencies.map(({ resolved }) => `${source} → ${resolved}`),
    ),
  };
}

async function lint(): Promise<string[]> {
  const {
    diagnostics,
  }: { readonly diagnostics: readonly { readonly code: string; readonly filename: string }[] } = JSON.parse(
    await tool('oxlint', ['-f', 'json', '.']),
  );
  return diagnostics.map(({ code, filename }) => `${code}: ${filename}`).sort();
}

/** Runs a tool of the clone in the tree; returns its stdout, whatever its exit code. */
function tool(name: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(join(ROOT, 'node_modules/.bin', name), args, { cwd: tree }, (_error, stdout) => resolve(stdout));
  });
}
