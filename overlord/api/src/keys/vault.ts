import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Schema } from '../db/schema.ts';

/** AES-256-GCM as in NIST SP 800-38D: a fresh nonce of 96 bits in front, the tag of 128 bits behind. */
const CIPHER = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;

/** Secrets of the overlord, sealed in the database with a master key that is not in it. All replicas share them. */
export class Vault {
  private readonly db: Kysely<Schema>;
  private readonly master: Buffer;

  /** `master` has 32 bytes. */
  constructor(db: Kysely<Schema>, master: Buffer) {
    this.db = db;
    this.master = master;
  }

  /**
   * The secret of that name; made by `make` when there is none yet. Two replicas that start at once agree on one.
   * Throws when the master key is not the one that sealed it.
   */
  async secret(name: string, make: () => Promise<Buffer> | Buffer): Promise<Buffer> {
    const found = await this.read(name);
    if (found !== null) return found;
    const sealed = seal(await make(), { name, master: this.master });
    await this.db
      .insertInto('keys')
      .values({ name, sealed })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const agreed = await this.read(name);
    if (agreed === null) throw new Error(`The key ${name} vanished while it was written`);
    return agreed;
  }

  private async read(name: string): Promise<Buffer | null> {
    const row = await this.db.selectFrom('keys').select('sealed').where('name', '=', name).executeTakeFirst();
    return row === undefined ? null : open(row.sealed, { name, master: this.master });
  }
}

interface Seal {
  /** Bound to the secret, so that one cannot be put in another's place. */
  readonly name: string;
  readonly master: Buffer;
}

/** Encrypts; the result can be opened with the same name and master key only. */
function seal(secret: Buffer, { name, master }: Seal): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, master, nonce).setAAD(Buffer.from(name));
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
}

/** Decrypts what `seal` made. Throws, saying what to do, when it was sealed with another master key or changed. */
function open(sealed: Buffer, { name, master }: Seal): Buffer {
  try {
    const body = sealed.subarray(NONCE, -TAG);
    const decipher = createDecipheriv(CIPHER, master, sealed.subarray(0, NONCE), { authTagLength: TAG });
    decipher.setAAD(Buffer.from(name)).setAuthTag(sealed.subarray(-TAG));
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch (cause) {
    throw new Error(
      `The key ${name} in the database cannot be opened: it was sealed with another master key. ` +
        'Start with the master key that belongs to this database (FLEET_MASTER_KEY, or master.key in the data folder).',
      { cause },
    );
  }
}
