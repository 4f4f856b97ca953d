import type { Context } from '../act/context.ts';
import { hasOverlord } from '../config.ts';
import type { Moment } from '../ports/clock.ts';
import { wallAt, type Outage } from '../sources/outages.ts';
import type { Silence } from '../sources/silence.ts';
import { addReport, reportId } from './outbox.ts';

type Places = Pick<Context, 'ports' | 'paths' | 'config'>;

export interface Return {
  readonly source: string;
  readonly outage: Outage;
  /** What is known of it in this boot; undefined where it was not asked before. */
  readonly silence: Silence | undefined;
  /** The source that was followed meanwhile; null where there was none. */
  readonly followed: string | null;
}

/** Tells the log that a source is back, and the overlord where there is one. The same outage is the same report. */
export async function reportReturn({ ports, paths, config }: Places, back: Return): Promise<void> {
  const now = ports.clock.now();
  const detail = describeOutage(back, now);
  ports.log.notice('A source answers again', { outage: detail });
  if (!hasOverlord(config)) return;
  const { boot, uptime } = back.outage.since;
  await addReport(ports.disk, paths.outbox, {
    id: reportId(config.device, 'outage', back.source, boot, String(uptime)),
    at: now.wall,
    kind: 'outage',
    detail,
    ...(back.silence === undefined ? {} : { problem: back.silence.problem }),
  });
}

/**
 * From when until when, in words. Within one boot the length is measured, and the beginning follows from it, whatever
 * the clock said then. Over a reboot nobody has measured: what the clock said is told as that, and what is certain too.
 */
function describeOutage({ source, outage, silence, followed }: Return, now: Moment): string {
  const { since } = outage;
  const asked = silence === undefined ? '' : `; asked ${silence.tries} times since the last start`;
  const instead = followed === null || followed === source ? '' : `; followed meanwhile: ${followed}`;
  if (since.boot === now.boot) {
    const length = `${durationOf(now.uptime - since.uptime)}, measured`;
    return `${source} did not answer from ${wallAt(since.uptime, now)} until ${now.wall}: ${length}${asked}${instead}`;
  }
  const restarts = outage.restarts + (outage.boot === now.boot ? 0 : 1);
  const here = silence === undefined ? now.uptime : now.uptime - silence.since;
  const doubt =
    Date.parse(since.wall) > Date.parse(now.wall) ? ' (the clock was wrong at one of the two)' : '';
  return (
    `${source} did not answer from ${since.wall} until ${now.wall} by the clock${doubt}; ` +
    `${restarts} ${restarts === 1 ? 'restart' : 'restarts'} in between, the last ${durationOf(here)} measured${asked}${instead}`
  );
}

function durationOf(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
