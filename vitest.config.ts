import { defineConfig } from 'vitest/config';

const minutes = 60_000;
// Bundling, certificate files and colours of the caller change what a child process prints and how fast it starts.
const env = { NO_COLOR: '1', NODE_EXTRA_CA_CERTS: '' };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/live/**'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          env,
        },
      },
      {
        test: {
          name: 'live',
          include: ['test/live/**/*.test.ts'],
          // Fills the caches of real servers while the unit tests run.
          globalSetup: 'test/live/caches.ts',
          // After the unit tests, two at a time: a busy machine makes registrations time out.
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          testTimeout: 1 * minutes,
          hookTimeout: 3 * minutes,
          env,
        },
      },
    ],
  },
});
