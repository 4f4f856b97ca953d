import { Array as List, Enum, Object as Obj, String as Str, Tuple, Union, type Static } from 'typebox';
import { IdSchema } from '../names.ts';
import { DEVICE_STATES } from './device-state.ts';

/** What may have changed on the screen: the dashboard asks for it again. */
export const TOPICS = ['devices', 'rollouts', 'releases', 'events', 'enrolment'] as const;
export type Topic = (typeof TOPICS)[number];

/**
 * `data:` of one event of the dashboard's stream, at most two a second: device states as deltas by id, everything else as
 * «this changed» with ids, since what a page shows is aggregated by the server.
 */
export const DeltaSchema = Obj({
  id: Str(),
  /** Devices whose state changed. */
  states: List(Tuple([IdSchema, Enum(DEVICE_STATES)])),
  changed: List(Obj({ topic: Enum(TOPICS), id: Union([IdSchema, Str({ maxLength: 0 })]) })),
});
export type Delta = Static<typeof DeltaSchema>;
