import { useState } from 'react';
import type { DeviceEvent } from '@metrica-fleet/protocol/api';
import { useAnswer, usePages } from '../../api/calls.ts';
import { Answer } from '../../ui/answer.tsx';
import { EventGlyph } from '../../ui/event-line.tsx';
import { MoreButton } from '../../ui/more-button.tsx';
import { Section } from '../../ui/page.tsx';
import { clockTime } from '../../ui/time.tsx';
import { groupByDay } from './by-day.ts';

const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

/** What happened to the device and by it, the newest first, by day. */
export function Timeline({ id }: { id: string }) {
  const events = usePages('listDeviceEvents', { params: { id }, query: { limit: 30 } });
  return (
    <Section title="Timeline">
      <Answer query={events} height={320}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="text-13 text-ink-2">Nothing yet.</p>
          ) : (
            <div className="grid gap-4">
              {groupByDay(items).map(({ day, events: ofDay }) => (
                <div key={day} className="grid gap-2">
                  <h3 className="text-12 font-medium text-ink-3">
                    {DAY.format(new Date(ofDay[0]?.at ?? day))}
                  </h3>
                  <ol className="divide-y divide-line rounded border border-line">
                    {ofDay.map((event) => (
                      <Event key={event.id} event={event} />
                    ))}
                  </ol>
                </div>
              ))}
              <MoreButton query={events} />
            </div>
          )
        }
      </Answer>
    </Section>
  );
}

function Event({ event }: { event: DeviceEvent }) {
  return (
    <li className="grid gap-2 px-4 py-2 text-13">
      <div className="flex items-start gap-3">
        <span className="pt-0.5">
          <EventGlyph kind={event.kind} />
        </span>
        <span className="min-w-0 flex-1">{event.text}</span>
        <time dateTime={event.at} title={new Date(event.at).toLocaleString()} className="text-ink-3">
          {clockTime(new Date(event.at))}
        </time>
      </div>
      {event.hasLog && <RunLog event={event} />}
    </li>
  );
}

/** The lines of the run, fetched when somebody opens them. */
function RunLog({ event }: { event: DeviceEvent }) {
  const [open, setOpen] = useState(false);
  const log = useAnswer('showRunLog', { params: { id: event.device, event: event.id } }, { enabled: open });
  return (
    <details className="ml-7" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className="cursor-pointer text-12 text-ink-2 hover:text-ink pointer-coarse:py-3">
        Log of the run
      </summary>
      {open && (
        <Answer query={log} height={80}>
          {({ lines }) => (
            <pre
              tabIndex={0}
              aria-label="Log of the run"
              className="mt-2 max-h-96 overflow-auto rounded border border-line bg-sunken p-3 font-mono text-12 whitespace-pre-wrap break-all"
            >
              {lines.join('\n')}
            </pre>
          )}
        </Answer>
      )}
    </details>
  );
}
