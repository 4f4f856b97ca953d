import type { UseQueryResult } from '@tanstack/react-query';
import type { Repository } from '@metrica-fleet/protocol/api';
import { Commit } from '../../ui/commit.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Ago } from '../../ui/time.tsx';

/** Where releases come from, and how long ago the overlord looked. */
export function RepositoryLine({ query: { data } }: { query: UseQueryResult<Repository> }) {
  if (data === undefined) return <span className="invisible">…</span>;
  const { url, branch, head, fetchedAt, problem } = data;
  if (url === null) {
    return (
      <Notice state="degraded" title="This overlord follows no repo yet.">
        Start it with <code className="font-mono text-12">--repo &lt;url&gt;</code>.
      </Notice>
    );
  }
  return (
    <div className="grid gap-2">
      <span>
        Follows {branch} of <span className="font-mono text-12 break-all">{url}</span>
        {head !== null && (
          <>
            , now at <Commit commit={head} />
          </>
        )}
        {fetchedAt !== null && (
          <>
            , looked <Ago at={fetchedAt} />
          </>
        )}
      </span>
      {problem !== null && <Notice state="degraded" title={problem} />}
    </div>
  );
}
