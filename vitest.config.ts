import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['chainrule-source'] },
  ssr: { resolve: { conditions: ['chainrule-source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['./test/setup.ts'],
    pool: 'threads',
    isolate: false,
    testTimeout: 60_000,
    reporters: ['default', './test/reporter.ts'],
  },
});
