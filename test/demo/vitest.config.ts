import { defineConfig } from 'vitest/config';

/** The demo as a person runs it: one file, so that nothing else slows it down. */
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    testTimeout: 100_000,
    hookTimeout: 100_000,
    maxWorkers: 1,
    expect: { requireAssertions: true },
  },
});
