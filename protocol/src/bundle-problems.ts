import { FleetError } from './errors.ts';

/** What reading a bundle can end in. `where` names the bundle: its path or URL. */

const AGAIN = 'Make the bundle again with `fleet bundle export`, or copy it again.';

/** `bundle-invalid`: not a bundle, or not a whole one. `what` goes on after «The bundle». */
export function invalidBundle(what: string, where: string): FleetError {
  return new FleetError({ code: 'bundle-invalid', what: `The bundle ${what}`, where, remedy: AGAIN });
}

/** `manifest-mismatch`: a bundle that does not hold what its own manifest says. */
export function mismatchedBundle(what: string, where: string): FleetError {
  return new FleetError({ code: 'manifest-mismatch', what: `The bundle ${what}`, where, remedy: AGAIN });
}

/** `bundle-too-large`, counted on what is inflated. */
export function oversizedBundle(size: string, where: string): FleetError {
  return new FleetError({ code: 'bundle-too-large', what: `The bundle holds ${size}`, where });
}

const ARCHIVE_ERRORS =
  /^(Z_|ERR_STREAM_PREMATURE_CLOSE)|Unexpected end of data|Invalid (tar )?header|Header exceeds/;

/** Errors of gunzip and of the tar reader mean a bad bundle; everything else comes from the caller and stays as it is. */
export function bundleFault(thrown: unknown, where: string): unknown {
  if (thrown instanceof FleetError || !(thrown instanceof Error)) return thrown;
  const code = 'code' in thrown ? String(thrown.code) : '';
  if (!ARCHIVE_ERRORS.test(code) && !ARCHIVE_ERRORS.test(thrown.message)) return thrown;
  return invalidBundle(`is damaged or truncated (${thrown.message})`, where);
}
