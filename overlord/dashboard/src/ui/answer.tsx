import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ProblemNotice } from '../forms/problem-notice.tsx';

/**
 * What a query shows: a quiet placeholder of about its `height` (px, so that nothing jumps) until there is an answer; the
 * answer, even while a newer one cannot be had; the problem when there never was one.
 */
export function Answer<T>({
  query,
  height = 120,
  children,
}: {
  query: UseQueryResult<T>;
  height?: number;
  children: (answer: T) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.isError) return <ProblemNotice error={query.error} />;
  return (
    <div
      role="status"
      aria-label="Loading"
      className="animate-pulse rounded border border-line bg-sunken"
      style={{ height }}
    />
  );
}
