import { digestOf, parse } from '@metrica-fleet/protocol';
import { Object as Obj, String as Str } from 'typebox';
import type { Disk } from '../disk.ts';
import type { HttpRequest } from '../http.ts';

/** TLS sessions from one short-lived run to the next: resuming one saves the certificates and most of the handshake. */
export interface TlsSessions {
  load(to: Pick<HttpRequest, 'url' | 'ca'>): Promise<Buffer | null>;
  save(to: Pick<HttpRequest, 'url' | 'ca'>, session: Buffer): Promise<void>;
}

const FileSchema = Obj({ of: Str(), session: Str() });

/**
 * Keeps the newest session in a file that only root may read. A resumed session is not verified again, so it counts
 * only for the very server and the very pinned authority with which it was made.
 */
export function tlsSessionsIn(disk: Disk, path: string): TlsSessions {
  let newest: { readonly of: string; readonly session: Buffer } | null = null;
  return {
    async load(to) {
      const of = nameOf(to);
      newest ??= await read(disk, path);
      return newest?.of === of ? newest.session : null;
    },
    async save(to, session) {
      newest = { of: nameOf(to), session };
      const content = JSON.stringify({ of: newest.of, session: session.toString('base64') });
      await disk.write('http.session', path, { content, mode: 0o600 });
    },
  };
}

async function read(disk: Disk, path: string): Promise<{ of: string; session: Buffer } | null> {
  const text = await disk.readText(path);
  if (text === null) return null;
  try {
    const { of, session } = parse(FileSchema, JSON.parse(text), { where: path });
    return { of, session: Buffer.from(session, 'base64') };
  } catch {
    return null;
  }
}

function nameOf({ url, ca }: Pick<HttpRequest, 'url' | 'ca'>): string {
  return digestOf(`${new URL(url).origin}\n${ca ?? ''}`);
}
