import type { Problem } from '@metrica-fleet/protocol';
import type { Config } from '../config.ts';
import type { Paths } from '../paths.ts';
import type { Ports } from '../ports/ports.ts';
import type { Label } from '../ports/ports.ts';
import type { Finding } from './finding.ts';

/** The device that is looked at. Nothing of it is changed. */
export interface Patient {
  readonly ports: Pick<Ports, 'clock' | 'disk' | 'exec' | 'http'>;
  readonly paths: Paths;
  /** Where a file of the system lies: `/proc/meminfo` itself on a device, under a folder in tests. */
  readonly at: (path: string) => string;
  /** Null where it cannot be used; then `configProblem` says why. */
  readonly config: Config | null;
  readonly configProblem: Problem | null;
  /** The kernel's lines of this boot; asked for once. */
  readonly kernelLog: () => Promise<KernelLog>;
}

/** Null where nobody can tell: no journal, or one that this user may not read. */
export type KernelLog = readonly string[] | null;

/** Something that is looked at as a whole: what is gathered through ports, then judged without them. */
export interface Topic {
  /** For people, and a fallback name of the check that did not end in time. */
  readonly name: string;
  readonly examine: (patient: Patient) => Promise<readonly Finding[]>;
}

/** A topic of two halves, so that judging needs no device. */
export function topic<Facts>(
  name: string,
  gather: (patient: Patient) => Promise<Facts>,
  judge: (facts: Facts) => readonly Finding[],
): Topic {
  return { name, examine: async (patient) => judge(await gather(patient)) };
}

/** What a program said. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Milliseconds for one program. All topics go side by side, so that this is nearly the time of them all. */
const DEADLINE = 8_000;

/** Runs a program to its end; null where it is not installed, or did not end in time. */
export async function says(
  { ports }: Pick<Patient, 'ports'>,
  label: Label,
  argv: readonly [string, ...string[]],
): Promise<Said | null> {
  try {
    const { code, stdout, stderr } = await ports.exec.run({ label, argv, deadline: DEADLINE, cwd: '/' });
    return { code, out: stdout.toString('utf8').trim(), err: stderr.trim() };
  } catch {
    return null;
  }
}

/** A file of the system, or null where there is none, or none that this user may read. */
export async function textAt({ ports, at }: Patient, path: string): Promise<string | null> {
  try {
    return await ports.disk.readText(at(path));
  } catch {
    return null;
  }
}

/** Names in a folder of the system; empty where there is none. */
export async function namesAt({ ports, at }: Patient, path: string): Promise<readonly string[]> {
  try {
    return (await ports.disk.list(at(path))) ?? [];
  } catch {
    return [];
  }
}
