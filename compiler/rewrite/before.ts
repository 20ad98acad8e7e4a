/** The statements as they were before they were put into one another, by the names of the module: for `--checks`. */
import { ownerInside } from '../graph/origin.ts';
import { expandProgram } from '../graph/own-functions.ts';
import { freshName, withoutPrimes } from '../graph/expressions.ts';
import { renameProgram } from '../graph/variants.ts';
import type { Program } from '../graph/types.ts';
import { fuseEpilogues } from './epilogue.ts';

/**
 * @param gradient the program after differentiation
 * @param program what became of it
 */
export function statementsBefore(gradient: Program, program: Program): Program {
  const whole = expandProgram(gradient);
  const named = [...whole.tensors.values()].flatMap(({ name, partOf }) =>
    partOf === undefined ? [name] : [],
  );
  const before = fuseEpilogues({ ...whole, outputs: [...new Set([...whole.outputs, ...named])] });
  const names = new Map(
    program.statements.flatMap(({ target, origin }) => {
      const owner = origin.history.map(ownerInside).find((each) => each !== undefined);
      const part = [...whole.tensors.values()].find(({ partOf }) => partOf !== undefined && partOf === owner);
      return part === undefined ? [] : swapped(`d${withoutPrimes(part.name)}`, target, before);
    }),
  );
  return renameProgram(before, names);
}

/** What the module calls `dh` was `dh_sum`; what was `dh` is in no array of the module. */
function swapped(from: string, to: string, { tensors }: Program): [string, string][] {
  if (from === to || !tensors.has(from)) return [];
  return [[from, to], ...(tensors.has(to) ? [[to, freshName(to, tensors)] satisfies [string, string]] : [])];
}
