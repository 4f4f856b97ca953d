import { FleetError, type Statement } from '@metrica-fleet/protocol';
import type { DesiredState } from '@metrica-fleet/protocol/api';
import { verifyStatement } from '../verify-statement.ts';
import type { OverlordContext } from './overlord.ts';

type Claim = Pick<DesiredState, 'role' | 'commit' | 'digest' | 'statement' | 'signature'>;

/**
 * What an overlord wants counts only where somebody who may do so has signed exactly that release: a taken-over overlord
 * cannot even put a release into quarantine. Throws `signers-missing` and `statement-invalid`.
 */
export async function verifyDesired(context: OverlordContext, desired: Claim): Promise<Statement> {
  const where = `statement from ${context.name}`;
  const said = await verifyStatement(context, {
    statement: { text: desired.statement, signature: desired.signature },
    signers: context.config.allowedSigners,
    where,
  });
  for (const field of ['role', 'digest', 'commit'] as const) {
    if (said[field] === desired[field]) continue;
    throw new FleetError({
      code: 'statement-invalid',
      what: `The statement is about ${field} ${said[field]}, wanted is ${desired[field]}`,
      where,
      remedy: 'The overlord mixed up two releases, or somebody tampered with it: look at its log.',
    });
  }
  return said;
}
