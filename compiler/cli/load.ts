/** Emitted modules, run in this process: the types are stripped, and what is left is imported. */
import swc from '@swc/wasm-typescript';
import type { LoadedModule } from '../check/index.ts';

/** Imports a module that imports nothing itself (emitted with `standalone`). Only types are taken off: the code is as emitted. */
export async function loadModule(text: string): Promise<LoadedModule> {
  const { code } = swc.transformSync(text, { mode: 'strip-only' });
  const url = `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`;
  const module: LoadedModule = await import(url);
  return module;
}
