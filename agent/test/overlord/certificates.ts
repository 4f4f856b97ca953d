import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An authority of our own and a certificate by it, as `./fleet up` makes them: P-256, for `localhost`. */
export interface Certificates {
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
}

export function makeCertificates(folder: string, name: string): Certificates {
  mkdirSync(folder, { recursive: true });
  const at = (file: string): string => join(folder, `${name}-${file}`);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const own = ['-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '3650', '-subj', `/CN=${name} CA`];
  openssl('req', '-x509', ...newKey, ...own);
  openssl('req', ...newKey, '-keyout', at('key.pem'), '-out', at('csr.pem'), '-subj', '/CN=overlord');
  writeFileSync(at('ext'), 'subjectAltName=DNS:localhost\n');
  const by = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('ext')];
  openssl('x509', '-req', '-in', at('csr.pem'), ...by, '-out', at('cert.pem'), '-days', '365');
  const read = (file: string): string => readFileSync(at(file), 'utf8');
  return { ca: read('ca.pem'), key: read('key.pem'), cert: read('cert.pem') };
}
