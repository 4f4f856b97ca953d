import { defineConfig } from 'vitest/config';

/** Real programs and a real browser: one file at a time, so that a page is not slow because of its neighbour. */
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    maxWorkers: 1,
    expect: { requireAssertions: true },
  },
});
