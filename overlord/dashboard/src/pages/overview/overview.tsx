import { Link } from '@tanstack/react-router';
import type { Overview } from '@metrica-fleet/protocol/api';
import { useAnswer } from '../../api/calls.ts';
import { useMay } from '../../session/session.ts';
import { Answer } from '../../ui/answer.tsx';
import { buttonClass } from '../../ui/button.tsx';
import { EventLine } from '../../ui/event-line.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { RolloutRow } from '../../ui/rollout-row.tsx';
import { Attention } from './attention.tsx';
import { FleetMap } from './fleet-map.tsx';
import { Verdict } from './verdict.tsx';
import { Versions } from './versions.tsx';

/** How much of what is over the first screen shows. */
const FINISHED = 2;
const EVENTS = 8;

/** The first screen: how the fleet is, what to look at first, and what is on its way. */
export default function OverviewPage() {
  const overview = useAnswer('overview', {});
  return (
    <Page title="Overview">
      <Answer query={overview} height={480}>
        {(answer) =>
          answer.total === 0 && answer.waiting === 0 ? <EmptyFleet /> : <Fleet overview={answer} />
        }
      </Answer>
    </Page>
  );
}

function Fleet({ overview }: { overview: Overview }) {
  const { verdict, attention, rollouts, versions, events, waiting } = overview;
  return (
    <>
      <Verdict tone={verdict.tone} text={verdict.text} />
      {waiting > 0 && <Waiting count={waiting} />}
      {attention.length > 0 && <Attention causes={attention} />}
      {rollouts.length > 0 && (
        <Section title="Rollouts">
          <ul className="divide-y divide-line rounded border border-line">
            {worthSeeing(rollouts).map((rollout) => (
              <RolloutRow key={rollout.id} rollout={rollout} />
            ))}
          </ul>
        </Section>
      )}
      <FleetMap />
      {versions.length > 0 && <Versions versions={versions} />}
      {events.length > 0 && (
        <Section title="Latest events">
          <ul className="divide-y divide-line rounded border border-line">
            {events.slice(0, EVENTS).map((event) => (
              <EventLine key={event.id} event={event} />
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}

/** Rollouts that are open or were halted, and the last of the others. */
function worthSeeing(rollouts: Overview['rollouts']): Overview['rollouts'] {
  let finished = 0;
  return rollouts.filter(
    ({ state }) => (state !== 'done' && state !== 'superseded') || ++finished <= FINISHED,
  );
}

function Waiting({ count }: { count: number }) {
  return (
    <p className="text-14">
      <Link to="/enrol" className="font-medium underline">
        {count === 1 ? 'One device waits' : `${count} devices wait`}
      </Link>{' '}
      to be let in.
    </p>
  );
}

function EmptyFleet() {
  const mayEnrol = useMay('operator');
  return (
    <div className="grid max-w-lg gap-4 rounded border border-line p-6">
      <h2 className="text-16 font-semibold">No device has joined yet</h2>
      <p className="text-14 text-ink-2">
        A Raspberry Pi joins by one line in its terminal. From then on it fetches its role by itself, and
        shows here how it is.
      </p>
      {mayEnrol ? (
        <div>
          <Link to="/enrol" className={buttonClass('primary')}>
            Let a device join
          </Link>
        </div>
      ) : (
        <p className="text-14 text-ink-2">An operator or admin of this fleet can let devices join.</p>
      )}
    </div>
  );
}
