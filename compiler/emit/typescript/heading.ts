/** @file What stands above a function: its mathematics, the places in the model, and what it serves. */
import { ownerInside, placesOfOrigins } from '../../graph/origin.ts';
import { scanHeader } from '../../graph/print.ts';
import { withScanIndex } from '../../graph/scan.ts';
import type { Program, Statement } from '../../graph/types.ts';
import type { LoopFunction } from '../../schedule/types.ts';
import { commentLines, proseLines } from './functions.ts';
import { formulaOf } from '../../graph/formula.ts';
import { identifier } from './names.ts';

/** A longer place, one of many calls, stands below its formula. */
const LONGEST_PLACE = 36;

/** The mathematics and the places in the model. */
export function heading(each: LoopFunction, program: Program): string {
  const around = { tensors: each.tensors ?? program.tensors };
  const scan = scanHeader(each.computes);
  const index = each.computes[0]?.scan?.index ?? '';
  const indent = scan === '' ? '' : '  ';
  const formulas = each.computes.map((statement) => {
    const { lines, names } = formulaOf(withScanIndex(statement, index), around);
    return { lines: lines.map((line) => indent + line), names: names.map((line) => `${indent}    ${line}`) };
  });
  const width = Math.max(0, ...formulas.map(({ lines }) => lines.at(-1)?.length ?? 0));
  const lines = each.computes.flatMap((statement, k) => {
    const { lines: formula, names } = formulas[k]!;
    const last = formula.at(-1) ?? '';
    const uses = (each.uses ?? []).flatMap((use) => use[k]?.origin ?? []);
    const place = placesOfOrigins(uses.length === 0 ? [statement.origin] : uses);
    const named = names.flatMap(commentLines);
    return place.length > LONGEST_PLACE
      ? [...formula.flatMap(commentLines), ...named, ...proseLines(`    ${place}`)]
      : [...[...formula.slice(0, -1), `${last.padEnd(width)}      ${place}`].flatMap(commentLines), ...named];
  });
  return [
    ...(each.documentation === undefined ? [] : proseLines(each.documentation)),
    ...(scan === '' ? [] : commentLines(scan)),
    ...lines,
    ...inside(each.computes),
    ...each.computes.flatMap((statement) => partOf(statement, program)),
    ...usesOf(each),
  ].join('\n');
}

/** Of gradients by what an activation is applied to: that they are not the ones by the activation's value. */
function inside(computes: readonly Statement[]): string[] {
  const found = computes.flatMap(({ target, phase, origin }) => {
    const owner = origin.history.flatMap((step) => ownerInside(step) ?? []).at(-1);
    return phase === 'backward' && owner !== undefined ? [{ target, owner }] : [];
  });
  if (found.length === 0) return [];
  const targets = found.map(({ target }) => target).join(', ');
  const owners = found.map(({ owner }) => owner).join(', ');
  const [are, sums] = found.length === 1 ? ['is the gradient', 'sum'] : ['are the gradients', 'sums'];
  return proseLines(`${targets} ${are} by the ${sums} inside of ${owners}`);
}

/** Of the gradient by a tensor that another took in: which, since the module has none of that name. */
function partOf({ target, phase, origin }: Statement, { tensors }: Program): string[] {
  const [, primal = ''] = /^d(.+?)(?:_\d+|_sum)*$/.exec(target) ?? [];
  if (phase !== 'backward' || primal === '' || tensors.has(primal) || !tensors.has(target)) return [];
  const reader = origin.history.flatMap((step) => /^adjoint of (.+)$/.exec(step)?.[1] ?? []).at(-1);
  if (reader === undefined || !tensors.has(reader)) return [];
  return proseLines(`${primal} is a part of ${reader} and not stored itself`);
}

/** Names are listed as far as they fit into two lines or so; the lists of calls have them all. */
const MOST_USES = 200;

/** What the model calls the results, where the function has another name for them or serves several. */
function usesOf({ computes, buffers, uses = [] }: LoopFunction): string[] {
  const handedIn = new Set(buffers.map(({ name }) => name));
  return computes.flatMap(({ target }, k) => {
    if (!handedIn.has(identifier(target))) return [];
    const results = uses.flatMap((use) => use[k] ?? []);
    if (results.every(({ tensor }) => tensor === target)) return [];
    const all = results.map(({ tensor }) => tensor);
    let shown = all;
    while (shown.length > 2 && shown.join(', ').length > MOST_USES) shown = shown.slice(0, -2);
    const rest = all.length - shown.length;
    const list = rest === 0 ? shown.join(', ') : `${shown.join(', ')} and ${rest} more`;
    return proseLines(`${target} stands for ${list}`);
  });
}
