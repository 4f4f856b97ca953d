import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, isBuilt } from './build.mjs';
import { install, isInstalled } from './install.mjs';
import { underLock } from './lock.mjs';
import { ToolFailed } from './tool.mjs';

/** The folder of this clone, whatever the working directory is. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * From a fresh clone to the command: packages, build, command. What is there already is not done again, and two first
 * uses at once do it one after the other. The command runs in this process.
 *
 * @param {string} root the clone
 */
export async function launch(root) {
  try {
    if (!isInstalled(root) || !isBuilt(root)) {
      await underLock(join(root, '.cache', 'fleet.lock'), () => {
        if (!isInstalled(root)) install(root);
        if (!isBuilt(root)) build(root);
      });
    }
  } catch (thrown) {
    if (!(thrown instanceof ToolFailed)) throw thrown;
    process.stderr.write(`fleet: ${thrown.message}\n`);
    process.exitCode = 1;
    return;
  }
  await import(pathToFileURL(join(root, 'cli/dist/main.js')).href);
}
