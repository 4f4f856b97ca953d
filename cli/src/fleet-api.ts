import { FleetError, parse } from '@metrica-fleet/protocol';
import { MESSAGES, ROUTES, type Message, type Route, type RouteName } from '@metrica-fleet/protocol/api';
import type { Static, TSchema } from 'typebox';

/** What proves to the overlord who calls. */
export type Proof = Readonly<Record<string, string>>;

export interface Call {
  /** Path parameters. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
}

type Reply<Name extends RouteName> = (typeof MESSAGES)[Name] extends {
  readonly reply: infer S extends TSchema;
}
  ? Static<S>
  : null;

/** Milliseconds for one call. */
const DEADLINE = 30_000;

/** The overlord's API as the routes and messages of `protocol` describe it. Replies are checked against their schemas. */
export class FleetApi {
  private readonly origin: string;
  private readonly proof: Proof;
  private readonly signal: AbortSignal;

  /** `signal` ends calls that are under way. */
  constructor(origin: string, proof: Proof, signal: AbortSignal) {
    this.origin = origin;
    this.proof = proof;
    this.signal = signal;
  }

  /** Throws `source-unreachable` where nobody answers, and `source-denied` or `command-failed` with the overlord's words. */
  async call<Name extends RouteName>(name: Name, call: Call = {}): Promise<Reply<Name>> {
    return (await this.exchange(name, call)).reply;
  }

  /** As {@link call}, with the cookies that came along, as `name=value`. */
  async exchange<Name extends RouteName>(
    name: Name,
    call: Call,
  ): Promise<{ readonly reply: Reply<Name>; readonly cookies: readonly string[] }> {
    const answer = await this.send(ROUTES[name], call);
    const { reply }: Message = MESSAGES[name];
    const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0] ?? '');
    if (reply === undefined) return { reply: null as Reply<Name>, cookies };
    const value = parse(reply, await answer.json(), { where: `the overlord's answer to ${name}` });
    return { reply: value as Reply<Name>, cookies };
  }

  private async send({ method, path }: Route, { params = {}, query = {}, body }: Call): Promise<Response> {
    const filled = path.replaceAll(/:(\w+)/g, (_all, key: string) => encodeURIComponent(params[key] ?? ''));
    const url = new URL(filled, this.origin);
    url.search = new URLSearchParams(query).toString();
    const answer = await fetch(url, {
      method,
      headers: { ...this.proof, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([this.signal, AbortSignal.timeout(DEADLINE)]),
    }).catch((thrown: unknown) => {
      this.signal.throwIfAborted();
      throw unreachable(url, thrown);
    });
    if (!answer.ok) throw await refused(`${method} ${url.href}`, answer);
    return answer;
  }
}

function unreachable(url: URL, thrown: unknown): FleetError {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FleetError({
    code: 'source-unreachable',
    what: `The overlord does not answer: ${reason}`,
    where: url.href,
  });
}

/** The overlord's own words, from `application/problem+json`. */
async function refused(where: string, answer: Response): Promise<FleetError> {
  const said = (await answer.json().catch(() => ({}))) as {
    readonly title?: string;
    readonly remedy?: string;
  };
  const code = answer.status === 401 || answer.status === 403 ? 'source-denied' : 'command-failed';
  const what = `The overlord answers ${answer.status}${said.title === undefined ? '' : `: ${said.title}`}`;
  return new FleetError({ code, what, where, ...(said.remedy === undefined ? {} : { remedy: said.remedy }) });
}
