import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { RoleEntry, RoleFiles } from '../../src/lint/lint.ts';

/** The files of a folder as the lint wants them. */
export function readFolder(folder: string, role: string): RoleFiles {
  const files = new Map<string, RoleEntry>();
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const full = join(folder, path);
    const stat = lstatSync(full);
    if (stat.isSymbolicLink()) files.set(path, { link: readlinkSync(full) });
    else if (stat.isFile()) files.set(path, readFileSync(full));
  }
  return { role, files };
}

/** A role whose files are given as text. */
export function roleOf(texts: Readonly<Record<string, string>>, role = 'hello'): RoleFiles {
  const encoder = new TextEncoder();
  return { role, files: new Map(Object.entries(texts).map(([path, text]) => [path, encoder.encode(text)])) };
}
