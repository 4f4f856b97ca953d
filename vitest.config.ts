import { configDefaults, defineConfig } from 'vitest/config';

const conditions = ['source', 'module', 'node', 'development|production'];

/** Tests of the packages and of what crosses them, but for those that need a machine of their own. */
export default defineConfig({
  // Packages import each other's TypeScript, so that a stale dist/ cannot hide a mistake. The rest are the defaults.
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [
      '{protocol,agent,cli,simulator}/test/**/*.test.ts',
      'overlord/*/test/**/*.test.ts',
      'test/*.test.ts',
    ],
    exclude: [...configDefaults.exclude, '**/dist/**'],
    // One PostgreSQL for all tests that want one.
    globalSetup: ['overlord/api/test/postgres.ts'],
    pool: 'forks',
    // A test that asserts nothing fails. Its helpers may do the asserting, which a lint rule could not see.
    expect: { requireAssertions: true },
    testTimeout: 20_000,
  },
});
