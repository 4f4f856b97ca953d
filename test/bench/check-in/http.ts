import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { once } from 'node:events';

/** Who serves check-ins, by TLS on this machine. */
export interface Target {
  readonly port: number;
  readonly trust: SecureContext;
}

/** What came back. `session` is the newest TLS session ticket; null where none came. */
export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly session: Buffer | null;
}

/** Trusts one authority (PEM) and says hello as the agent does, see agent/src/ports/real/http.ts. */
export function trusting(ca: string): SecureContext {
  return createSecureContext({
    ca,
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
    ecdhCurve: 'X25519:P-256',
    sigalgs: 'ECDSA+SHA256:ed25519:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384',
  });
}

/** A request as bytes, made once: the load shall cost less than what it loads. */
export function requestBytes(
  path: string,
  { token, body, close }: { readonly token: string | null; readonly body: unknown; readonly close: boolean },
): Buffer {
  const json = JSON.stringify(body);
  const lines = [
    `POST ${path} HTTP/1.1`,
    'content-type: application/json',
    ...(token === null ? [] : [`authorization: Bearer ${token}`]),
    `content-length: ${Buffer.byteLength(json)}`,
    'Host: localhost',
    `Connection: ${close ? 'close' : 'keep-alive'}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${json}`);
}

/** A TLS connection that carries one request after the other. By hand: node:http costs as much as the server does. */
export class Line {
  private readonly socket: TLSSocket;
  private session: Buffer | null = null;
  private received = '';
  private waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | null = null;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('session', (session: Buffer) => (this.session = session));
    socket.on('data', (chunk: Buffer) => this.hear(chunk));
    socket.on('error', (error) => this.waiting?.reject(error));
    socket.on('close', () => this.waiting?.reject(new Error('The connection ended before the answer')));
  }

  /** `session`: of a former connection, to resume. */
  static async open({ port, trust }: Target, session: Buffer | null): Promise<Line> {
    const options = { host: '127.0.0.1', servername: 'localhost', port, secureContext: trust };
    const socket = connect({ ...options, ...(session === null ? {} : { session }) });
    await once(socket, 'secureConnect');
    if (session !== null && !socket.isSessionReused()) throw new Error('The TLS session was not resumed');
    return new Line(socket);
  }

  ask(request: Buffer): Promise<Reply> {
    if (this.socket.destroyed) return Promise.reject(new Error('The connection has ended'));
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.received = '';
      this.socket.write(request);
    });
  }

  close(): void {
    this.waiting = null;
    this.socket.destroy();
  }

  private hear(chunk: Buffer): void {
    this.received += chunk.toString('latin1');
    const end = this.received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /content-length: (\d+)/i.exec(this.received)?.[1];
    if (this.received.length < end + 4 + Number(length ?? 0)) return;
    const { waiting } = this;
    this.waiting = null;
    const status = Number(this.received.slice(9, 12));
    waiting?.resolve({ status, text: this.received.slice(end + 4), session: this.session });
  }
}

/** One request on a connection of its own, as a run of the agent makes it. */
export async function askAnew(target: Target, request: Buffer, session: Buffer | null): Promise<Reply> {
  const line = await Line.open(target, session);
  try {
    return await line.ask(request);
  } finally {
    line.close();
  }
}
