import {
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type QueryClient,
} from '@tanstack/react-query';
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
function queryOf<N extends RouteName>(client: Client, name: N, input: Input<N>) {
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

/** Routes that answer with a page of a list. */
type Paged = {
  [N in RouteName]: Reply<N> extends { items: unknown[]; next: string | null } ? N : never;
}[RouteName];
const FIRST_PAGE: { readonly cursor?: string } = {};
type Item<N extends Paged> = Reply<N> extends { items: (infer I)[] } ? I : never;

/** A list as far as it has been asked for, all its pages in one; `fetchNextPage` brings the next. */
export function usePages<N extends Paged>(name: N, input: Input<N>) {
  const client = useClient();
  return useInfiniteQuery({
    queryKey: [name, input, 'pages'] as const,
    queryFn: async ({ pageParam, signal }) => {
      const query: object = input.query ?? {};
      const paged: object = { ...input, query: { ...query, ...pageParam } };
      return client.call(name, paged as Input<N>, signal);
    },
    initialPageParam: FIRST_PAGE,
    getNextPageParam: (page: Reply<N>) => {
      const { next } = page as { next: string | null };
      return next === null ? undefined : { cursor: next };
    },
    select: ({ pages }) => ({ items: pages.flatMap((page) => (page as { items: Item<N>[] }).items) }),
  });
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
