import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Serves the bare repositories of a folder over smart HTTP by `git http-backend`, as a forge does. */
export class GitServer {
  private readonly root: string;
  private readonly host: string;
  private server: Server | null = null;
  private port = 0;

  constructor(root: string, host: string) {
    this.root = root;
    this.host = host;
  }

  url(repository: string): string {
    return `http://${this.host}:${this.port}/${repository}`;
  }

  /** Listens; after a `stop` on the same port again. */
  async start(): Promise<void> {
    const server = createServer((request, response) => this.serve(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, this.host, resolve);
    });
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Goes away: connections are refused from now on. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (server === null) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://git');
    const backend = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env['PATH'],
        GIT_PROJECT_ROOT: this.root,
        GIT_HTTP_EXPORT_ALL: '1',
        REQUEST_METHOD: request.method,
        PATH_INFO: decodeURIComponent(url.pathname),
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
      timeout: 120_000,
    });
    backend.stdin.on('error', () => undefined);
    request.pipe(backend.stdin);
    answerFrom(backend.stdout, response);
  }
}

/** Turns the answer of a CGI program (headers, empty line, body) into an HTTP answer. */
function answerFrom(cgi: NodeJS.ReadableStream, response: ServerResponse): void {
  let head: Buffer | null = Buffer.alloc(0);
  cgi.on('data', (chunk: Buffer) => {
    if (head === null) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const headers = head
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map((line) => line.split(/:\s*/, 2) as [string, string]);
    const status = headers.find(([name]) => name.toLowerCase() === 'status');
    response.writeHead(
      Number.parseInt(status?.[1] ?? '200', 10),
      Object.fromEntries(headers.filter((header) => header !== status)),
    );
    response.write(head.subarray(end + 4));
    head = null;
  });
  cgi.on('end', () => response.end());
}
