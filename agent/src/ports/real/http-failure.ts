import { FleetError, type Problem } from '@metrica-fleet/protocol';
import type { HttpRequest } from '../http.ts';

/** Codes of OpenSSL and Node for a chain that does not end in a certificate that we trust. */
const NOT_VOUCHED_FOR = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
  'INVALID_PURPOSE',
]);

interface Circumstances {
  readonly request: HttpRequest;
  /** The deadline of the whole exchange has passed. */
  readonly late: boolean;
}

/** What a failed request means, for whoever has to do something about it. */
export function failureOf(error: unknown, { request, late }: Circumstances): FleetError {
  if (error instanceof FleetError) return error;
  const where = new URL(request.url).origin;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = error instanceof Error ? reasonOf(error) : String(error);
  return new FleetError({ ...problemOf({ code, reason, request, late }), where }, { cause: error });
}

interface Failure extends Circumstances {
  readonly code: string;
  readonly reason: string;
}

function problemOf({ code, reason, request, late }: Failure): Problem {
  // The day alone: a problem that changes with each run would be news each time.
  const today = new Date().toISOString().slice(0, 10);
  if (late) {
    return { code: 'deadline-exceeded', what: `No complete answer within ${request.deadline / 1000} s` };
  }
  if (NOT_VOUCHED_FOR.has(code)) {
    return {
      code: 'certificate-mismatch',
      what:
        request.ca === null
          ? `No certificate authority of this system vouches for the server (${reason})`
          : `The server is not the one that this device has pinned (${reason})`,
      remedy: 'Somebody may be in between. If the certificate was renewed on purpose, pin the new authority.',
    };
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return {
      code: 'certificate-mismatch',
      what: 'The certificate of the server is for another name',
      remedy: 'Use a name that it lists, or give the overlord a certificate with this one.',
    };
  }
  if (code === 'CERT_NOT_YET_VALID') {
    return {
      code: 'clock-wrong',
      what: 'The certificate of the server is not valid yet: the clock of this device is probably behind',
      remedy: `It says ${today}. Let it reach a time server (NTP, UDP port 123), or set it with \`date -s\`.`,
    };
  }
  if (code === 'CERT_HAS_EXPIRED') {
    return {
      code: 'certificate-mismatch',
      what: 'The certificate of the server has expired, or the clock of this device is ahead',
      remedy: `It says ${today}. If that is right, renew the certificate of the server; if not, let the device reach a time server.`,
    };
  }
  return {
    code: 'source-unreachable',
    what: `It cannot be reached: ${reason}`,
    remedy: 'What runs keeps running; the next run asks again.',
  };
}

/** An attempt at several addresses fails with an empty message and the reasons inside. */
function reasonOf(error: Error): string {
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const { message } = inner instanceof Error ? inner : error;
  return (message || error.name).slice(0, 300);
}
