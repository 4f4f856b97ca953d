import { Transform } from 'node:stream';
import { oversizedBundle } from './bundle-problems.ts';

/** Counts what passes, and ends the stream with `bundle-too-large` past a limit. */
export class ByteCounter extends Transform {
  /** Bytes so far. */
  bytes = 0;
  readonly #limit: number;
  readonly #where: string;

  /** `limit` in bytes, default none; `where` names the bundle in the error. */
  constructor(limit = Infinity, where = '') {
    super();
    this.#limit = limit;
    this.#where = where;
  }

  override _transform(
    chunk: Uint8Array,
    _encoding: BufferEncoding,
    done: (error: Error | null, chunk?: Uint8Array) => void,
  ): void {
    this.bytes += chunk.length;
    if (this.bytes > this.#limit) done(oversizedBundle(`more than ${this.#limit} bytes`, this.#where));
    else done(null, chunk);
  }
}
