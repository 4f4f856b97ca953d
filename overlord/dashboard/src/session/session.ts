import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import type { Me } from '@metrica-fleet/protocol/api';
import { mayCall, type Principal } from '@metrica-fleet/protocol/principals';
import type { Client } from '../api/client.ts';
import { isSignedOut } from '../api/problem.ts';

const KEY = ['me', {}] as const;

/** Who is signed in, as far as is known without asking. */
export function knownMe(queries: QueryClient): Me | null {
  return queries.getQueryData<Me | null>(KEY) ?? null;
}

/** Who is signed in: asks once, null when nobody is. Throws {@link ApiProblem} when the overlord does not answer. */
export async function whoIsThere(client: Client, queries: QueryClient): Promise<Me | null> {
  const known = knownMe(queries);
  if (known !== null) return known;
  const me = await client.call('me', {}).catch((thrown: unknown) => {
    if (isSignedOut(thrown)) return null;
    throw thrown;
  });
  remember(queries, me);
  return me;
}

/** Somebody has signed in, or out (null): whatever another person saw is forgotten. */
export function remember(queries: QueryClient, me: Me | null): void {
  if (me === null) queries.clear();
  queries.setQueryData(KEY, me);
}

/** True when who is signed in may do what `needed` may. */
export function useMay(needed: Principal): boolean {
  const me = knownMe(useQueryClient());
  return me !== null && mayCall(me.role, needed);
}
