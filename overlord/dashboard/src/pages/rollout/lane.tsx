import { Check, CircleDashed, CircleDot, Hourglass } from 'lucide-react';
import type { RolloutStage, StageCounts } from '@metrica-fleet/protocol/api';
import { ShareBar, type Share } from '../../ui/share-bar.tsx';
import { Countdown, duration } from '../../ui/time.tsx';

const STATES = {
  waiting: { icon: CircleDashed, text: 'Waits', atTheEnd: 'Not opened', className: 'text-ink-3' },
  open: { icon: CircleDot, text: 'Open', atTheEnd: 'Ended here', className: 'text-updating' },
  soaking: { icon: Hourglass, text: 'Soaking', atTheEnd: 'Ended here', className: 'text-updating' },
  passed: { icon: Check, text: 'Passed', atTheEnd: 'Passed', className: 'text-healthy' },
} as const;

/** One lane of a rollout: its devices, its gate as measured now, and how long it still has to hold. */
export function Lane({ stage, ended }: { stage: RolloutStage; ended: boolean }) {
  const { icon: Icon, className, ...look } = STATES[stage.state];
  const text = ended ? look.atTheEnd : look.text;
  return (
    <div className={`grid content-start gap-3 rounded border p-4 ${borderOf(stage, ended)}`}>
      <div className="flex items-baseline justify-between gap-2">
        <h3 className="text-14 font-semibold">{stage.name}</h3>
        <span className="inline-flex items-center gap-1.5 text-13 text-ink-2">
          <Icon size={14} aria-hidden="true" className={`self-center ${className}`} />
          {text}
        </span>
      </div>
      {stage.state !== 'waiting' && <ShareBar shares={sharesOf(stage.counts)} total={stage.counts.total} />}
      <p className="text-13">{stage.gate}</p>
      <p className="text-12 text-ink-3">
        {stage.state === 'soaking' && stage.soakEndsAt !== null && !ended ? (
          <>
            Holds for <Countdown to={stage.soakEndsAt} /> more.
          </>
        ) : (
          rulesOf(stage)
        )}
      </p>
    </div>
  );
}

function borderOf({ state }: RolloutStage, ended: boolean): string {
  return !ended && (state === 'open' || state === 'soaking') ? 'border-updating' : 'border-line';
}

/** The devices of a stage, the worst first. */
function sharesOf({ pending, updating, healthy, failed, offline }: StageCounts): readonly Share[] {
  return [
    { state: 'failed', label: 'failed', count: failed },
    { state: 'healthy', label: 'healthy', count: healthy },
    { state: 'updating', label: 'updating', count: updating },
    { state: 'pending', label: 'pending', count: pending - offline },
    { state: 'offline', label: 'offline', count: offline },
  ];
}

function rulesOf({ soakSeconds, maxFailedPercent, promotion }: RolloutStage): string {
  const soak = soakSeconds === 0 ? 'No soak' : `Soak ${duration(soakSeconds)}`;
  const failures = maxFailedPercent === 0 ? 'no failure allowed' : `up to ${maxFailedPercent} % may fail`;
  return `${soak}, ${failures}, ${promotion === 'manual' ? 'promoted by hand' : 'promoted by itself'}.`;
}
