import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { buildDashboard } from '../src/build-dashboard.ts';

let root: string;
const write = (path: string, text = ''): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
/** A builder that only notes that it was called. */
const VITE = `const fs = require('node:fs');
fs.mkdirSync('dist', { recursive: true });
fs.writeFileSync('dist/index.html', '');
fs.appendFileSync('../../builds', process.argv[2] + ' ');`;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fleet-dashboard-'));
  write('node_modules/vite/bin/vite.js', VITE);
  write('overlord/dashboard/src/pages/page.tsx');
  write('overlord/dashboard/index.html');
  write('protocol/src/index.ts');
  write('package-lock.json');
});
afterEach(() => rmSync(root, { recursive: true }));

async function builds(): Promise<string> {
  await buildDashboard(root, {});
  return readFileSync(join(root, 'builds'), 'utf8').trim();
}

it('is built once, and not again while nothing changes', async () => {
  expect(await builds()).toBe('build');
  expect(await builds()).toBe('build');
});

it.each<[string, () => void]>([
  ['a page was changed', () => write('overlord/dashboard/src/pages/page.tsx', 'new')],
  ['a page was removed', () => rmSync(join(root, 'overlord/dashboard/src/pages/page.tsx'))],
  ['the contract was changed', () => write('protocol/src/index.ts', 'new')],
  ['packages were changed', () => write('package-lock.json', 'new')],
  ['the build is gone', () => rmSync(join(root, 'overlord/dashboard/dist'), { recursive: true })],
])('is built again when %s', async (_what, change) => {
  await builds();
  change();
  expect(await builds()).toBe('build build');
});

it('is built again when something changed while it was being built', async () => {
  await builds();
  const later = new Date(Date.now() + 1);
  utimesSync(join(root, 'protocol/src/index.ts'), later, later);
  expect(await builds()).toBe('build build');
});
