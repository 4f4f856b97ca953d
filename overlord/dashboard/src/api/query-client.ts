import { QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiProblem, isSignedOut } from './problem.ts';

/** Tries again what may be a moment's trouble; a refusal stays a refusal. */
const TRIES = 2;
/** The stream says when something changes; this is for what it does not speak of. Milliseconds. */
const FRESH = 30_000;

/** The answers on the screen. `onSignedOut`: some answer says that the session is over. */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (isSignedOut(error)) onSignedOut();
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: FRESH,
        retry: (failures, error) =>
          failures < TRIES && error instanceof ApiProblem && (error.status === 0 || error.status >= 502),
        refetchOnWindowFocus: true,
      },
    },
  });
}
