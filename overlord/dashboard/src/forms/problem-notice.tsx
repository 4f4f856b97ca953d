import { ApiProblem } from '../api/problem.ts';
import { Notice } from '../ui/notice.tsx';

/** What went wrong and what to do, in the words of the overlord. */
export function ProblemNotice({ error }: { error: Error | null }) {
  if (error === null) return null;
  const remedy = error instanceof ApiProblem ? error.remedy : 'Reload the page; tell us if it happens again.';
  return (
    <Notice state="failed" title={error.message}>
      {remedy}
    </Notice>
  );
}
