import { defineConfig } from 'vitest/config';

/** Virtual Pis are slow and share one machine: a few files at a time (they wait more than they work), and patience. */
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    globalSetup: ['./global-setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 900_000,
    maxWorkers: 3,
    sequence: { concurrent: false },
  },
});
