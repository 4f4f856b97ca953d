import { FleetError } from '@metrica-fleet/protocol';
import { readFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import type { ImagePuller, PullProgress } from '../image-puller.ts';
import { pullFailure } from './pull-failure.ts';
import { progressCounter, type PullMessage } from './pull-progress.ts';

const SOCKET = '/var/run/docker.sock';
/** Where `docker login` of root leaves what it knows. Credential helpers are not asked. */
const LOGINS = '/root/.docker/config.json';

/** Pulls through the engine's HTTP API; see ImagePuller for why not by the command line. */
export function dockerImagePuller(places: { socket?: string; logins?: string } = {}): ImagePuller {
  const { socket = SOCKET, logins = LOGINS } = places;
  return {
    async pull(reference, { onProgress, signal }) {
      const auth = await authFor(reference, logins);
      const response = await post({ socket, path: createPath(reference), auth, signal });
      if (response.statusCode !== 200) throw pullFailure(reference, await messageOf(response));
      await follow(response, reference, onProgress);
    },
  };
}

/** Name and tag (or digest) of a reference; a name alone would pull every tag there is. */
function splitReference(reference: string): { name: string; tag: string } {
  const at = reference.indexOf('@');
  if (at >= 0) return { name: reference.slice(0, at).replace(/:[^/:]+$/, ''), tag: reference.slice(at + 1) };
  const colon = reference.lastIndexOf(':');
  if (colon > reference.lastIndexOf('/'))
    return { name: reference.slice(0, colon), tag: reference.slice(colon + 1) };
  return { name: reference, tag: 'latest' };
}

/** The registry of a reference, as `docker login` names it: the first part, if it looks like a host. */
function registryOf(reference: string): string {
  const [first = ''] = reference.split('/');
  const isHost = reference.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  return isHost && first !== 'docker.io' ? first : 'https://index.docker.io/v1/';
}

function createPath(reference: string): string {
  const { name, tag } = splitReference(reference);
  return `/images/create?fromImage=${encodeURIComponent(name)}&tag=${encodeURIComponent(tag)}`;
}

/** What we read of `config.json`. */
interface Logins {
  readonly auths?: Readonly<Record<string, { readonly auth?: string; readonly identitytoken?: string }>>;
}

async function authFor(reference: string, logins: string): Promise<string | null> {
  const text = await readFile(logins, 'utf8').catch(() => null);
  if (text === null) return null;
  const registry = registryOf(reference);
  const { auths = {} }: Logins = JSON.parse(text);
  const login = auths[registry] ?? auths[`https://${registry}`];
  if (login === undefined) return null;
  const [username = '', ...password] = Buffer.from(login.auth ?? '', 'base64')
    .toString('utf8')
    .split(':');
  const credentials =
    login.identitytoken === undefined
      ? { username, password: password.join(':'), serveraddress: registry }
      : { identitytoken: login.identitytoken, serveraddress: registry };
  return Buffer.from(JSON.stringify(credentials)).toString('base64url');
}

interface Post {
  readonly socket: string;
  readonly path: string;
  readonly auth: string | null;
  readonly signal: AbortSignal;
}

function post({ socket, path, auth, signal }: Post): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = auth === null ? {} : { 'X-Registry-Auth': auth };
    const sent = request(
      { socketPath: socket, method: 'POST', path, headers, signal, agent: false },
      resolve,
    );
    sent.on('error', (cause) => {
      if (signal.aborted) return reject(cause);
      reject(
        new FleetError(
          {
            code: 'docker-unreachable',
            what: `The Docker engine does not answer: ${cause.message}`,
            where: socket,
            remedy: 'Look at `systemctl status docker` and `journalctl -u docker`.',
          },
          { cause },
        ),
      );
    });
    sent.end();
  });
}

async function messageOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  try {
    const { message = text }: { message?: string } = JSON.parse(text);
    return message;
  } catch {
    return text;
  }
}

/** Reads the engine's messages to the end. It answers 200 before it begins, so that failures come as messages. */
async function follow(
  response: IncomingMessage,
  reference: string,
  onProgress: (progress: PullProgress) => void,
): Promise<void> {
  const counter = progressCounter();
  let failure: string | null = null;
  for await (const line of createInterface({ input: response })) {
    if (line.trim() === '') continue;
    const message: PullMessage = JSON.parse(line);
    if (message.error !== undefined) failure = message.error;
    const progress = counter.add(message);
    if (progress !== null) onProgress(progress);
  }
  if (failure !== null) throw pullFailure(reference, failure);
  if (!response.complete) throw pullFailure(reference, 'the engine ended the connection');
}
