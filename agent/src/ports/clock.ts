/**
 * A point in time that survives a wrong clock: a Pi without a battery-backed clock can jump by years when it first
 * hears NTP. Whatever must be waited for is measured with `uptime` within one `boot`; `wall` is for people.
 */
export interface Moment {
  /** ISO 8601, UTC, whole seconds. */
  readonly wall: string;
  /** Seconds since boot, monotonic. */
  readonly uptime: number;
  /** The kernel's boot id. */
  readonly boot: string;
}

export interface Clock {
  now(): Moment;
  /** The device's time zone, as IANA names it. */
  zone(): string;
  sleep(milliseconds: number): Promise<void>;
}
