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

export interface Validity {
  /** As `openssl ca` wants it: `20990101000000Z`. */
  readonly from: string;
  readonly to: string;
}

/** Another certificate of the authority that `makeCertificates` has made, for the same key, valid from then until then. */
export function datedCertificate(folder: string, name: string, { from, to }: Validity): string {
  const at = (file: string): string => join(folder, `${name}-${file}`);
  const database = at(`${from}.index`);
  const lines = [
    '[ca]',
    'default_ca=c',
    '[c]',
    `new_certs_dir=${folder}`,
    `database=${database}`,
    'rand_serial=yes',
  ];
  writeFileSync(database, '');
  writeFileSync(
    at('ca.cnf'),
    `${[...lines, 'default_md=sha256', 'policy=p', '[p]', 'commonName=supplied'].join('\n')}\n`,
  );
  const by = [
    '-config',
    at('ca.cnf'),
    '-cert',
    at('ca.pem'),
    '-keyfile',
    at('ca.key'),
    '-extfile',
    at('ext'),
  ];
  const args = ['ca', '-batch', '-notext', ...by, '-in', at('csr.pem'), '-startdate', from, '-enddate', to];
  execFileSync('openssl', [...args, '-out', at(`${from}.pem`)], { stdio: ['ignore', 'ignore', 'pipe'] });
  return readFileSync(at(`${from}.pem`), 'utf8');
}
