#!/usr/bin/env node
// In a checkout the compiler runs from its source, so that it is never stale; an installed package has only `dist`.
import { existsSync } from 'node:fs';

const source = new URL('../compiler/cli/main.ts', import.meta.url);
if (existsSync(source)) {
  const { register } = await import('tsx/esm/api');
  register();
  await import(source.href);
} else {
  await import('../dist/compiler/cli/main.js');
}
