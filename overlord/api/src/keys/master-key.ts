import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const BYTES = 32;

/**
 * The key that seals all others: 64 hexadecimal digits from `given` (FLEET_MASTER_KEY), else from `master.key` in the
 * data folder, which is made at the first start, for the owner's eyes only. Whoever has the database and not this has
 * no secret. Throws a sentence for people.
 */
export async function masterKey(given: string | undefined, dataDir: string): Promise<Buffer> {
  if (given !== undefined) return parse(given, 'FLEET_MASTER_KEY');
  const path = join(dataDir, 'master.key');
  try {
    return parse(await readFile(path, 'utf8'), path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
  const key = randomBytes(BYTES);
  await writeFile(path, `${key.toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  return key;
}

function parse(text: string, where: string): Buffer {
  if (!/^[0-9a-f]{64}$/i.test(text.trim())) {
    throw new Error(
      `${where} is not a key: it must be 64 hexadecimal digits, as \`openssl rand -hex 32\` prints.`,
    );
  }
  return Buffer.from(text.trim(), 'hex');
}
