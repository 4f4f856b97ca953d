import { contentDigest, FleetError, STATEMENT_LIMIT, STATEMENTS_REF } from '@metrica-fleet/protocol';
import { manifestOfFolder } from '../folder-manifest.ts';
import type { Desired, Fetched } from '../source.ts';
import type { GitContext } from './git.ts';
import { readBlobs } from './objects.ts';

/**
 * The statement about the content of a folder, from the ref beside the branches; null where there is none, or where
 * this device asks for none. Where people sign, a release without a statement is refused by the caller.
 */
export async function readStatement(
  { git, cache, ports, config, remote }: GitContext,
  { role }: Desired,
  folder: string,
): Promise<Fetched['statement']> {
  if (config.allowedSigners === null) return null;
  const digest = contentDigest(await manifestOfFolder(ports.disk, folder, role));
  const { stdout } = await git.run({
    label: 'git.ls-remote-statements',
    online: 'without-cache',
    args: ['ls-remote', remote.url, STATEMENTS_REF],
  });
  const [id] = stdout.toString('utf8').split('\t');
  if (id === undefined || id === '') return null;
  await cache.fetchCommit(id, STATEMENTS_REF);
  const path = `${STATEMENTS_REF}:${role}/${digest}.json`;
  const [text, signature] = await readBlobs(git, [path, `${path}.sig`], 2 * STATEMENT_LIMIT);
  if (!text) return null;
  if (!signature) {
    throw new FleetError({
      code: 'statement-invalid',
      what: 'The release statement has no signature beside it',
      where: `${path}.sig`,
      remedy: 'Sign the release again with `fleet release sign`.',
    });
  }
  return { text: text.toString('utf8'), signature: signature.toString('utf8') };
}
