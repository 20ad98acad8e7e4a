/**
 * A statement as loops over a domain: guards that make a term vanish become linear constraints on the indices (clipped
 * bounds later), and exact quotients `(a - d·u) / s` become a loop over residues and loops over quotients, in which
 * everything is affine:
 *
 *     a = s·a' + r,   u = s·u' + (r's partner),   (a - d·u) / s = a' - d·u' + (constant of r)
 */
import {
  addIndex,
  coefficientOf,
  constantIndex,
  indexNames,
  isInside,
  isScatter,
  mapAtoms,
  mapIndices,
  neutralElements,
  positiveRemainder,
  quotientIndex,
  remainderIndex,
  replaceAccumulated,
  scaleIndex,
  substituteInIndex,
  subtractIndex,
  tightenIndex,
} from '../graph/expressions.ts';
import type {
  Combine,
  Expression,
  Extent,
  IndexAtom,
  IndexExpression,
  LoopIndex,
  Statement,
  Tensor,
} from '../graph/types.ts';
import { dependsOn } from './access.ts';
import { overDigits } from './digits.ts';
import { absorbGuards, insideConstraints } from './guards.ts';
import type { Absorbed, Constraint } from './guards.ts';

export interface NestLoop {
  readonly name: string;
  readonly extent: Extent;
  readonly reduced: boolean;
}

export interface Nest {
  readonly target: string;
  /** In the order of the statement; loops over residues first. */
  readonly loops: readonly NestLoop[];
  /** Of a statement of a recurrence: its scan index, which the loop around the nest has given a value. */
  readonly step?: LoopIndex;
  readonly write: readonly IndexExpression[];
  readonly combine: Combine;
  readonly body: Expression;
  /** The epilogue over the axes as they are: of a loop of its own. */
  readonly finish?: Expression;
  /** The same over the loops of this nest: where an element is complete. */
  readonly finishInside?: Expression;
  /** Points of the box outside the domain contribute nothing. */
  readonly domain: readonly Constraint[];
  /** What an element is to which no point of the domain contributes. */
  readonly initial: number;
  /** The written indices as the statement has them, one for each axis of the target. */
  readonly elements: readonly string[];
  /** Several points may write one element, or the elements are written in an order of their own. */
  readonly scatter: boolean;
  /** Some elements may be reached by no point of the domain: they must be given the initial value before. */
  readonly partial: boolean;
}

export function makeNest(original: Statement, tensors: ReadonlyMap<string, Tensor>): Nest {
  const unsplit = withoutUnitIndices(original);
  const statement = overDigits(unsplit, tensors);
  const { write } = statement;
  const extents = new Map(statement.indices.map((index) => [index.name, index.extent]));
  const absorbed = absorbGuards(statement.body, statement.combine, extents, tensors);
  const written = new Set(write.flatMap((index) => [...indexNames(index)]));
  const scatter = isScatter(original);
  const axes = tensors.get(statement.target)?.axes ?? [];
  const outsideWrites = write.flatMap((index, axis) => {
    const extent = axes[axis];
    return extent === undefined || isInside(index, extent, extents, tensors)
      ? []
      : insideConstraints(index, extent);
  });
  const solved = solveEqualities(statement.indices, written, absorbed, extents, tensors);
  const domain: Constraint[] = [...solved.constraints, ...outsideWrites];
  const places = statement.combine === 'argmax' || statement.combine === 'argmin';
  const single = !scatter && !places && solved.indices.every((index) => written.has(index.name));
  // Where one value meets, there is nothing to combine it with.
  const combine = single ? 'assign' : statement.combine;
  const wholeFinish =
    statement.finish && combine === 'assign' && domain.length === 0 && solved.exact.length === 0;
  const step = statement.indices.find(({ name }) => name === statement.scan?.index);
  const nest: Nest = {
    target: statement.target,
    loops: solved.indices
      .filter(({ name }) => name !== step?.name)
      .map(({ name, extent }) => ({ name, extent, reduced: !written.has(name) })),
    ...(step ? { step } : {}),
    write,
    combine,
    body: wholeFinish && statement.finish ? replaceAccumulated(statement.finish, solved.body) : solved.body,
    ...(unsplit.finish && statement.finish && !wholeFinish
      ? { finish: unsplit.finish, finishInside: statement.finish }
      : {}),
    domain,
    initial: absorbed.initial ?? neutralElements[statement.combine],
    elements: axes.map((_, axis) => original.indices[axis]?.name ?? `i${axis + 1}`),
    scatter,
    partial: scatter,
  };
  return withPartial(withoutUnitLoops(splitResidues(nest, solved.exact)));
}

/** Only when the loops are final: where an index is written as residue and quotient, a reduced one may cancel in a constraint. */
function withPartial(nest: Nest): Nest {
  const written = new Set(nest.loops.filter((loop) => !loop.reduced).map((loop) => loop.name));
  if (nest.step) written.add(nest.step.name);
  return { ...nest, partial: nest.partial || nest.domain.some((constraint) => isAbout(constraint, written)) };
}

