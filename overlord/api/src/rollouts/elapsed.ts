/** Seconds from a moment (ISO 8601) until now. */
export function secondsSince(time: string, now: Date): number {
  return (now.getTime() - Date.parse(time)) / 1_000;
}
