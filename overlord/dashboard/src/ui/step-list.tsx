import { Check, Circle, CircleDot, X } from 'lucide-react';

/** One step of something that happens in order. */
export interface Step {
  readonly text: string;
  readonly state: 'done' | 'current' | 'waiting' | 'failed';
  readonly note?: string;
}

const LOOKS = {
  done: { icon: Check, className: 'text-healthy', word: 'done' },
  current: { icon: CircleDot, className: 'text-updating', word: 'under way' },
  waiting: { icon: Circle, className: 'text-ink-3', word: 'not yet' },
  failed: { icon: X, className: 'text-failed', word: 'failed' },
} as const;

/** Steps with a sign each; the sign has a word for those who do not see it. */
export function StepList({ steps }: { steps: readonly Step[] }) {
  return (
    <ol className="grid gap-1">
      {steps.map(({ text, state, note }) => {
        const { icon: Icon, className, word } = LOOKS[state];
        return (
          <li key={text} className="flex gap-2 text-13">
            <Icon size={16} aria-hidden="true" className={`mt-0.5 shrink-0 ${className}`} />
            <span className={state === 'waiting' ? 'text-ink-3' : ''}>
              {text}
              <span className="sr-only">: {word}</span>
              {note !== undefined && <span className="block text-ink-2">{note}</span>}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
