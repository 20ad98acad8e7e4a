/**
 * Names after all passes, as one would give them by hand:
 *
 * - the cotangent of a sum inside of `h` is `dh`, where nothing else is left of the cotangent of h. In
 *   `h = relu(sum[i](x[n, i] * W[i, j]) + b[j])` the derivative of relu is part of what is computed for that sum, as in
 *   `dh[n, j] = h[n, j] > 0 ? sum[k](dz[n, k] * V[j, k]) : 0`, and what a text says of `dW` is `sum[n](x[n, i] * dh[n, j])`;
 * - a reduction of a tensor, and of nothing else, is called after it: `z_logsumexp`, whoever needed it first.
 */
import { isPlainIndex, tensorsIn, withoutPrimes } from '../graph/expressions.ts';
import { indexKey } from '../graph/index-expressions.ts';
import { insideOf } from '../graph/origin.ts';
import { renameProgram } from '../graph/variants.ts';
import type { Program, Statement } from '../graph/types.ts';

/** With `before`, the program before it was optimised: what is now inside of others has statements there. */
export function withPlainNames(program: Program, before: Program): Program {
  const names = new Map([...cotangentNames(program, before), ...reductionNames(program)]);
  if (names.size === 0) return program;
  const renamed = renameProgram(program, names);
  const partOf = new Map(
    [...before.tensors.values()].map((tensor) => [cotangentOf(tensor.name), tensor.partOf]),
  );
  const statements = program.statements.map(({ target, origin }, place) => {
    const statement = renamed.statements[place]!;
    const owner = names.has(target) ? partOf.get(target) : undefined;
    if (owner === undefined || statement.phase !== 'backward') return statement;
    return { ...statement, origin: { ...origin, history: [...origin.history, insideOf(owner)] } };
  });
  return { ...renamed, statements };
}

const cotangentOf = (name: string): string => `d${withoutPrimes(name)}`;

/** `dh_sum` -> `dh` */
function cotangentNames(program: Program, before: Program): [string, string][] {
  const { tensors, statements } = program;
  const backward = new Set(statements.flatMap(({ target, phase }) => (phase === 'backward' ? [target] : [])));
  const formulas = new Map(before.statements.map((statement) => [statement.target, statement]));
  const parts = new Map<string, string[]>();
  for (const { name, partOf } of before.tensors.values()) {
    const cotangent = cotangentOf(name);
    if (partOf === undefined || !backward.has(cotangent)) continue;
    parts.set(partOf, [...(parts.get(partOf) ?? []), name]);
  }
  return [...parts].flatMap(([owner, [part, ...others]]): [string, string][] => {
    const name = cotangentOf(owner);
    const formula = formulas.get(owner);
    if (part === undefined || formula === undefined || others.length > 0 || tensors.has(name)) return [];
    return isArgument(part, formula) ? [[cotangentOf(part), name]] : [];
  });
}

/** Is the formula a function of the part, or of it and a bias, at every element? Then nothing scales its cotangent. */
function isArgument(part: string, { write, combine, body }: Statement): boolean {
  let node = body;
  while (node.kind === 'unary' || (node.kind === 'binary' && node.operator === 'add')) {
    if (node.kind === 'unary') node = node.operand;
    else node = tensorsIn(node.left).has(part) ? node.left : node.right;
  }
  const isWhole = node.kind === 'read' && node.at.map(indexKey).join() === write.map(indexKey).join();
  return combine === 'assign' && node.kind === 'read' && node.tensor === part && isWhole;
}

/** `p_logsumexp` -> `z_logsumexp` */
function reductionNames({ tensors, statements, outputs, metrics, loss }: Program): [string, string][] {
  const results = new Set([...outputs, ...metrics, loss]);
  const taken = new Set(tensors.keys());
  return statements.flatMap((statement): [string, string][] => {
    const { target, combine } = statement;
    const of = reducedTensor(statement);
    const tensor = tensors.get(target);
    if (of === undefined || tensor?.partOf === undefined || results.has(target)) return [];
    const name = `${withoutPrimes(of)}_${combine}`;
    if (taken.has(name)) return [];
    taken.add(name);
    return [[target, name]];
  });
}

/** The tensor that is reduced, if the body is nothing but an element of it, and it all along. */
function reducedTensor({ combine, body, finish, indices, scan }: Statement): string | undefined {
  if (combine === 'assign' || body.kind !== 'read' || finish !== undefined || scan !== undefined)
    return undefined;
  const at = body.at.map(isPlainIndex);
  const isWhole = !at.includes(undefined) && new Set(at).size === indices.length;
  return isWhole && body.outside === undefined ? body.tensor : undefined;
}
