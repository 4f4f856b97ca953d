import { FleetError, parse, type Problem } from '@metrica-fleet/protocol';
import { ProblemDetailsSchema, type Route } from '@metrica-fleet/protocol/api';
import type { Static, TSchema } from 'typebox';
import type { Http, HttpReply } from '../ports/http.ts';

/** Where the overlord is, and who may vouch for it. */
export interface Remote {
  /** Without a slash at its end. */
  readonly url: string;
  /** Certificates (PEM), and no others; null for those of the system. */
  readonly ca: string | null;
}

export interface Question<S extends TSchema> {
  readonly route: Route;
  readonly body: unknown;
  readonly reply: S;
  /** The device's token, on routes for devices. */
  readonly token?: string;
}

/** What the overlord says; `status` is that of HTTP. */
export type Answer<T> =
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly problem: Problem };

/** Milliseconds for one question. */
const DEADLINE = 30_000;
/** The largest answer: a desired state with its statement. Bytes. */
const ANSWER_LIMIT = 2 * 1024 * 1024;

/**
 * Asks the overlord one thing. A refusal is an outcome; no answer, or one that is none of ours, throws as Http.send
 * does.
 */
export async function ask<S extends TSchema>(
  http: Http,
  remote: Remote,
  question: Question<S>,
): Promise<Answer<Static<S>>> {
  const { route, token } = question;
  const where = `${remote.url}${route.path}`;
  const reply = await http.send({
    method: route.method === 'GET' ? 'GET' : 'POST',
    url: where,
    ca: remote.ca,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(question.body),
    deadline: DEADLINE,
  });
  const value = jsonOf(await textOf(reply, where));
  if (reply.status !== 200) return refusal(reply.status, value, where);
  try {
    return { kind: 'answer', value: parse(question.reply, value, { where }) };
  } catch (cause) {
    throw new FleetError(
      {
        code: 'source-unreachable',
        what: `The answer is not one of an overlord: ${cause instanceof Error ? cause.message : String(cause)}`,
        where,
        remedy: 'Is this the URL of an overlord of this version, or of something in between?',
      },
      { cause },
    );
  }
}

async function textOf(reply: HttpReply, where: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of reply.body) {
    bytes += chunk.length;
    if (bytes > ANSWER_LIMIT) {
      throw new FleetError({ code: 'source-unreachable', what: 'The answer is far too large', where });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Busy and broken servers get over it; everything else is a refusal that somebody has to look at. */
function refusal(status: number, value: unknown, where: string): Answer<never> {
  const passing = status >= 500 || status === 429 || status === 408;
  const code = passing ? 'source-unreachable' : 'source-denied';
  try {
    const details = parse(ProblemDetailsSchema, value, { where });
    const { title, detail, remedy } = details;
    const what = (detail === undefined ? title : `${title}: ${detail}`).slice(0, 1_000);
    const problem = { code, what, where, ...(remedy === undefined ? {} : { remedy }) } as const;
    return { kind: 'refused', status, code: details.code, problem };
  } catch {
    return {
      kind: 'refused',
      status,
      code: '',
      problem: { code, what: `It answered HTTP ${status}`, where },
    };
  }
}
