import { mkdirSync, readdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** No holder needs longer; after that its pid must belong to somebody else. Milliseconds. */
const LONGEST = 30 * 60_000;

/**
 * Does the work while no other process does it. The lock is a folder with one file, `<pid>-<start>`, of its holder. A
 * prepared folder is renamed onto it, which succeeds only where it is absent or empty. What a dead holder left is
 * deleted by its name, so a taker that comes late can never delete the lock of a living one.
 *
 * @param {string} path
 * @param {() => void} work
 */
export async function underLock(path, work) {
  const name = `${process.pid}-${Date.now()}`;
  const prepared = `${path}.${name}`;
  mkdirSync(prepared, { recursive: true });
  writeFileSync(join(prepared, name), '');
  try {
    for (let said = false; !take(prepared, path); said = true) {
      if (!said) process.stderr.write('Another fleet command is installing; waiting for it…\n');
      await sleep(200);
    }
    work();
  } finally {
    rmSync(prepared, { recursive: true, force: true });
    remove(join(path, name));
  }
}

/**
 * @param {string} prepared
 * @param {string} path
 */
function take(prepared, path) {
  try {
    renameSync(prepared, path);
    return true;
  } catch (thrown) {
    if (!isCode(thrown, 'ENOTEMPTY', 'EEXIST')) throw thrown;
    for (const holder of readdirSync(path)) if (isGone(holder)) remove(join(path, holder));
    return false;
  }
}

/** @param {string} holder */
function isGone(holder) {
  const [pid, start] = holder.split('-').map(Number);
  if (pid === undefined || start === undefined || Date.now() - start > LONGEST) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (thrown) {
    return isCode(thrown, 'ESRCH');
  }
}

/** @param {string} path */
function remove(path) {
  try {
    unlinkSync(path);
  } catch (thrown) {
    if (!isCode(thrown, 'ENOENT')) throw thrown;
  }
}

/**
 * @param {unknown} thrown
 * @param {readonly string[]} codes
 */
function isCode(thrown, ...codes) {
  return thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code));
}
