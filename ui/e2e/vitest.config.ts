import { defineConfig } from 'vitest/config';

// One daemon and one browser for all: scenarios run one after the other.
export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 120_000,
    // As long as the page's own waiting.
    expect: { poll: { timeout: 20_000 } },
  },
});
