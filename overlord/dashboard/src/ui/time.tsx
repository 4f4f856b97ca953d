import { useEffect, useState } from 'react';

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const MOMENT = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** 03:02, in the reader's time zone. */
export function clockTime(date: Date): string {
  return CLOCK.format(date);
}

/** How long ago, in the largest unit that says enough: «now», «40 s», «12 min», «5 h», then the day. Milliseconds. */
export function ago(then: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 5) return 'now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return DAY.format(new Date(then));
}

/** A length of time in words that fit a lane: 45 s, 12 min, 1 h 30 min, 3 d. Seconds. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600)
    return whole % 60 === 0 || whole > 600
      ? `${Math.round(whole / 60)} min`
      : `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) {
    const minutes = Math.floor((whole % 3600) / 60);
    return `${Math.floor(whole / 3600)} h${minutes === 0 ? '' : ` ${minutes} min`}`;
  }
  return `${Math.floor(whole / 86_400)} d`;
}

/** The time, again every `every` milliseconds: for countdowns and «2 min ago». */
function useNow(every = 10_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, every);
    return () => {
      clearInterval(timer);
    };
  }, [every]);
  return now;
}

/** When something was: how long ago, with the exact time on hover and for machines. */
export function Ago({ at }: { at: string }) {
  const now = useNow();
  const date = new Date(at);
  return (
    <time dateTime={at} title={FULL.format(date)} className="whitespace-nowrap">
      {ago(date.getTime(), now)}
    </time>
  );
}

/** A moment that is not today's: day and time, exact on hover. */
export function Moment({ at }: { at: string }) {
  const date = new Date(at);
  return (
    <time dateTime={at} title={FULL.format(date)} className="whitespace-nowrap">
      {MOMENT.format(date)}
    </time>
  );
}

/** The time left until `to`, each second; «0 s» once it is over. */
export function Countdown({ to }: { to: string }) {
  const now = useNow(1_000);
  return <span className="whitespace-nowrap">{duration((Date.parse(to) - now) / 1000)}</span>;
}
