import { Link } from '@tanstack/react-router';
import type { RolloutSummary } from '@metrica-fleet/protocol/api';
import { Commit } from './commit.tsx';
import { MiniLanes } from './mini-lanes.tsx';
import { RolloutStateLabel } from './rollout-state.tsx';
import { Ago } from './time.tsx';

/** A rollout in two lines: what it is, how it stands, and its lanes in small. */
export function RolloutRow({ rollout }: { rollout: RolloutSummary }) {
  const { id, role, subject, commit, author, state, reason, createdAt, stages } = rollout;
  return (
    <li className="relative grid gap-2 px-4 py-3 hover:bg-hover md:grid-cols-[1fr_336px] md:items-center md:gap-6">
      <div className="grid min-w-0 gap-1">
        <Link
          to="/rollouts/$id"
          params={{ id }}
          className="truncate text-14 font-medium after:absolute after:inset-0"
        >
          {role}: {subject}
        </Link>
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1 text-13 text-ink-2">
          <RolloutStateLabel state={state} />
          <Commit commit={commit} />
          <span>{author}</span>
          <span className="text-ink-3">
            <Ago at={createdAt} />
          </span>
        </span>
        {reason !== null && <span className="line-clamp-2 text-13 text-ink-2">{reason}</span>}
      </div>
      <MiniLanes stages={stages} />
    </li>
  );
}
