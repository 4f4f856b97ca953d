import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { connectionOf, placeOf } from '../../src/db/connection.ts';
import { DatabaseError } from '../../src/db/database-error.ts';

describe('the place of a database', () => {
  it('is host, port and name, without who goes there', () => {
    expect(placeOf('postgres://ada:s3cret@db.example:6543/fleet?sslmode=require')).toBe(
      'db.example:6543/fleet',
    );
    expect(placeOf('postgresql:///fleet?host=%2Frun%2Ffleet&user=ada')).toBe('/run/fleet/fleet');
  });
});

describe('a URL that cannot be read', () => {
  it.each(['postgres://ada:s3/cret#@db.example', 'mysql://ada:s3cret@db.example/fleet', 's3cret', ''])(
    'is refused without saying it: %s',
    (url) => {
      const refusal = thrownBy(() => connectionOf(url, 'test'));
      expect(refusal).toBeInstanceOf(DatabaseError);
      expect(refusal).toMatchObject({ code: 'url-invalid' });
      // Logs show causes too.
      expect(refusal).not.toHaveProperty('cause');
      expect(inspect(refusal)).not.toMatch(/s3\/?cret/);
    },
  );
});

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
