import { Link, useParams } from '@tanstack/react-router';
import type { RolloutSummary } from '@metrica-fleet/protocol/api';
import { useAnswer } from '../../api/calls.ts';
import { Answer } from '../../ui/answer.tsx';
import { Commit } from '../../ui/commit.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { RolloutStateLabel } from '../../ui/rollout-state.tsx';
import { Ago } from '../../ui/time.tsx';
import { Lane } from './lane.tsx';
import { RolloutActions } from './rollout-actions.tsx';
import { RolloutDevices } from './rollout-devices.tsx';

/** One release on its way through the fleet: lanes, gates, devices, and what an operator can do about it. */
export default function RolloutPage() {
  const { id } = useParams({ from: '/fleet/rollouts/$id' });
  const rollout = useAnswer('showRollout', { params: { id } });
  return (
    <Answer query={rollout} height={400}>
      {(answer) => <Shown rollout={answer} />}
    </Answer>
  );
}

function Shown({ rollout }: { rollout: RolloutSummary }) {
  const { role, state, reason, stages } = rollout;
  const ended = state !== 'running' && state !== 'paused';
  return (
    <Page
      title={`${role}: ${rollout.subject}`}
      lead={<Lead rollout={rollout} />}
      actions={<RolloutActions rollout={rollout} />}
    >
      {reason !== null && (
        <Notice
          state={state === 'halted' ? 'failed' : state === 'paused' ? 'held' : 'pending'}
          title={reason}
        >
          {adviceOn(rollout)}
        </Notice>
      )}
      <Section title="Stages">
        <div className="grid gap-3 md:auto-cols-fr md:grid-flow-col">
          {stages.map((stage) => (
            <Lane key={stage.name} stage={stage} ended={ended} />
          ))}
        </div>
      </Section>
      <RolloutDevices rollout={rollout} />
    </Page>
  );
}

function Lead({ rollout }: { rollout: RolloutSummary }) {
  const { state, from, commit, author, createdAt, finishedAt, createdBy } = rollout;
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
      <span className="inline-flex font-medium text-ink">
        <RolloutStateLabel state={state} />
      </span>
      <span>
        {from !== null && (
          <>
            <Commit commit={from} /> →{' '}
          </>
        )}
        <Commit commit={commit} /> by {author}
      </span>
      <span>
        started <Ago at={createdAt} /> by {createdBy}
      </span>
      {finishedAt !== null && (
        <span>
          ended <Ago at={finishedAt} />
        </span>
      )}
      <Link to="/rollouts" className="underline">
        All rollouts
      </Link>
    </div>
  );
}

function adviceOn({ state, from }: RolloutSummary): string | undefined {
  if (state === 'halted') {
    const back =
      from === null
        ? 'It was the first release of its role.'
        : `Devices that took it go back to ${from.slice(0, 7)}.`;
    return `${back} Mend it and push: a new commit makes a new rollout.`;
  }
  if (state === 'paused') return 'No further stage opens until somebody resumes it.';
  return undefined;
}
