import { FleetError } from '@metrica-fleet/protocol';
import { request as plainRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as tlsRequest, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Http, HttpReply, HttpRequest } from '../http.ts';
import { failureOf } from './http-failure.ts';
import type { TlsSessions } from './tls-sessions.ts';

/**
 * What a ClientHello offers, kept small: it is sent hundreds of times a day over lines that cost money. Everything is
 * TLS 1.3; X25519 goes along as key share, P-256 is there for servers that have no other.
 */
const HELLO = {
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
  ecdhCurve: 'X25519:P-256',
  sigalgs: 'ECDSA+SHA256:ed25519:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384',
} as const satisfies RequestOptions;

/** Real requests by node:https, each on a connection of its own. TLS sessions are resumed from `sessions`. */
export function realHttp(sessions: TlsSessions): Http {
  return {
    async send(request) {
      const session = request.url.startsWith('https:') ? await sessions.load(request) : null;
      return await exchange(request, session, (fresh) => sessions.save(request, fresh));
    },
  };
}

function exchange(
  request: HttpRequest,
  session: Buffer | null,
  keep: (session: Buffer) => Promise<void>,
): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const deadline = AbortSignal.timeout(request.deadline);
    const fault = (error: unknown): FleetError => failureOf(error, { request, late: deadline.aborted });
    const sent = open(request, session, deadline);
    const stall = request.stall ?? request.deadline;
    sent.setTimeout(stall, () => sent.destroy(stalled(request, stall)));
    sent.on('socket', (socket: Socket) => {
      // TLS 1.3 sends tickets after the handshake; one that was not verified is not worth keeping.
      socket.on('session', (fresh: Buffer) => {
        if (socket instanceof TLSSocket && socket.authorized) void keep(fresh).catch(() => undefined);
      });
    });
    sent.on('error', (error) => reject(fault(error)));
    sent.on('response', (response: IncomingMessage) => {
      const headers = Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
      );
      resolve({ status: response.statusCode ?? 0, headers, body: bodyOf(response, fault) });
    });
    sent.end(request.body);
  });
}

function open(request: HttpRequest, session: Buffer | null, deadline: AbortSignal): ClientRequest {
  const { method, body } = request;
  const url = new URL(request.url);
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const headers = { ...request.headers, ...length };
  // Not an agent that keeps connections: the process ends after a few seconds anyway.
  const common = { method, headers, agent: false, signal: deadline } as const;
  if (url.protocol === 'http:') return plainRequest(url, common);
  return tlsRequest(url, {
    ...common,
    ...HELLO,
    ...(request.ca === null ? {} : { ca: request.ca }),
    ...(session === null ? {} : { session }),
  });
}

async function* bodyOf(
  response: IncomingMessage,
  fault: (error: unknown) => FleetError,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) yield chunk as Buffer;
  } catch (error) {
    throw fault(error);
  }
  if (!response.complete) throw fault(new Error('the connection ended in the middle of the answer'));
}

function stalled({ url }: HttpRequest, milliseconds: number): FleetError {
  return new FleetError({
    code: 'deadline-exceeded',
    what: `Nothing came for ${milliseconds / 1000} s`,
    where: new URL(url).origin,
  });
}
