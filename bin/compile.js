#!/usr/bin/env node
// In a checkout the compiler runs from its source, so that it is never stale; an installed package has only `dist`.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const source = new URL('../compiler/cli/main.ts', import.meta.url);
if (existsSync(source)) {
  const { bundledCompiler } = await import('../compiler/cli/checkout.js');
  const main = await bundledCompiler().catch(() => undefined);
  if (main === undefined) {
    const { register } = await import('tsx/esm/api');
    register();
  }
  await import(main === undefined ? source.href : pathToFileURL(main).href);
} else {
  await import('../dist/cli/main.js');
}
