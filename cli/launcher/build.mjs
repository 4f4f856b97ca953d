import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from './tool.mjs';

/** What the command line is built from: it must be rebuilt when one of these changes. */
const SOURCES = ['protocol/src', 'cli/src'];
const SETTINGS = ['tsconfig.base.json', 'protocol/tsconfig.json', 'cli/tsconfig.json', 'package-lock.json'];

/**
 * True when nothing changed since the last build: one `stat` per file, no compiler.
 *
 * @param {string} root
 */
export function isBuilt(root) {
  const stamp = stampOf(root);
  if (!existsSync(join(root, 'cli/dist/main.js')) || !existsSync(stamp)) return false;
  return readFileSync(stamp, 'utf8') === fingerprint(root);
}

/**
 * Compiles the command line and what it stands on. The fingerprint is taken before: what changes meanwhile is built
 * the next time.
 *
 * @param {string} root
 */
export function build(root) {
  process.stderr.write('Building…\n');
  const before = fingerprint(root);
  runTool([process.execPath, join(root, 'node_modules/typescript/bin/tsc'), '-b', 'cli'], {
    root,
    missing: 'Remove node_modules and run the command again.',
    remedy: 'The compiler says why above. On an unchanged clone: git status, and git checkout what differs.',
  });
  mkdirSync(join(root, '.cache'), { recursive: true });
  writeFileSync(stampOf(root), before);
}

/** @param {string} root */
function fingerprint(root) {
  const hash = createHash('sha256');
  for (const path of [...SETTINGS, ...SOURCES.flatMap((folder) => filesIn(root, folder))]) {
    const { mtimeMs, size } = statSync(join(root, path));
    hash.update(`${path}\0${mtimeMs}\0${size}\n`);
  }
  return hash.digest('hex');
}

/**
 * @param {string} root
 * @param {string} folder
 */
function filesIn(root, folder) {
  const entries = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return entries.map((entry) => join(folder, entry)).sort();
}

/** @param {string} root */
function stampOf(root) {
  return join(root, '.cache', 'build-stamp');
}
