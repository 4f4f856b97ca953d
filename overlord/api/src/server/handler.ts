import type { MESSAGES, Message, OperatorRole, RouteName, ROUTES } from '@metrica-fleet/protocol/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static, TSchema } from 'typebox';

/** A device that showed a token of its own. */
export interface DeviceCaller {
  readonly kind: 'device';
  readonly id: string;
  readonly issued: Date;
  /** When its token ends; a stream ends with it. */
  readonly expires: Date;
}

/** A person with a session, or a program with a person's token. */
export interface OperatorCaller {
  readonly kind: 'operator';
  readonly id: string;
  readonly name: string;
  readonly role: OperatorRole;
  /** Of the session; null for an API token. */
  readonly csrf: string | null;
}

export type Caller =
  { readonly kind: 'public' } | { readonly kind: 'monitoring' } | DeviceCaller | OperatorCaller;

/** Who can stand behind a call of a route, by its principal in ROUTES. */
type CallerOf<N extends RouteName> = (typeof ROUTES)[N]['principal'] extends 'device'
  ? DeviceCaller
  : (typeof ROUTES)[N]['principal'] extends 'viewer' | 'operator' | 'admin'
    ? OperatorCaller
    : Caller;

type Part<N extends RouteName, K extends keyof Message> = (typeof MESSAGES)[N] extends {
  readonly [P in K]: infer S extends TSchema;
}
  ? Static<S>
  : undefined;

/** One call, checked against its schemas and by a caller who may. */
export interface Call<N extends RouteName> {
  readonly params: Part<N, 'params'>;
  readonly query: Part<N, 'query'>;
  readonly body: Part<N, 'body'>;
  readonly caller: CallerOf<N>;
  /** Of the peer, for the audit. */
  readonly address: string;
  /** For what is not JSON: streams, ranges, cookies. */
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** What a route answers: its JSON; undefined where it has none (204), or where it has used `reply` itself. */
type Answer<N extends RouteName> = (typeof MESSAGES)[N] extends { readonly reply: infer S extends TSchema }
  ? Static<S>
  : FastifyReply | undefined;

/** The code behind one route. Each domain folder gives its own; server.ts wants all of them, or it does not compile. */
export type Handler<N extends RouteName> = (call: Call<N>) => Promise<Answer<N>> | Answer<N>;
export type Handlers = { readonly [N in RouteName]: Handler<N> };
export type HandlersOf<N extends RouteName> = Pick<Handlers, N>;
