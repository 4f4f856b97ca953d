import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A real Git server: `git http-backend` as a CGI program behind a Node HTTP server on a free port. */
export interface GitServer {
  readonly url: string;
  /** Paths of the requests so far. */
  readonly requests: string[];
  /** What every request must carry as `user:password`; null lets everybody in. */
  credentials: string | null;
  /** Ends every response after so many bytes, as a connection that breaks; null for none. */
  breakAfter: number | null;
  /** Says nothing more in any response after so many bytes, and keeps the connection; null for none. */
  stallAfter: number | null;
  close(): Promise<void>;
}

/** Serves the repositories below a folder. */
export async function serveGit(root: string): Promise<GitServer> {
  const server: Server = createServer();
  const gitServer: GitServer = {
    url: '',
    requests: [],
    credentials: null,
    breakAfter: null,
    stallAfter: null,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  server.on('request', (request, response) => {
    gitServer.requests.push(request.url ?? '');
    const { credentials } = gitServer;
    const expected = `Basic ${Buffer.from(credentials ?? '').toString('base64')}`;
    if (credentials !== null && request.headers.authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    cgi(root, request, { response, breakAfter: gitServer.breakAfter, stallAfter: gitServer.stallAfter });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(gitServer, { url: `http://127.0.0.1:${port}` });
}

interface Answer {
  readonly response: ServerResponse;
  readonly breakAfter: number | null;
  readonly stallAfter: number | null;
}

function cgi(root: string, request: IncomingMessage, { response, breakAfter, stallAfter }: Answer): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  const header = (name: string): string => String(request.headers[name] ?? '');
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: header('git-protocol'),
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: header('content-type'),
      CONTENT_LENGTH: header('content-length'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_USER: 'test',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(backend.stdin);
  backend.stdin.on('error', () => undefined);
  let head: Buffer | null = Buffer.alloc(0);
  let sent = 0;
  backend.stdout.on('data', (chunk: Buffer) => {
    if (head !== null) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const lines = head.toString('latin1', 0, end).split('\r\n');
      chunk = head.subarray(end + 4);
      head = null;
      const status = lines.find((line) => line.startsWith('Status: '));
      const others = lines.filter((line) => line !== status).map((line) => line.split(/: (.*)/s).slice(0, 2));
      response.writeHead(
        status === undefined ? 200 : Number(status.slice(8, 11)),
        Object.fromEntries(others) as Record<string, string>,
      );
    }
    const room = Math.max(0, (stallAfter ?? Infinity) - sent);
    sent += chunk.length;
    if (breakAfter !== null && sent > breakAfter) response.destroy();
    else if (room > 0) response.write(chunk.subarray(0, room));
  });
  backend.on('close', () => {
    if (stallAfter === null || sent <= stallAfter) response.end();
  });
}
