import { TZDateMini } from '@date-fns/tz';
import type { Role } from '@metrica-fleet/protocol';
import type { Moment } from '../ports/clock.ts';

type Day = NonNullable<NonNullable<NonNullable<Role['update']>['window']>['days']>[number];

/** When a swap may happen: `update.window` of a role, with everything in it that the role leaves out. */
export interface UpdateWindow {
  /** Days on which it opens; it may close on the next one. */
  readonly days: readonly Day[];
  /** `HH:MM` on the clock of `timezone`. An end that is not after the start is one of the next day. */
  readonly start: string;
  readonly end: string;
  /** IANA name. */
  readonly timezone: string;
  readonly orNextBoot: boolean;
}

/** In the order of `Date.getDay()`. */
const DAYS: readonly Day[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** The window of a role, or null where it has none. `zone` is the device's own, for a role that names none. */
export function windowOf({ update }: Role, zone: string): UpdateWindow | null {
  if (update?.window === undefined) return null;
  const { days, start, end, timezone, or_next_boot: orNextBoot } = update.window;
  return { days: days ?? DAYS, start, end, timezone: timezone ?? zone, orNextBoot: orNextBoot ?? false };
}

/**
 * Seconds until a window is open; 0 while it is. By the clock on the wall, as it is set where the window says: an hour
 * that the spring skips is taken an hour later, and of one that the autumn repeats the second, so that a window opens
 * once on each of its days.
 */
export function opensIn(window: UpdateWindow, now: Moment): number {
  const instant = new TZDateMini(now.wall, 'UTC').getTime();
  // From yesterday, whose window may still be open, to the same day next week.
  for (let day = -1; day <= 7; day += 1) {
    const { opens, closes } = spanOn(window, instant, day);
    if (opens === null || instant >= closes) continue;
    return Math.max(0, Math.ceil((opens - instant) / 1_000));
  }
  return 0;
}

/** The moment that is `seconds` after now, for people: `2026-01-06 02:00 UTC`. */
export function timeIn(seconds: number, now: Moment): string {
  const then = new TZDateMini(now.wall, 'UTC').getTime() + seconds * 1_000;
  const iso = new TZDateMini(then, 'UTC').toISOString();
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

/** The window of the day that is `ahead` days after today; `opens` is null on a day that has none. Milliseconds since 1970. */
function spanOn(
  { days, start, end, timezone }: UpdateWindow,
  instant: number,
  ahead: number,
): { readonly opens: number | null; readonly closes: number } {
  const at = (clock: string, more: number): number => {
    const today = new TZDateMini(instant, timezone);
    const [hours = 0, minutes = 0] = clock.split(':').map(Number);
    return new TZDateMini(
      today.getFullYear(),
      today.getMonth(),
      today.getDate() + more,
      hours,
      minutes,
      timezone,
    ).getTime();
  };
  const weekday = DAYS[(new TZDateMini(instant, timezone).getDay() + ahead + 7) % 7];
  if (weekday === undefined || !days.includes(weekday)) return { opens: null, closes: 0 };
  return { opens: at(start, ahead), closes: at(end, end > start ? ahead : ahead + 1) };
}
