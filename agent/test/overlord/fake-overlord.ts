import { parse } from '@metrica-fleet/protocol';
import {
  CheckInSchema,
  deviceProof,
  EnrolRequestSchema,
  TokenRequestSchema,
  type CheckIn,
  type CheckInReply,
  type EnrolReply,
  type EnrolRequest,
  type Report,
} from '@metrica-fleet/protocol/api';
import { createPublicKey, randomUUID, verify } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { text } from 'node:stream/consumers';
import type { Certificates } from './certificates.ts';

const DEVICE = '11111111-1111-4111-8111-111111111111';

/** A small overlord over real TLS: what it is told to answer it answers, what it hears it keeps. */
export class FakeOverlord {
  readonly url: string;
  /** Public keys of those that have joined, base64url, by device. */
  readonly keys = new Map<string, string>();
  /** Good tokens. Cleared: every device gets a 401. */
  readonly tokens = new Set<string>();
  readonly checkIns: CheckIn[] = [];
  /** Reports on record, by id. */
  readonly reports = new Map<string, Report>();
  readonly requests: { path: string; headers: IncomingMessage['headers']; resumed: boolean }[] = [];
  readonly enrolments: EnrolRequest[] = [];
  readonly artifacts = new Map<string, Buffer>();
  /** What the next check-ins are answered with, beyond time and acknowledgements. */
  answer: (checkIn: CheckIn) => Partial<CheckInReply> = () => ({});
  enrol: (request: EnrolRequest) => Partial<EnrolReply> | { refuse: Refusal } = () => ({});
  /** Connections that are closed after the work is done and before the answer is sent. */
  loseAnswers = 0;
  /** Bytes of an artifact after which the connection breaks, once. */
  cutAfter: number | null = null;
  /** Serves `/api/v1/device/signals`. */
  signals: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end();

  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
    this.url = `https://localhost:${(server.address() as AddressInfo).port}`;
  }

  static async start({ key, cert }: Certificates): Promise<FakeOverlord> {
    const server = createServer({ key, cert, sessionTimeout: 86_400 });
    await new Promise<void>((resolve) => void server.listen(0, 'localhost', resolve));
    const overlord = new FakeOverlord(server);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      overlord.handle(request, response).catch((error: unknown) => {
        refuse(response, { status: 400, code: 'bad-request', title: String(error) });
      });
    });
    return overlord;
  }

  /** Ends it, open streams included. */
  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => void this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const resumed = (request.socket as TLSSocket).isSessionReused();
    this.requests.push({ path, headers: request.headers, resumed });
    const body: unknown = request.method === 'POST' ? JSON.parse(await text(request)) : null;
    if (path === '/api/v1/enrol')
      return this.onEnrol(parse(EnrolRequestSchema, body, { where: path }), response);
    if (path === '/api/v1/device/challenge') {
      return json(response, { challenge: randomUUID(), time: now() });
    }
    if (path === '/api/v1/device/token') return this.onToken(body, response);
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    if (!this.tokens.has(token))
      return refuse(response, { status: 401, code: 'unauthenticated', title: 'The token is over' });
    if (path.startsWith('/api/v1/device/signals')) return this.signals(request, response);
    if (path === '/api/v1/device/check-in') return this.onCheckIn(body, response);
    return this.onArtifact(path, request, response);
  }

  private onEnrol(request: EnrolRequest, response: ServerResponse): void {
    this.enrolments.push(request);
    const said = this.enrol(request);
    if ('refuse' in said) return refuse(response, said.refuse);
    this.keys.set(DEVICE, request.publicKey);
    if (this.lost(response)) return;
    const name = request.name ?? 'pi-1';
    const reply: EnrolReply = {
      device: DEVICE,
      name,
      state: 'active',
      role: null,
      segment: 'general',
      signers: '',
    };
    json(response, { ...reply, ...said });
  }

  private onToken(body: unknown, response: ServerResponse): void {
    const { device, challenge, signature } = parse(TokenRequestSchema, body, { where: 'token' });
    const x = this.keys.get(device);
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: x ?? '' }, format: 'jwk' });
    const proof = Buffer.from(deviceProof(device, challenge));
    if (!verify(null, proof, key, Buffer.from(signature, 'base64url'))) {
      return refuse(response, {
        status: 401,
        code: 'unauthenticated',
        title: 'The signature is not by the key of this device',
      });
    }
    json(response, { token: this.newToken(), expires: now() });
  }

  newToken(): string {
    const token = `ey.${randomUUID()}`;
    this.tokens.add(token);
    return token;
  }

  private onCheckIn(body: unknown, response: ServerResponse): void {
    const checkIn = parse(CheckInSchema, body, { where: 'check-in' });
    this.checkIns.push(checkIn);
    const { reports } = checkIn;
    for (const report of reports) this.reports.set(report.id, report);
    const acknowledged = reports.length === 0 ? {} : { acknowledged: reports.map(({ id }) => id) };
    if (!this.lost(response)) json(response, { time: now(), ...acknowledged, ...this.answer(checkIn) });
  }

  private onArtifact(path: string, request: IncomingMessage, response: ServerResponse): void {
    const digest = path.split('/').at(-1) ?? '';
    const content = this.artifacts.get(digest);
    if (content === undefined)
      return refuse(response, { status: 404, code: 'not-found', title: 'There is no such release' });
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (from > 0 && from >= content.length) {
      return refuse(response, { status: 416, code: 'range-not-satisfiable', title: 'There is no more' });
    }
    const headers = { etag: `"${digest}"`, 'content-length': content.length - from };
    const range = `bytes ${from}-${content.length - 1}/${content.length}`;
    if (from === 0) response.writeHead(200, headers);
    else response.writeHead(206, { ...headers, 'content-range': range });
    if (this.cutAfter === null) return void response.end(content.subarray(from));
    response.write(content.subarray(from, this.cutAfter), () => setTimeout(() => response.destroy(), 50));
    this.cutAfter = null;
  }

  private lost(response: ServerResponse): boolean {
    if (this.loseAnswers === 0) return false;
    this.loseAnswers -= 1;
    response.destroy();
    return true;
  }
}

function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly title: string;
}

function refuse(response: ServerResponse, { status, code, title }: Refusal): void {
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ type: `urn:metrica-fleet:${code}`, title, status, code }));
}
