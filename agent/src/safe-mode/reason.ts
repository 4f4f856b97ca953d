import { ProblemSchema } from '@metrica-fleet/protocol';
import { Enum, Literal, Null, Object as Obj, String as Str, Union, type Static } from 'typebox';
import { Check } from 'typebox/schema';

/** `paths.run.safeMode`: why this device is in safe mode. Written by a run, or by a shell script when runs crash. */
export const SafeModeReasonSchema = Obj({
  schemaVersion: Literal(1),
  device: Str(),
  role: Union([Str(), Null()]),
  commit: Union([Str(), Null()]),
  /** ISO 8601, UTC. */
  since: Str(),
  by: Enum(['failure', 'crashes', 'order']),
  problem: ProblemSchema,
  /** The last lines of the agent and of what failed. */
  log: Str(),
});
export type SafeModeReason = Static<typeof SafeModeReasonSchema>;

/** Reads the reason. Null where the text is none that we know: whoever shows it has to get along without. */
export function parseReason(text: string | null): SafeModeReason | null {
  try {
    const value: unknown = text === null ? null : JSON.parse(text);
    return Check(SafeModeReasonSchema, value) ? value : null;
  } catch {
    return null;
  }
}
