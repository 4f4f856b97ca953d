import { Link } from '@tanstack/react-router';
import { ChevronRight } from 'lucide-react';
import type { Overview } from '@metrica-fleet/protocol/api';
import { Section } from '../../ui/page.tsx';
import { StateGlyph } from '../../ui/state-glyph.tsx';
import { Ago } from '../../ui/time.tsx';

type Cause = Overview['attention'][number];

/** What needs somebody, one line a cause, the worst first; each leads to its devices. */
export function Attention({ causes }: { causes: readonly Cause[] }) {
  return (
    <Section title="Needs attention">
      <ul className="divide-y divide-line rounded border border-line">
        {causes.map((cause) => (
          <CauseRow key={`${cause.state} ${cause.code} ${cause.role} ${cause.commit}`} cause={cause} />
        ))}
      </ul>
    </Section>
  );
}

function CauseRow({ cause }: { cause: Cause }) {
  const { state, code, text, devices, sample, since, role, commit } = cause;
  const search = {
    state,
    ...(code === null ? {} : { problem: code }),
    ...(role === null ? {} : { role }),
    ...(commit === null ? {} : { commit }),
  };
  const more = devices - sample.length;
  return (
    <li className="relative flex items-start gap-3 px-4 py-3 hover:bg-hover">
      <span className="pt-0.5">
        <StateGlyph state={state} />
      </span>
      <div className="grid min-w-0 flex-1 gap-1">
        <Link to="/devices" search={search} className="text-14 font-medium after:absolute after:inset-0">
          {text}
        </Link>
        <span className="text-13 text-ink-2">
          {sample.join(', ')}
          {more > 0 && ` and ${more} more`}
          {since !== null && (
            <>
              {' · since '}
              <Ago at={since} />
            </>
          )}
        </span>
      </div>
      <ChevronRight size={16} aria-hidden="true" className="mt-0.5 shrink-0 text-ink-3" />
    </li>
  );
}
