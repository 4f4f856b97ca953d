import { FleetError, type Problem } from '@metrica-fleet/protocol';
import type { Source } from './source.ts';

/** Stands where the sources would, when `config.yaml` cannot be used: it answers nothing and says why. */
export function misconfigured(problem: Problem): Source {
  const refuse = (): Promise<never> => Promise.reject(new FleetError(problem));
  return { name: 'config.yaml', needsStatement: true, carrier: false, desired: refuse, fetch: refuse };
}
