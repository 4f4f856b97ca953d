import { DigestSchema, digestOfJson, parse, type Status } from '@metrica-fleet/protocol';
import { Literal, Null, Number as Num, Object as Obj, String as Str, Union, type Static } from 'typebox';
import type { Disk } from '../ports/disk.ts';

/** What is remembered of the talk with the overlord until the next reboot. */
const ContactSchema = Obj({
  schemaVersion: Literal(1),
  /** `statusDigest` of what the overlord has on record; null where it may have none. */
  status: Union([DigestSchema, Null()]),
  /** Uptime in seconds when it last answered; null before. */
  answered: Union([Num(), Null()]),
  /** Why it did not answer the last time; null where it did. */
  silence: Union([Obj({ why: Str() }), Null()]),
});
export type Contact = Static<typeof ContactSchema>;

const NO_CONTACT: Contact = { schemaVersion: 1, status: null, answered: null, silence: null };

/** What is remembered; `NO_CONTACT` after a boot. */
export async function readContact(disk: Disk, path: string): Promise<Contact> {
  const text = await disk.readText(path);
  if (text === null) return NO_CONTACT;
  try {
    return parse(ContactSchema, JSON.parse(text), { where: path });
  } catch {
    return NO_CONTACT;
  }
}

export async function writeContact(disk: Disk, path: string, contact: Contact): Promise<void> {
  await disk.write('contact.write', path, { content: `${JSON.stringify(contact)}\n` });
}

/**
 * What tells one status from another. Not the times that move on by themselves while all is well: the overlord takes
 * them from the check-in that says «as before».
 */
export function statusDigest(status: Status): string {
  const { at: _at, lastConvergence, ...lasting } = status;
  const converged = status.health === 'healthy' && status.pending === null;
  return digestOfJson({ ...lasting, lastConvergence: converged ? null : lastConvergence });
}
