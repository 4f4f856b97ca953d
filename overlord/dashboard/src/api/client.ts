import type { MESSAGES, Message, Route, RouteName } from '@metrica-fleet/protocol/api';
import { ROUTES } from '@metrica-fleet/protocol/routes';
import type { Static, TSchema } from 'typebox';
import { ApiProblem, readProblem } from './problem.ts';

type Part<N extends RouteName, K extends keyof Message> = (typeof MESSAGES)[N] extends {
  readonly [P in K]: infer S extends TSchema;
}
  ? Static<S>
  : undefined;

/** What a route answers; undefined where it answers nothing. */
export type Reply<N extends RouteName> = Part<N, 'reply'>;
export type Query<N extends RouteName> = Part<N, 'query'>;

type Wanted<K extends 'params' | 'body', S> = S extends undefined ? { [P in K]?: never } : { [P in K]: S };

/** What a call of a route takes: params and body where it has them, and a query where it has one. */
export type Input<N extends RouteName> = Wanted<'params', Part<N, 'params'>> &
  Wanted<'body', Part<N, 'body'>> & { query?: Query<N> };

/** No answer within this is an error, not a page that waits for ever. Milliseconds. */
const DEADLINE = 20_000;

export interface Client {
  /** Calls a route by its name. Throws {@link ApiProblem}, for what the overlord refuses and for what does not reach it. */
  readonly call: <N extends RouteName>(name: N, input: Input<N>, signal?: AbortSignal) => Promise<Reply<N>>;
}

export interface ClientPorts {
  readonly fetch: typeof fetch;
  /** The session's token against forged requests; null before signing in. */
  readonly csrf: () => string | null;
}

/** The overlord's API, typed by the table of routes. The session's cookie travels by itself. */
export function createClient({ fetch, csrf }: ClientPorts): Client {
  return {
    call: async (name, input, signal) => {
      const route: Route = ROUTES[name];
      const { params, query, body } = input as LooseInput;
      const deadline = AbortSignal.timeout(DEADLINE);
      const response = await fetch(urlOf(route.path, params, query), {
        method: route.method,
        credentials: 'same-origin',
        headers: headersOf(route, body, csrf()),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      }).catch((thrown: unknown) => {
        if (signal?.aborted) throw thrown;
        throw ApiProblem.unreachable();
      });
      if (!response.ok) throw await readProblem(response);
      if (response.status === 204) return undefined as never;
      return (await response.json()) as never;
    },
  };
}

interface LooseInput {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean | null | undefined>>;
  readonly body?: unknown;
}

function headersOf({ method }: Route, body: unknown, csrf: string | null): Record<string, string> {
  return {
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(method === 'GET' || csrf === null ? {} : { 'x-csrf-token': csrf }),
  };
}

/** The address of a call: path parameters filled in, a query without what is undefined. */
function urlOf(path: string, params: LooseInput['params'], query: LooseInput['query']): string {
  const filled = path.replaceAll(/:([a-z]+)/gi, (_, name: string) =>
    encodeURIComponent(params?.[name] ?? ''),
  );
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) search.set(key, String(value));
  }
  return search.size === 0 ? filled : `${filled}?${search.toString()}`;
}
