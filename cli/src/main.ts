import { dirname } from 'node:path';
import { runProgram } from './program.ts';

/** The clone: this file is cli/dist/main.js in it. */
const root = dirname(dirname(import.meta.dirname));

process.exitCode = await runProgram(
  process.argv.slice(2),
  {
    out: (text) => void process.stdout.write(text),
    aside: (text) => void process.stderr.write(text),
    cwd: process.cwd(),
    env: process.env,
  },
  root,
);
