import { FleetError } from '@metrica-fleet/protocol';
import { ChallengeReplySchema, deviceProof, ROUTES, TokenReplySchema } from '@metrica-fleet/protocol/api';
import { sign } from 'node:crypto';
import type { Disk } from '../ports/disk.ts';
import type { Http } from '../ports/http.ts';
import { ask, type Answer, type Remote } from './ask.ts';
import type { Identity } from './identity.ts';

/** What a token is asked with. */
export interface Credentials {
  readonly http: Http;
  readonly disk: Disk;
  readonly remote: Remote;
  readonly identity: Identity;
  /** The file that keeps the token while the device is up. */
  readonly file: string;
}

/**
 * Asks something that takes the device's token. Where the token is over (or there is none, as after a boot), the
 * device proves itself once by a challenge and asks again. Throws what the overlord refuses.
 */
export async function withToken<T>(
  credentials: Credentials,
  asking: (token: string) => Promise<Answer<T>>,
): Promise<T> {
  const kept = (await credentials.disk.readText(credentials.file))?.trim();
  const first = kept === undefined || kept === '' ? null : await asking(kept);
  const renewed = first === null || (first.kind === 'refused' && first.status === 401);
  const answer = renewed ? await asking(await newToken(credentials)) : first;
  if (answer.kind === 'answer') return answer.value;
  throw new FleetError(answer.problem);
}

/** Keeps a token for the next runs. */
export async function keepToken(
  { disk, file }: Pick<Credentials, 'disk' | 'file'>,
  token: string,
): Promise<void> {
  await disk.write('token.keep', file, { content: `${token}\n`, mode: 0o600 });
}

/** The challenge is the overlord's and carries its own time, so that a wrong clock does not matter here. */
async function newToken(credentials: Credentials): Promise<string> {
  const { http, remote, identity } = credentials;
  const { device, key } = identity;
  const { challenge } = answered(
    await ask(http, remote, { route: ROUTES.deviceChallenge, body: { device }, reply: ChallengeReplySchema }),
  );
  const signature = sign(null, Buffer.from(deviceProof(device, challenge)), key).toString('base64url');
  const { token } = answered(
    await ask(http, remote, {
      route: ROUTES.deviceToken,
      body: { device, challenge, signature },
      reply: TokenReplySchema,
    }),
  );
  await keepToken(credentials, token);
  return token;
}

function answered<T>(answer: Answer<T>): T {
  if (answer.kind === 'answer') return answer.value;
  throw new FleetError(answer.problem);
}
