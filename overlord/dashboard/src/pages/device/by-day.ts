import type { DeviceEvent } from '@metrica-fleet/protocol/api';

export interface Day {
  /** Year, month and day where the reader is. */
  readonly day: string;
  readonly events: readonly DeviceEvent[];
}

/** Events as they come, newest first, cut where the reader's day changes. */
export function groupByDay(events: readonly DeviceEvent[]): readonly Day[] {
  const days: { day: string; events: DeviceEvent[] }[] = [];
  for (const event of events) {
    const at = new Date(event.at);
    const day = `${at.getFullYear()}-${at.getMonth() + 1}-${at.getDate()}`;
    const last = days.at(-1);
    if (last?.day === day) last.events.push(event);
    else days.push({ day, events: [event] });
  }
  return days;
}