/** A loop of one turn is none: its index is 0. */
function withoutUnitIndices(statement: Statement): Statement {
  const zeros = unitIndices(statement.indices);
  if (zeros.size === 0) return statement;
  const rewrite = (index: IndexExpression): IndexExpression => substituteInIndex(index, zeros);
  return {
    ...statement,
    indices: statement.indices.filter((index) => !zeros.has(index.name)),
    write: statement.write.map(rewrite),
    body: mapIndices(statement.body, rewrite),
    ...(statement.finish ? { finish: mapIndices(statement.finish, rewrite) } : {}),
  };
}

/** The same for what residues leave of a loop; the epilogue still runs over the axes as they are. */
function withoutUnitLoops(nest: Nest): Nest {
  const zeros = unitIndices(nest.loops);
  if (zeros.size === 0) return nest;
  const rewrite = (index: IndexExpression): IndexExpression => substituteInIndex(index, zeros);
  const loops = nest.loops.filter((loop) => !zeros.has(loop.name));
  const domain = nest.domain.map((constraint) => ({ ...constraint, index: rewrite(constraint.index) }));
  return {
    ...nest,
    loops,
    write: nest.write.map(rewrite),
    body: mapIndices(nest.body, rewrite),
    ...(nest.finishInside ? { finishInside: mapIndices(nest.finishInside, rewrite) } : {}),
    domain,
  };
}

/** True if a constraint speaks of nothing but these indices: where it fails, no reduced index makes it hold. */
function isAbout({ index }: Constraint, written: ReadonlySet<string>): boolean {
  return [...indexNames(index)].every((name) => written.has(name));
}

/** Indices of extent 1, with their value. */
export function unitIndices(
  loops: readonly { readonly name: string; readonly extent: Extent }[],
): Map<string, IndexExpression> {
  return new Map(loops.filter(({ extent }) => extent === 1).map(({ name }) => [name, constantIndex(0)]));
}

/**
 * A reduced index that an equality determines needs no loop: in sum[k]((k == label[n]) * z[n, k]) it is label[n].
 * Other equalities become two constraints each.
 */
function solveEqualities(
  indices: Statement['indices'],
  written: ReadonlySet<string>,
  absorbed: Absorbed,
  extents: ReadonlyMap<string, Extent>,
  tensors: ReadonlyMap<string, Tensor>,
): Pick<Absorbed, 'body' | 'constraints' | 'exact'> & { readonly indices: Statement['indices'] } {
  let left = indices;
  let { body } = absorbed;
  let constraints = [...absorbed.constraints];
  let equalities = [...absorbed.equalities];
  for (let equality = equalities.shift(); equality !== undefined; equality = equalities.shift()) {
    const of = equality;
    const solvable = left.find(({ name }) => {
      const coefficient = coefficientOf(of, name);
      const alone = of.terms.every(({ atom }) => atom.kind === 'index' || !dependsOn(atom, name));
      return !written.has(name) && Math.abs(coefficient) === 1 && alone;
    });
    if (!solvable || absorbed.exact.length > 0) {
      constraints.push({ index: of }, { index: scaleIndex(of, -1) });
      continue;
    }
    const { name, extent } = solvable;
    const coefficient = coefficientOf(of, name);
    const value = addIndex(plain(name), scaleIndex(of, -coefficient));
    const rewrite = (index: IndexExpression): IndexExpression =>
      substituteInIndex(index, new Map([[name, value]]));
    left = left.filter((index) => index !== solvable);
    body = mapIndices(body, rewrite);
    constraints = constraints.map((constraint) => ({ ...constraint, index: rewrite(constraint.index) }));
    equalities = equalities.map(rewrite);
    if (!isInside(value, extent, extents, tensors)) constraints.push(...insideConstraints(value, extent));
  }
  return { indices: left, body, constraints, exact: absorbed.exact };
}

// ------------------------------------------------------------------------------------------------- residue classes

type Quotient = Extract<IndexAtom, { kind: 'quotient' }>;

function splitResidues(nest: Nest, exact: readonly Quotient[]): Nest {
  let result = nest;
  const done = new Set<string>();
  for (const quotient of exact) {
    const names = [...indexNames(quotient.of)];
    // A second quotient of the same indices would need a common modulus: it stays a guard (`exactGuards`).
    const free = names.every((name) => !done.has(name)) ? solve(result, quotient) : undefined;
    if (!free) return guardExactness(nest, exact);
    for (const name of names) done.add(name);
    result = free;
  }
  return result;
}

