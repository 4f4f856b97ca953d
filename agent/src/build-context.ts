import { problemOf } from '@metrica-fleet/protocol';
import type { Context } from './act/context.ts';
import { fallbackConfig, readConfig } from './config.ts';
import type { Paths } from './paths.ts';
import type { Ports } from './ports/ports.ts';
import { misconfigured } from './sources/misconfigured.ts';
import { sourcesOf } from './sources/sources.ts';

/** How long one run watches a health gate before it leaves the rest to the next. Milliseconds. */
const GATE_BUDGET = 45_000;

/** The host that the agent works on. */
export interface Host {
  readonly ports: Ports;
  readonly paths: Paths;
  /** Default name of the device. */
  readonly hostname: string;
}

/**
 * What a run works with. A configuration that cannot be read stops no device: what runs is kept and healed, and the
 * status says what is wrong.
 */
export async function buildContext({ ports, paths, hostname }: Host): Promise<Context> {
  const common = { ports, paths, budget: GATE_BUDGET };
  try {
    const config = await readConfig(ports.disk, paths, hostname);
    return { ...common, config, sources: sourcesOf(config, { ports, paths }) };
  } catch (thrown) {
    return { ...common, config: fallbackConfig(hostname), sources: [misconfigured(problemOf(thrown))] };
  }
}
