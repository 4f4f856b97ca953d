import { DeviceNameSchema, FleetError, IdSchema, parse, TimeSchema } from '@metrica-fleet/protocol';
import { Literal, Null, Object as Obj, String as Str, Union, type Static } from 'typebox';
import { serialOf } from '../enrol/evidence.ts';
import type { Paths } from '../paths.ts';
import type { Disk } from '../ports/disk.ts';

/** `identity/device.json`: who this device is to the overlord that it joined. */
export const DeviceFileSchema = Obj({
  schemaVersion: Literal(1),
  device: IdSchema,
  name: DeviceNameSchema,
  /** URL of the overlord. */
  overlord: Str(),
  enrolledAt: TimeSchema,
  /** Serial number of the board that joined; null where it has none. A copied card wakes up on another. */
  serial: Union([Str(), Null()]),
});
export type DeviceFile = Static<typeof DeviceFileSchema>;

/** A device of a fleet: it can prove who it is. */
export interface Identity extends DeviceFile {
  /** PEM; parsed where it is used, which most runs never do. */
  readonly key: string;
}

/**
 * Who this device is. Throws `not-enrolled` where it has joined no fleet, or not that of this overlord, or where the
 * identity is that of another board: two devices with one identity would undo each other's work.
 */
export async function readIdentity(disk: Disk, paths: Paths, overlord: string): Promise<Identity> {
  const file = await readDeviceFile(disk, paths);
  const pem = await disk.readText(paths.identity.key);
  if (file === null || pem === null) throw notEnrolled(`has not joined the fleet of ${overlord}`);
  if (file.overlord !== overlord)
    throw notEnrolled(`has joined the fleet of ${file.overlord}, not of ${overlord}`);
  const serial = await serialOf({ disk });
  if (file.serial !== null && serial !== null && file.serial !== serial)
    throw notEnrolled(`runs from a card that was copied from ${file.name} (serial ${file.serial})`);
  return { ...file, key: pem };
}

/** What enrolment wrote; null where there is nothing, or nothing that can be read. */
export async function readDeviceFile(disk: Disk, paths: Paths): Promise<DeviceFile | null> {
  const text = await disk.readText(paths.identity.device);
  if (text === null) return null;
  try {
    return parse(DeviceFileSchema, JSON.parse(text), { where: paths.identity.device });
  } catch {
    return null;
  }
}

function notEnrolled(what: string): FleetError {
  return new FleetError({
    code: 'not-enrolled',
    what: `This device ${what}`,
    where: 'config.yaml',
    remedy: 'Make a token on the page Enrol and run the command that it shows on this device.',
  });
}
