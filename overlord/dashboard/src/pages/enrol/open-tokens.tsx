import type { EnrolmentToken } from '@metrica-fleet/protocol/api';
import { useAnswer, useChange } from '../../api/calls.ts';
import { ProblemNotice } from '../../forms/problem-notice.tsx';
import { Answer } from '../../ui/answer.tsx';
import { Button } from '../../ui/button.tsx';
import { Section } from '../../ui/page.tsx';
import { Moment } from '../../ui/time.tsx';

/** Tokens with which devices can still join, newest first. */
export function OpenTokens() {
  const tokens = useAnswer('listEnrolmentTokens', { query: { limit: 50 } });
  return (
    <Section title="Open tokens">
      <Answer query={tokens} height={64}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="text-13 text-ink-2">None. Nobody can join now.</p>
          ) : (
            <ul className="divide-y divide-line rounded border border-line">
              {items.map((token) => (
                <OpenToken key={token.id} token={token} />
              ))}
            </ul>
          )
        }
      </Answer>
    </Section>
  );
}

function OpenToken({ token }: { token: EnrolmentToken }) {
  const revoke = useChange('revokeEnrolmentToken');
  return (
    <li className="grid gap-2 px-4 py-3">
      <div className="flex items-center justify-between gap-4">
        <div className="grid min-w-0 text-13">
          <span className="truncate font-medium">{token.name}</span>
          <span className="text-ink-2">
            {token.usesLeft} of {token.uses} left · {token.segment}
            {token.site !== null && ` · ${token.site}`}
            {!token.autoApprove && ' · waits for approval'} · until <Moment at={token.expiresAt} /> · made by{' '}
            {token.createdBy}
          </span>
        </div>
        <Button
          look="warn"
          busy={revoke.isPending}
          onClick={() => revoke.mutate({ params: { id: token.id } })}
        >
          Revoke
        </Button>
      </div>
      <ProblemNotice error={revoke.error} />
    </li>
  );
}
