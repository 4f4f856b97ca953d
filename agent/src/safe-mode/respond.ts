import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NetworkInterfaceInfo } from 'node:os';
import type { CodeCheck } from './code.ts';
import type { Facts } from './facts.ts';
import { isLocal } from './local-network.ts';
import { renderAnswer, renderPage, type Answer } from './page.ts';
import { STYLE } from './style.ts';

/** Bytes of a press of the button. */
const MAX_BODY = 1_024;

/** What every answer carries, nginx's too: see `debian/safe-mode-nginx.conf`. */
const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};

/** What the server needs of the device. */
export interface Counter {
  facts(): Promise<Facts>;
  /** The code of this safe mode; null where there is none. */
  code(): Promise<string | null>;
  interfaces(): Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;
  /** Seconds, monotonic. */
  uptime(): number;
  /** Asks for a redeploy. */
  press(): Promise<void>;
  readonly check: CodeCheck;
}

interface Reply {
  readonly status: number;
  readonly type: 'text/html' | 'text/css' | 'application/json';
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers one request. `caller` is the address of who asks, as the kernel or nginx has it. */
export async function respond(
  counter: Counter,
  { request, response, caller }: { request: IncomingMessage; response: ServerResponse; caller: string },
): Promise<void> {
  const { status, type, body, headers } = await replyTo(counter, request, caller);
  response.writeHead(status, {
    ...HEADERS,
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function replyTo(counter: Counter, request: IncomingMessage, caller: string): Promise<Reply> {
  const path = (request.url ?? '/').replace(/\?.*$/, '');
  const reads = request.method === 'GET' || request.method === 'HEAD';
  if (path === '/redeploy') {
    if (request.method !== 'POST') return notAllowed(request, 'POST');
    return pressed(counter, request, caller);
  }
  if (!['/', '/status.json', '/style.css'].includes(path)) {
    return answer(request, 404, {
      title: 'Not here',
      text: 'This device is in safe mode; there is one page.',
    });
  }
  if (!reads) return notAllowed(request, 'GET, HEAD');
  if (path === '/style.css') return { status: 200, type: 'text/css', body: STYLE };
  const facts = await counter.facts();
  return path === '/'
    ? { status: 200, type: 'text/html', body: renderPage(facts) }
    : { status: 200, type: 'application/json', body: `${JSON.stringify(facts)}\n` };
}

/** The button: from the local network, with the code, and not too often. */
async function pressed(counter: Counter, request: IncomingMessage, caller: string): Promise<Reply> {
  if (!isLocal(caller, counter.interfaces())) {
    return answer(request, 403, {
      title: 'Only from the local network',
      text: `The button works for who is on the same network as this device; ${caller} is not. Order a redeploy on the dashboard instead.`,
    });
  }
  const body = await bodyOf(request);
  if (body === null) {
    const reply = answer(request, 413, { title: 'Too much', text: 'A code is all that is wanted here.' });
    return { ...reply, headers: { Connection: 'close' } };
  }
  const verdict = counter.check.try({
    code: codeIn(body, request),
    expected: await counter.code(),
    caller,
    now: counter.uptime(),
  });
  switch (verdict) {
    case 'right':
      await counter.press();
      return answer(request, 202, {
        title: 'It is tried again',
        text: 'The device now fetches and starts what is wanted. This page ends when that begins; when it fails again, the page comes back.',
      });
    case 'wrong':
      return answer(request, 403, {
        title: 'That is not the code',
        text: 'It stands on the screen at the device’s HDMI port, and on the device’s page of the dashboard.',
      });
    case 'too-many':
      return {
        ...answer(request, 429, { title: 'Too many tries', text: 'Wait a minute, then try again.' }),
        headers: { 'Retry-After': '60' },
      };
  }
}

function notAllowed(request: IncomingMessage, allow: string): Reply {
  const reply = answer(request, 405, { title: 'Not like this', text: `Here only ${allow} is understood.` });
  return { ...reply, headers: { Allow: allow } };
}

/** For people a page, for programs the same as JSON. */
function answer(request: IncomingMessage, status: number, what: Answer): Reply {
  return wantsJson(request)
    ? { status, type: 'application/json', body: `${JSON.stringify({ ok: status < 300, ...what })}\n` }
    : { status, type: 'text/html', body: renderAnswer(what) };
}

function wantsJson({ headers }: IncomingMessage): boolean {
  return isJson(headers['accept']) || isJson(headers['content-type']);
}

function isJson(header: string | undefined): boolean {
  return header?.includes('application/json') === true;
}

/** Null: more than a code takes. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // What is too long is answered before the connection goes.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `code=…` of a form, or `{"code": "…"}`. What is neither is an empty code, which is never right. */
function codeIn(body: string, { headers }: IncomingMessage): string {
  if (!isJson(headers['content-type'])) return new URLSearchParams(body).get('code') ?? '';
  try {
    const { code } = JSON.parse(body) as { readonly code?: unknown };
    return typeof code === 'string' ? code : '';
  } catch {
    return '';
  }
}
