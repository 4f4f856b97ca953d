import { FleetError } from './errors.ts';

/**
 * The version of the contract between device, overlord, dashboard and CLI.
 *
 * How it evolves, so that a device that was switched off for a year still works:
 *
 * 1. Within a version, fields are only added, and only optional ones. A reader ignores fields that it does not
 *    know in what another *program* wrote (desired state, status, statement, manifest); it refuses unknown fields
 *    in what a *person* wrote (`role.yaml`, `config.yaml`, site and device files), because there they are typos.
 * 2. A meaning never changes under an unchanged name.
 * 3. What is signed or digested (manifest, statement, variables) carries `schemaVersion`; a reader that meets a
 *    higher one refuses it with `version-unsupported` and keeps what it has.
 * 4. The overlord serves the current version and the one before; it stops serving one only after no device has
 *    used it for a year. The device names its version in every request.
 */
export const PROTOCOL_VERSION = 1;

/** Rule 3: refuses a document of a newer version with `version-unsupported`; anything else is left to its schema. */
export function refuseNewer(document: unknown, where: string): void {
  if (typeof document !== 'object' || document === null || !('schemaVersion' in document)) return;
  const { schemaVersion } = document;
  if (typeof schemaVersion !== 'number' || schemaVersion <= PROTOCOL_VERSION) return;
  throw new FleetError({
    code: 'version-unsupported',
    what: `This is version ${schemaVersion} of a format of which version ${PROTOCOL_VERSION} is known here`,
    where,
    remedy: 'Update this side first; until then it keeps what it has.',
  });
}
