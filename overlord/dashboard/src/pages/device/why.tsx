import { Check, Dot, Info } from 'lucide-react';
import type { Explanation } from '@metrica-fleet/protocol/api';
import { useAnswer } from '../../api/calls.ts';
import { Answer } from '../../ui/answer.tsx';

const VERDICTS = {
  decides: { icon: Check, className: 'text-healthy', word: 'this decides' },
  passes: { icon: Dot, className: 'text-ink-3', word: 'does not apply' },
  notes: { icon: Info, className: 'text-updating', word: 'good to know' },
} as const;

/** Every rule that was looked at, in order, from the code that answers the device. */
export function Why({ id }: { id: string }) {
  const explanation = useAnswer('explainDevice', { params: { id } });
  return (
    <Answer query={explanation} height={120}>
      {({ rules }) => (
        <ol className="grid gap-2 rounded border border-line p-4 text-13">
          {rules.map((rule) => (
            <Rule key={rule.rule + rule.text} rule={rule} />
          ))}
        </ol>
      )}
    </Answer>
  );
}

function Rule({ rule: { verdict, text } }: { rule: Explanation['rules'][number] }) {
  const { icon: Icon, className, word } = VERDICTS[verdict];
  return (
    <li className="flex gap-2">
      <Icon size={16} aria-hidden="true" className={`mt-0.5 shrink-0 ${className}`} />
      <span className={verdict === 'passes' ? 'text-ink-2' : 'font-medium'}>
        {text}
        <span className="sr-only"> ({word})</span>
      </span>
    </li>
  );
}
