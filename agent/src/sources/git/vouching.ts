import { contentDigest, FleetError, STATEMENTS_REF } from '@metrica-fleet/protocol';
import { manifestOfFolder } from '../folder-manifest.ts';
import type { Desired } from '../source.ts';
import { verifyStatement } from '../verify-statement.ts';
import { checkOut } from './checkout.ts';
import type { GitContext } from './git.ts';
import { readStatement } from './statements.ts';

/**
 * The answer with the counter of its statement, where there is one: asked for before this source takes over from
 * another, so that an older release is not even begun with. The statement is about content, so the content is looked at;
 * what was fetched for that stays in the cache. Throws as a fetch does.
 */
export async function withCounter(context: GitContext, said: Desired): Promise<Desired> {
  const { ports, paths, config, name } = context;
  const folder = `${paths.git}-vouching`;
  const { counter: _former, ...plain } = said;
  await ports.disk.remove('git.vouching.clear', folder);
  await ports.disk.makeFolder('git.vouching.folder', folder, 0o700);
  try {
    await checkOut(context, said, folder);
    const statement = await readStatement(context, said, folder);
    if (statement === null) return plain;
    const where = `statement from ${name}`;
    const { role, digest, counter } = await verifyStatement(context, {
      statement,
      signers: config.allowedSigners,
      where,
    });
    const found = contentDigest(await manifestOfFolder(ports.disk, folder, said.role));
    if (role === said.role && digest === found) return { ...plain, counter };
    throw new FleetError({
      code: 'statement-invalid',
      what: `The statement is about ${role} with digest ${digest}, the release has ${found}`,
      where,
      remedy: 'Sign this release with `fleet release sign`.',
    });
  } finally {
    await ports.disk.remove('git.vouching.done', folder);
  }
}

/** Whether somebody has signed something since the statements were fetched last. */
export async function hasNewStatements({ git, remote }: GitContext): Promise<boolean> {
  const asked = await git.run({
    label: 'git.ls-remote-statements',
    online: 'without-cache',
    args: ['ls-remote', remote.url, STATEMENTS_REF],
  });
  const known = await git.run({
    label: 'git.known-statements',
    args: ['rev-parse', '--verify', '--quiet', STATEMENTS_REF],
    accept: [1, 128],
  });
  return asked.stdout.toString('utf8').split('\t')[0] !== known.stdout.toString('utf8').trim();
}
