import { parse } from '@metrica-fleet/protocol';
import { Array as List, Integer, Object as Obj, String as Str, type Static } from 'typebox';
import { UsageError } from './options.ts';

const InvitationsSchema = List(
  Obj(
    {
      /** Enrolment token of the overlord. */
      token: Str({ minLength: 20, maxLength: 200 }),
      /** How many devices join with it. */
      devices: Integer({ minimum: 1, maximum: 9_999 }),
    },
    { additionalProperties: false },
  ),
  { minItems: 1, maxItems: 1_000 },
);
export type Invitations = Static<typeof InvitationsSchema>;

/** Reads the invitations, one line of JSON; the input may stay open behind it. Throws UsageError. */
export async function readInvitations(input: AsyncIterable<Buffer | string>): Promise<Invitations> {
  let text = '';
  for await (const chunk of input) {
    text += chunk.toString('utf8');
    if (text.includes('\n')) break;
  }
  try {
    return parse(InvitationsSchema, JSON.parse(text), { where: 'standard input' });
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new UsageError(`Standard input takes the invitations, see simulator/README.md: ${reason}`);
  }
}
