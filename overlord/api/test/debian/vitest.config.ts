import { dirname } from 'node:path';
import { defineConfig } from 'vitest/config';

const conditions = ['source', 'module', 'node', 'development|production'];

/** The tests that talk to a database, again, with DATABASE_URL and PostgreSQL from Debian. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    root: dirname(import.meta.dirname),
    include: ['**/*.test.ts'],
    // What the embedded server does is told by its own tests.
    exclude: ['db/embedded*.test.ts', 'whole/own-database.test.ts'],
    globalSetup: ['debian/global-setup.ts'],
    pool: 'forks',
    expect: { requireAssertions: true },
    testTimeout: 20_000,
  },
});
