import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Part, Program } from './parts.ts';

export interface Machine {
  readonly isRoot: boolean;
  has(program: string): boolean;
}

/** This machine. Programs of administrators count even where PATH leaves their folders out. */
export function thisMachine(path = process.env['PATH'] ?? ''): Machine {
  const folders = [...path.split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return {
    isRoot: process.getuid?.() === 0,
    has: (program) => folders.some((folder) => isExecutable(join(folder, program))),
  };
}

/** Why a part cannot run here, with what to do about it; null when it can. */
export function whyNot({ needsRoot, programs }: Part, machine: Machine): string | null {
  const missing = programs.filter(({ program }) => !machine.has(program));
  const reasons = [
    ...(needsRoot && !machine.isRoot ? ['it needs root'] : []),
    ...(missing.length > 0 ? [`${missing.map(({ program }) => program).join(', ')} missing`] : []),
  ];
  if (reasons.length === 0) return null;
  const remedy = missing.length > 0 ? `: apt-get install ${packagesOf(missing).join(' ')}` : '';
  return `${reasons.join('; ')}${remedy}`;
}

/** Debian packages, sorted, each once. */
export function packagesOf(programs: readonly Program[]): string[] {
  return [...new Set(programs.map((program) => program.package))].sort();
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
