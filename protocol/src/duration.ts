import { String as StringType } from 'typebox';

/** A duration as people write it in `role.yaml`: a whole number and one unit, `90s`, `5m`, `1h`, `7d`. */
export const DurationSchema = StringType({ pattern: '^[1-9][0-9]{0,6}(s|m|h|d)$' });

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Seconds of a duration that has passed DurationSchema. */
export function seconds(duration: string): number {
  const unit = duration.slice(-1) as keyof typeof SECONDS;
  return Number(duration.slice(0, -1)) * SECONDS[unit];
}
