import { useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { createContext, use } from 'react';
import type { RouteName } from '@metrica-fleet/protocol/api';
import type { Client, Input, Reply } from './client.ts';

const ClientContext = createContext<Client | null>(null);
export const ClientProvider = ClientContext.Provider;

function useClient(): Client {
  const client = use(ClientContext);
  if (client === null) throw new Error('A page outside of ClientProvider.');
  return client;
}

/** How one call is kept: by the route's name first, so that a topic of the stream finds what it makes old. */
export function queryOf<N extends RouteName>(client: Client, name: N, input: Input<N>) {
  return {
    queryKey: [name, input] as const,
    queryFn: async ({ signal }: { signal: AbortSignal }): Promise<Reply<N>> =>
      client.call(name, input, signal),
  };
}

/** What a route answers, kept and asked for again when the stream says that it changed. */
export function useAnswer<N extends RouteName>(name: N, input: Input<N>, { enabled = true } = {}) {
  return useQuery({ ...queryOf(useClient(), name, input), enabled });
}

/** A change that somebody asks for; whatever is on the screen is asked for again once it is made. */
export function useChange<N extends RouteName>(name: N) {
  const client = useClient();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (input: Input<N>) => client.call(name, input),
    onSuccess: () => {
      refreshAll(queries);
    },
  });
}

/** Everything on the screen may be old: asks for it again, without hiding what is there. */
export function refreshAll(queries: QueryClient): void {
  void queries.invalidateQueries();
}
