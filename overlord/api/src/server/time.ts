/** A moment as the protocol writes it: UTC, whole seconds. */
export function timeOf(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** The same for what may not have happened. */
export function timeOrNull(date: Date | null): string | null {
  return date === null ? null : timeOf(date);
}
