import { createHash, createPublicKey, verify } from 'node:crypto';

/** A signature of OpenSSH (PROTOCOL.sshsig), as far as one by an Ed25519 key goes. */
interface SshSignature {
  /** The public key as OpenSSH writes it in `allowed_signers`: base64. */
  readonly key: string;
  readonly namespace: string;
  readonly hash: string;
  readonly bytes: Buffer;
}

/** One line of `allowed_signers` that we can judge. */
interface Signer {
  readonly principal: string;
  /** Null: for every purpose. */
  readonly namespaces: readonly string[] | null;
  readonly key: string;
}

const MAGIC = 'SSHSIG';
const ALGORITHM = 'ssh-ed25519';
const HASHES = new Set(['sha256', 'sha512']);

/**
 * `ssh-keygen -Y find-principals` without a process: who is listed with the key of this signature. Keys other than
 * Ed25519, and lines with options other than `namespaces`, are passed over: they vouch for nothing here.
 */
export function principalsFor(signers: string, armored: string): readonly string[] {
  const signature = parseSignature(armored);
  if (signature === null) return [];
  return signersIn(signers)
    .filter(({ key }) => key === signature.key)
    .map(({ principal }) => principal);
}

interface Claim {
  readonly signers: string;
  readonly signature: string;
  readonly principal: string;
  readonly namespace: string;
  readonly message: string | Uint8Array;
}

/** `ssh-keygen -Y verify` without a process: did this principal sign exactly these bytes for this purpose? */
export function isSignedBy({ signers, signature: armored, principal, namespace, message }: Claim): boolean {
  const signature = parseSignature(armored);
  if (signature === null || signature.namespace !== namespace || !HASHES.has(signature.hash)) return false;
  const listed = signersIn(signers).some(
    (signer) =>
      signer.principal === principal &&
      signer.key === signature.key &&
      (signer.namespaces === null || signer.namespaces.includes(namespace)),
  );
  if (!listed) return false;
  const digest = createHash(signature.hash).update(message).digest();
  const signed = Buffer.concat([
    Buffer.from(MAGIC),
    ...[signature.namespace, '', signature.hash].map((text) => field(Buffer.from(text))),
    field(digest),
  ]);
  return verify(null, signed, publicKeyOf(signature.key), signature.bytes);
}

function parseSignature(armored: string): SshSignature | null {
  const base64 = /^-----BEGIN SSH SIGNATURE-----\s([\s\S]*)-----END SSH SIGNATURE-----\s*$/.exec(
    armored,
  )?.[1];
  if (base64 === undefined) return null;
  try {
    const reader = new Fields(Buffer.from(base64, 'base64'));
    if (reader.take(MAGIC.length).toString() !== MAGIC || reader.number() !== 1) return null;
    const key = reader.field();
    const [namespace, , hash] = [reader.field(), reader.field(), reader.field()].map(String);
    const inner = new Fields(reader.field());
    if (inner.field().toString() !== ALGORITHM) return null;
    const bytes = inner.field();
    return { key: key.toString('base64'), namespace: namespace ?? '', hash: hash ?? '', bytes };
  } catch {
    return null;
  }
}

function signersIn(text: string): readonly Signer[] {
  return text.split('\n').flatMap((line): Signer[] => {
    const match = /^([^\s#]+)\s+(?:(namespaces="([^"]*)")\s+)?ssh-ed25519\s+(\S+)/.exec(line.trim());
    if (match === null) return [];
    const [, principals = '', option, namespaces = '', key = ''] = match;
    return principals.split(',').map((principal) => ({
      principal,
      namespaces: option === undefined ? null : namespaces.split(','),
      key,
    }));
  });
}

function publicKeyOf(key: string): ReturnType<typeof createPublicKey> {
  const reader = new Fields(Buffer.from(key, 'base64'));
  reader.field();
  const x = reader.field().toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Reads what SSH writes one after the other. Throws where it is too short. */
class Fields {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new RangeError('It is cut');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  number(): number {
    return this.take(4).readUInt32BE();
  }

  field(): Buffer {
    return this.take(this.number());
  }
}
