import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Bench } from './figure.ts';

/** Names of the benches of a clone, sorted: each `test/bench/<name>.ts` is one. */
export async function benchNames(root: string): Promise<readonly string[]> {
  const files = await readdir(join(root, 'test/bench')).catch(() => []);
  return files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

/** Loads a bench that has been built. Throws TypeError where the file is not one. */
export async function loadBench(root: string, name: string): Promise<Bench> {
  const path = join(root, 'test/dist/bench', `${name}.js`);
  const module: { readonly default?: Bench } = await import(pathToFileURL(path).href);
  if (typeof module.default !== 'function')
    throw new TypeError(`test/bench/${name}.ts has no default export`);
  return module.default;
}
