import { FleetError, type Release, type Statement } from '@metrica-fleet/protocol';
import type { Fetched, Source } from '../sources/source.ts';
import { verifyStatement } from '../sources/verify-statement.ts';
import type { Context } from './context.ts';

export interface Vouching {
  /** The release as it lies on the disk, its digest computed from there. */
  readonly release: Release;
  /** Whether the source named the content's digest before it was fetched. */
  readonly promised: boolean;
  readonly source: Source;
  readonly statement: Fetched['statement'];
  /** Lowest statement counter that may still come, by role. */
  readonly floor: Readonly<Record<string, number>>;
}

/**
 * Has somebody who may do so vouched for this release? Asked where signers are configured and for sources that pin
 * nothing by themselves. Returns the statement's counter, or null where no statement was needed.
 * Throws `statement-missing`, `statement-invalid`, `statement-replayed`, `signers-missing`.
 */
export async function vouchedFor(context: Context, vouching: Vouching): Promise<number | null> {
  const { source, statement, release } = vouching;
  if (context.config.allowedSigners === null && !source.needsStatement) return null;
  if (statement === null) {
    throw new FleetError({
      code: 'statement-missing',
      what: `Nobody has signed release ${release.digest.slice(0, 12)} of ${release.role} at ${release.commit.slice(0, 12)}`,
      where: source.name,
      remedy: 'Sign it with `fleet release sign`, and push the statement.',
    });
  }
  const where = `statement from ${source.name}`;
  const said = await verifyStatement(context, { statement, signers: context.config.allowedSigners, where });
  requireSame(said, vouching, where);
  const floor = vouching.floor[release.role] ?? 0;
  if (said.counter >= floor) return said.counter;
  throw new FleetError({
    code: 'statement-replayed',
    what: `The statement has counter ${said.counter}, and this device has accepted ${floor} already`,
    where,
    remedy: 'Going back to an older release takes a new statement: `fleet release sign`.',
  });
}

/**
 * With plain Git (nothing promised) the commit may be another one: the head that a device happens to see can lie any
 * number of commits after the one that was signed, none of which touched the role. What is signed is the content, and
 * the counter keeps an older one from coming back.
 */
function requireSame(said: Statement, { release, promised }: Vouching, where: string): void {
  const fields = promised ? (['role', 'digest', 'commit'] as const) : (['role', 'digest'] as const);
  for (const field of fields) {
    if (said[field] === release[field]) continue;
    throw new FleetError({
      code: 'statement-invalid',
      what: `The statement is about ${field} ${said[field]}, the release has ${release[field]}`,
      where,
      remedy: 'Sign this release with `fleet release sign`.',
    });
  }
}
