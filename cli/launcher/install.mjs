import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from './tool.mjs';

/**
 * Which package is at a place, in package-lock.json and in what npm records of node_modules.
 *
 * @typedef {{ version?: string, integrity?: string, optional?: boolean }} Installed
 */

/**
 * True when node_modules holds what package-lock.json asks for. The stamp makes the answer cheap; where it is missing
 * or old, what npm recorded decides, so that a hand-made `npm install` counts.
 *
 * @param {string} root
 */
export function isInstalled(root) {
  const wanted = readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (read(stampOf(root)) === digest(wanted)) return true;
  const record = read(join(root, 'node_modules', '.package-lock.json'));
  if (record === null || !holds(packagesIn(record), packagesIn(wanted))) return false;
  writeFileSync(stampOf(root), digest(wanted));
  return true;
}

/**
 * Installs what package-lock.json says and leaves it as it is. Not `npm ci`: that refuses a lock that lacks a binary for
 * somebody else's platform, and npm writes such a lock whenever its registry does not have that binary (yet).
 *
 * @param {string} root
 */
export function install(root) {
  process.stderr.write('Installing packages (first use, about a minute)…\n');
  const wanted = readFileSync(join(root, 'package-lock.json'), 'utf8');
  runTool(['npm', 'install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--prefer-offline'], {
    root,
    missing: 'Install npm; on Debian: apt-get install npm.',
    remedy: 'npm says why above. Check the network and the proxy, then run the command again.',
  });
  writeFileSync(stampOf(root), digest(wanted));
}

/**
 * @param {Record<string, Installed>} present
 * @param {Record<string, Installed>} wanted
 */
function holds(present, wanted) {
  return Object.entries(wanted)
    .filter(([path, { optional }]) => path.includes('node_modules/') && optional !== true)
    .every(([path, { version, integrity }]) => {
      const found = present[path];
      return found !== undefined && found.version === version && found.integrity === integrity;
    });
}

/**
 * @param {string} lock
 * @returns {Record<string, Installed>}
 */
function packagesIn(lock) {
  return JSON.parse(lock).packages;
}

/** @param {string} root */
function stampOf(root) {
  return join(root, 'node_modules', '.metrica-stamp');
}

/** @param {string} text */
function digest(text) {
  return createHash('sha256').update(text).digest('hex');
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
