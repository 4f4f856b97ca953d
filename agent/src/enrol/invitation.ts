import { EnrolFileSchema, FleetError, parse, type EnrolFile } from '@metrica-fleet/protocol';
import type { Disk } from '../ports/disk.ts';

/** `enroll.json` with its token at hand. */
export interface Invitation extends Omit<EnrolFile, 'token' | 'token_file'> {
  readonly token: string;
}

/** Reads the invitation; null where there is none. Throws `config-invalid`. */
export async function readInvitation(disk: Disk, path: string): Promise<Invitation | null> {
  const text = await disk.readText(path);
  if (text === null) return null;
  const { token, token_file: file, ...invitation } = parseFile(text, path);
  const found = token ?? (file === undefined ? null : await disk.readText(file))?.trim();
  if (found === undefined) {
    throw fault(
      file === undefined ? 'has neither `token` nor `token_file`' : `names ${file}, which is not there`,
      path,
    );
  }
  return { ...invitation, url: invitation.url.replace(/\/$/, ''), token: found };
}

function parseFile(text: string, where: string): EnrolFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fault('is not JSON', where);
  }
  return parse(EnrolFileSchema, value, { where, code: 'config-invalid', remedy: REMEDY });
}

const REMEDY = 'Run the command that the page Enrol shows, which writes it again.';

function fault(what: string, where: string): FleetError {
  return new FleetError({ code: 'config-invalid', what: `The invitation ${what}`, where, remedy: REMEDY });
}
