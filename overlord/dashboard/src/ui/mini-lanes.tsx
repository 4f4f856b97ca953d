import type { RolloutStage } from '@metrica-fleet/protocol/api';

/** The stages of a rollout as short bars with how many of each are through; for lists. */
export function MiniLanes({ stages }: { stages: readonly RolloutStage[] }) {
  // Released before there was anybody to take it.
  if (stages.every(({ state, counts: { total } }) => total === 0 && state !== 'waiting')) return null;
  return (
    <div className="flex gap-2">
      {stages.map(({ name, state, counts: { total, healthy, failed } }) => (
        <div key={name} className="grid min-w-0 flex-1 gap-1">
          <div aria-hidden="true" className="flex h-1.5 overflow-hidden rounded-full bg-hover">
            <span className="bg-failed" style={{ width: share(failed, total) }} />
            <span className="bg-healthy" style={{ width: share(healthy, total) }} />
          </div>
          <span className="truncate text-12 text-ink-2">
            {name} {state === 'waiting' ? '–' : `${healthy}/${total}`}
            {failed > 0 && <strong className="font-medium text-ink">, {failed} ✕</strong>}
          </span>
        </div>
      ))}
    </div>
  );
}

function share(part: number, total: number): string {
  return `${total === 0 ? 0 : (100 * part) / total}%`;
}