/** The nest over residues and quotients of the indices of `quotient`; undefined where this does not apply. */
function solve(nest: Nest, quotient: Quotient): Nest | undefined {
  const { by, of } = quotient;
  const parts = of.terms.map(({ coefficient, atom }) => {
    const loop = atom.kind === 'index' ? nest.loops.find(({ name }) => name === atom.name) : undefined;
    return loop && typeof loop.extent === 'number' ? { coefficient, loop, extent: loop.extent } : undefined;
  });
  // The one whose residue follows from the others': a reduced one if possible. The residue of a written index cannot
  // follow from that of a reduced one, whose loop stands inside.
  const solvable = parts.filter((part) => part && inverseModulo(part.coefficient, by) !== undefined);
  const bound = solvable.find((part) => part?.loop.reduced) ?? solvable[0];
  const inverse = bound && inverseModulo(bound.coefficient, by);
  if (!bound || inverse === undefined || parts.length > 2) return undefined;
  if (!bound.loop.reduced && parts.some((part) => part?.loop.reduced)) return undefined;
  const replacements = new Map<string, IndexExpression>();
  const loops = [...nest.loops];
  const domain = [...nest.domain];
  let residues = constantIndex(of.constant);
  let whole = constantIndex(0);
  const place = (name: string, extent: number, residue: IndexExpression): void => {
    const position = loops.findIndex((loop) => loop.name === name);
    const old = loops[position];
    if (old) loops[position] = { ...old, extent: Math.ceil(extent / by) };
    const index = addIndex(scaleIndex(plain(name), by), residue);
    replacements.set(name, index);
    if (extent % by !== 0) domain.push({ index: subtractIndex(constantIndex(extent - 1), index) });
  };
  for (const part of parts) {
    if (!part) return undefined;
    whole = addIndex(whole, scaleIndex(plain(part.loop.name), part.coefficient));
    if (part === bound) continue;
    const name = `${part.loop.name}_residue`;
    if (loops.some((loop) => loop.name === name)) return undefined;
    loops.unshift({ name, extent: Math.min(by, part.extent), reduced: part.loop.reduced });
    place(part.loop.name, part.extent, plain(name));
    residues = addIndex(residues, scaleIndex(plain(name), part.coefficient));
  }
  // With coefficients in 0 .. by-1 a residue is often its own remainder: no arithmetic is left.
  const opposite = reducedModulo(scaleIndex(residues, -inverse), by);
  const extents = new Map(loops.map((loop) => [loop.name, loop.extent]));
  const partner = tightenIndex(remainderIndex(opposite, by), extents, new Map());
  place(bound.loop.name, bound.extent, partner);
  residues = addIndex(residues, scaleIndex(partner, bound.coefficient));
  const solution = addIndex(whole, tightenIndex(quotientIndex(residues, by), extents, new Map()));
  const key = JSON.stringify(quotient);
  // Bottom-up: indices inside the quotient must not be replaced before it is recognised.
  const rewrite = (index: IndexExpression): IndexExpression => {
    const marked = mapAtoms(index, (atom) => (JSON.stringify(atom) === key ? plain(marker) : undefined));
    return substituteInIndex(marked, new Map([...replacements, [marker, solution]]));
  };
  const old = new Set(nest.domain);
  return {
    ...nest,
    loops,
    write: nest.write.map(rewrite),
    body: mapIndices(nest.body, rewrite),
    ...(nest.finishInside ? { finishInside: mapIndices(nest.finishInside, rewrite) } : {}),
    domain: domain.map((constraint) =>
      old.has(constraint) ? { ...constraint, index: rewrite(constraint.index) } : constraint,
    ),
    // The residues of written indices do not all occur.
    partial: nest.partial || !bound.loop.reduced,
  };
}

/** The same index modulo `by`, its coefficients and its constant in 0 .. by-1. */
function reducedModulo({ terms, constant }: IndexExpression, by: number): IndexExpression {
  return {
    terms: terms
      .map(({ coefficient, atom }) => ({ coefficient: positiveRemainder(coefficient, by), atom }))
      .filter(({ coefficient }) => coefficient !== 0),
    constant: positiveRemainder(constant, by),
  };
}

/** The number that gives 1 with `coefficient`, modulo `by`; undefined where they have a common factor. */
function inverseModulo(coefficient: number, by: number): number | undefined {
  for (let inverse = 1; inverse < by; inverse++) {
    if (positiveRemainder(coefficient * inverse, by) === 1) return inverse;
  }
  return undefined;
}

const marker = '(quotient)';

function plain(name: string): IndexExpression {
  return { terms: [{ coefficient: 1, atom: { kind: 'index', name } }], constant: 0 };
}

/** 0 <= -(of mod by): only whole quotients. */
function guardExactness(nest: Nest, exact: readonly Quotient[]): Nest {
  const guards = exact.map(({ of, by }) => ({ index: scaleIndex(remainderIndex(of, by), -1) }));
  return { ...nest, domain: [...nest.domain, ...guards] };
}
