import { clockTime } from '../ui/time.tsx';
import { useLiveState } from './live.tsx';

/** How old what you see is: live, or as of when. Always in sight. */
export function LiveChip() {
  const { phase, asOf } = useLiveState();
  const [dot, text, title] =
    phase === 'live'
      ? ['bg-healthy', 'Live', 'Changes appear by themselves.']
      : phase === 'connecting'
        ? ['bg-offline', 'Connecting…', 'The stream of changes is being opened.']
        : [
            'bg-degraded',
            asOf === null ? 'No connection' : `As of ${clockTime(new Date(asOf))}`,
            'The overlord does not answer; trying again by itself. Devices keep running what they have.',
          ];
  return (
    <span
      role="status"
      title={title}
      className="inline-flex items-center gap-2 rounded-full border border-line px-2 py-0.5 text-12 whitespace-nowrap text-ink-2"
    >
      <span aria-hidden="true" className={`size-2 rounded-full ${dot}`} />
      {text}
    </span>
  );
}
