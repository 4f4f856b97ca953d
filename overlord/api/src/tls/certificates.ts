// The library's dependency injection wants it, before anything else.
// oxlint-disable-next-line import/no-unassigned-import -- it is imported for what it does
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import {
  createHash,
  createPrivateKey,
  randomBytes,
  webcrypto,
  X509Certificate as NodeCertificate,
} from 'node:crypto';
import { isIP } from 'node:net';
import type { Vault } from '../keys/vault.ts';

/** What a TLS server needs, and what its clients pin. */
export interface Certificates {
  readonly key: string;
  /** The server's certificate, then its issuer's. */
  readonly certificate: string;
  /** What devices trust, and nothing else: our own authority, or the given certificate's chain. */
  readonly authority: string;
  /** `sha256//…` as curl's --pinnedpubkey takes it: of the server's key. */
  readonly pin: string;
  readonly expires: Date;
}

const DAY = 86_400_000;
/** An authority outlives any device in the field; a server's certificate is made anew at each start, when it is old. */
const LIFE = { authority: 20 * 365 * DAY, server: 398 * DAY } as const;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/**
 * Certificates of our own: an authority made at the first start, kept in the vault, and a server certificate for
 * `hosts` (names or addresses) signed by it. The server's key stays the same, so that the pin in printed lines holds.
 */
export async function ownCertificates(
  vault: Vault,
  hosts: readonly string[],
  now: Date,
): Promise<Certificates> {
  const authority = JSON.parse(
    (
      await vault.secret('tls-authority', async () => Buffer.from(JSON.stringify(await makeAuthority(now))))
    ).toString(),
  ) as { readonly key: string; readonly certificate: string };
  const key = (
    await vault.secret('tls-server-key', async () =>
      Buffer.from(await exportKey((await makeKeys()).privateKey)),
    )
  ).toString();
  const certificate = await issue(authority, { key, hosts, now });
  return describe({
    key,
    certificate: `${certificate}\n${authority.certificate}\n`,
    authority: authority.certificate,
  });
}

/** Certificates that somebody else made, as PEM. Devices trust what comes with them, so a chain belongs into `certificate`. */
export function givenCertificates(key: string, certificate: string): Certificates {
  return describe({ key, certificate, authority: certificate });
}

function describe(parts: Pick<Certificates, 'key' | 'certificate' | 'authority'>): Certificates {
  const server = new NodeCertificate(parts.certificate);
  const publicKey = server.publicKey.export({ type: 'spki', format: 'der' });
  return {
    ...parts,
    pin: `sha256//${createHash('sha256').update(publicKey).digest('base64')}`,
    expires: new Date(server.validTo),
  };
}

async function makeAuthority(now: Date): Promise<{ key: string; certificate: string }> {
  const keys = await makeKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=Metrica Fleet ${randomBytes(4).toString('hex')}`,
    // A device may have a clock that is some days behind when it first looks.
    notBefore: new Date(now.getTime() - 30 * DAY),
    notAfter: new Date(now.getTime() + LIFE.authority),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { key: await exportKey(keys.privateKey), certificate: certificate.toString('pem') };
}

interface Wanted {
  readonly key: string;
  readonly hosts: readonly string[];
  readonly now: Date;
}

async function issue(
  authority: { readonly key: string; readonly certificate: string },
  { key, hosts, now }: Wanted,
): Promise<string> {
  const issuer = new X509Certificate(authority.certificate);
  const names = hosts.map((value) => ({
    type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const),
    value,
  }));
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: `CN=${hosts[0] ?? 'overlord'}`,
    issuer: issuer.subject,
    notBefore: new Date(now.getTime() - 30 * DAY),
    notAfter: new Date(now.getTime() + LIFE.server),
    publicKey: await publicKeyOf(key),
    signingKey: await importKey(authority.key),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names),
    ],
  });
  return certificate.toString('pem');
}

/** 20 bytes at most, positive, random (CA/Browser Forum, Baseline Requirements 7.1). */
function serial(): string {
  return `00${randomBytes(16).toString('hex')}`;
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return cryptoProvider
    .get()
    .subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}

async function publicKeyOf(pem: string): Promise<webcrypto.CryptoKey> {
  const { d: _secret, ...jwk } = createPrivateKey(pem).export({ format: 'jwk' });
  return webcrypto.subtle.importKey(
    'jwk',
    { ...jwk, key_ops: ['verify'] } as webcrypto.JsonWebKey,
    ALGORITHM,
    true,
    ['verify'],
  );
}
