/**
 * Index arithmetic. An IndexExpression is kept in one normal form: equal atoms merged, no zero coefficient, loop indices
 * before fetches before quotients before remainders, each kind in the order of its text. All functions here give the normal form
 * if they are given it.
 */
import type { Extent, IndexAtom, IndexExpression, IndexTerm, LoopIndex, Tensor } from './types.ts';

const kindOrder: Record<IndexAtom['kind'], number> = { index: 0, fetch: 1, quotient: 2, remainder: 3 };

const keys = new WeakMap<IndexExpression, string>();

/** A text that is equal for equal index expressions, and only for those. */
export function indexKey(expression: IndexExpression): string {
  let key = keys.get(expression);
  if (key === undefined) {
    key = [
      ...expression.terms.map((term) => `${term.coefficient}*${atomKey(term.atom)}`),
      expression.constant,
    ].join('+');
    keys.set(expression, key);
  }
  return key;
}

function atomKey(atom: IndexAtom): string {
  switch (atom.kind) {
    case 'index':
      return atom.name;
    case 'fetch':
      return `${atom.tensor}[${atom.at.map(indexKey).join(',')}]`;
    case 'quotient':
      return `${atom.exact ? 'exact' : 'floor'}((${indexKey(atom.of)})/${atom.by})`;
    case 'remainder':
      return `mod((${indexKey(atom.of)}),${atom.by})`;
  }
}

export function equalIndices(left: IndexExpression, right: IndexExpression): boolean {
  return left === right || indexKey(left) === indexKey(right);
}

// ------------------------------------------------------------------------------------------------------- constructors

export function constantIndex(value: number): IndexExpression {
  return { terms: [], constant: value === 0 ? 0 : value };
}

/** The loop index `name` itself. */
export function indexOf(name: string): IndexExpression {
  return ofAtom({ kind: 'index', name });
}

/** The value of the integer tensor at a place: `tokens[n, t]`. */
export function fetchIndex(tensor: string, at: readonly IndexExpression[]): IndexExpression {
  return ofAtom({ kind: 'fetch', tensor, at });
}

/**
 * floor(of / by), by > 0; whole multiples of `by` come out: (2i + 3) / 2 is i + 1. With `exact`, a quotient that is
 * not whole means "outside".
 */
export function quotientIndex(of: IndexExpression, by: number, exact = false): IndexExpression {
  if (by === 1) return of;
  const whole = of.terms.filter((term) => term.coefficient % by === 0);
  const rest = of.terms.filter((term) => term.coefficient % by !== 0);
  const wholeConstant = Math.floor(of.constant / by);
  const restConstant = of.constant - wholeConstant * by;
  const outer: IndexExpression = {
    terms: whole.map((term) => ({ ...term, coefficient: term.coefficient / by })),
    constant: wholeConstant,
  };
  if (rest.length === 0 && (restConstant === 0 || !exact)) return outer;
  const inner: IndexExpression = { terms: rest, constant: restConstant };
  return addIndex(outer, ofAtom({ kind: 'quotient', of: inner, by, exact }));
}

/** of mod by, in 0 .. by-1; multiples of `by` are dropped. */
export function remainderIndex(of: IndexExpression, by: number): IndexExpression {
  const rest = of.terms.filter((term) => term.coefficient % by !== 0);
  if (rest.length === 0) return constantIndex(positiveRemainder(of.constant, by));
  const inner = { terms: rest, constant: of.constant % by === 0 ? 0 : of.constant % by };
  return ofAtom({ kind: 'remainder', of: inner, by });
}

function ofAtom(atom: IndexAtom): IndexExpression {
  return { terms: [{ coefficient: 1, atom }], constant: 0 };
}

/** x mod by in 0 .. by-1. */
export function positiveRemainder(x: number, by: number): number {
  return x - by * Math.floor(x / by);
}

/** The sum of all. */
export function addIndex(...parts: readonly IndexExpression[]): IndexExpression {
  const merged = new Map<string, IndexTerm>();
  let constant = 0;
  for (const part of parts) {
    constant += part.constant;
    for (const term of part.terms) {
      const key = atomKey(term.atom);
      const coefficient = (merged.get(key)?.coefficient ?? 0) + term.coefficient;
      merged.set(key, { coefficient, atom: term.atom });
    }
  }
  const terms = [...merged]
    .filter(([, term]) => term.coefficient !== 0)
    .toSorted(([a, left], [b, right]) => {
      const order = kindOrder[left.atom.kind] - kindOrder[right.atom.kind];
      return order !== 0 ? order : a < b ? -1 : 1;
    })
    .map(([, term]) => term);
  return { terms, constant };
}

export function scaleIndex(expression: IndexExpression, factor: number): IndexExpression {
  if (factor === 1) return expression;
  if (factor === 0) return constantIndex(0);
  return {
    terms: expression.terms.map((term) => ({ ...term, coefficient: term.coefficient * factor })),
    constant: expression.constant === 0 ? 0 : expression.constant * factor,
  };
}

export function subtractIndex(left: IndexExpression, right: IndexExpression): IndexExpression {
  return addIndex(left, scaleIndex(right, -1));
}

// ---------------------------------------------------------------------------------------------------------- questions

/** The name, if the expression is nothing but one loop index. */
export function isPlainIndex(expression: IndexExpression): string | undefined {
  const [term] = expression.terms;
  const plain =
    expression.constant === 0 &&
    expression.terms.length === 1 &&
    term?.coefficient === 1 &&
    term.atom.kind === 'index';
  return plain ? term.atom.name : undefined;
}

/** The number, if no atom is left. */
export function isConstantIndex(expression: IndexExpression): number | undefined {
  return expression.terms.length === 0 ? expression.constant : undefined;
}

/** True if the expression is affine in the loop indices: no fetch, quotient or remainder. */
export function isAffine(expression: IndexExpression): boolean {
  return expression.terms.every((term) => term.atom.kind === 'index');
}

/** Σ coefficients of the loop index `name` at the top level (0 if it does not occur there). */
export function coefficientOf(expression: IndexExpression, name: string): number {
  const term = expression.terms.find(({ atom }) => atom.kind === 'index' && atom.name === name);
  return term?.coefficient ?? 0;
}

/** Calls `visit` for every atom, outer ones before those inside them; each shared part once. */
export function visitAtoms(
  expression: IndexExpression,
  visit: (atom: IndexAtom) => void,
  seen: Set<IndexExpression> = new Set(),
): void {
  if (seen.has(expression)) return;
  seen.add(expression);
  for (const { atom } of expression.terms) {
    visit(atom);
    if (atom.kind === 'fetch') for (const at of atom.at) visitAtoms(at, visit, seen);
    if (atom.kind === 'quotient' || atom.kind === 'remainder') visitAtoms(atom.of, visit, seen);
  }
}

/** The loop indices that occur anywhere in it, in the order of first occurrence. */
export function indexNames(expression: IndexExpression): Set<string> {
  const names = new Set<string>();
  visitAtoms(expression, (atom) => {
    if (atom.kind === 'index') names.add(atom.name);
  });
  return names;
}

// ------------------------------------------------------------------------------------------------------- substitution

/** Rebuilds the expression with every atom replaced by what `replace` gives for it (its inside already replaced). */
export function mapAtoms(
  expression: IndexExpression,
  replace: (atom: IndexAtom) => IndexExpression | undefined,
): IndexExpression {
  let changed = false;
  const parts = expression.terms.map((term) => {
    const inside = mapInside(term.atom, replace);
    const value = replace(inside ?? term.atom) ?? (inside === undefined ? undefined : rebuild(inside));
    if (value !== undefined) changed = true;
    return scaleIndex(value ?? ofAtom(term.atom), term.coefficient);
  });
  return changed ? addIndex(...parts, constantIndex(expression.constant)) : expression;
}

/** The atom with its inside mapped, or undefined where nothing changed. */
function mapInside(
  atom: IndexAtom,
  replace: (atom: IndexAtom) => IndexExpression | undefined,
): IndexAtom | undefined {
  if (atom.kind === 'index') return undefined;
  if (atom.kind === 'fetch') {
    const at = atom.at.map((index) => mapAtoms(index, replace));
    return at.every((index, axis) => index === atom.at[axis]) ? undefined : { ...atom, at };
  }
  const of = mapAtoms(atom.of, replace);
  return of === atom.of ? undefined : { ...atom, of };
}

function rebuild(atom: IndexAtom): IndexExpression {
  if (atom.kind === 'quotient') return quotientIndex(atom.of, atom.by, atom.exact);
  return atom.kind === 'remainder' ? remainderIndex(atom.of, atom.by) : ofAtom(atom);
}

/** Replaces loop indices, all at once. */
export function substituteInIndex(
  expression: IndexExpression,
  replacements: ReadonlyMap<string, IndexExpression>,
): IndexExpression {
  return mapAtoms(expression, (atom) => (atom.kind === 'index' ? replacements.get(atom.name) : undefined));
}

// ------------------------------------------------------------------------------------------------------------- bounds

export interface Bounds {
  readonly least: number;
  readonly greatest: number;
}

/** Index name -> extent, of a statement's `indices`. */
export function extentsOf(indices: readonly LoopIndex[]): Map<string, Extent> {
  return new Map(indices.map((index) => [index.name, index.extent]));
}

/** The extent of one loop index, undefined if it is not among them. */
export function extentOf(indices: readonly LoopIndex[], name: string): Extent | undefined {
  return indices.find((index) => index.name === name)?.extent;
}

/**
 * The least and greatest value, by interval arithmetic (atoms count as independent: never too narrow). An index with a
 * run-time extent goes up to Infinity. Undefined: an unbound index, or a fetch from a tensor without a declared range.
 */
export function indexBounds(
  expression: IndexExpression,
  extents: ReadonlyMap<string, Extent>,
  tensors: ReadonlyMap<string, Tensor>,
): Bounds | undefined {
  let least = expression.constant;
  let greatest = expression.constant;
  for (const { coefficient, atom } of expression.terms) {
    const bounds = atomBounds(atom, extents, tensors);
    if (bounds === undefined) return undefined;
    const ends = [coefficient * bounds.least, coefficient * bounds.greatest];
    least += Math.min(...ends);
    greatest += Math.max(...ends);
  }
  return { least, greatest };
}

function atomBounds(
  atom: IndexAtom,
  extents: ReadonlyMap<string, Extent>,
  tensors: ReadonlyMap<string, Tensor>,
): Bounds | undefined {
  switch (atom.kind) {
    case 'index': {
      const extent = extents.get(atom.name);
      if (extent === undefined) return undefined;
      return { least: 0, greatest: typeof extent === 'number' ? extent - 1 : Infinity };
    }
    case 'fetch':
      return tensors.get(atom.tensor)?.range;
    case 'quotient': {
      const of = indexBounds(atom.of, extents, tensors);
      return of && { least: Math.floor(of.least / atom.by), greatest: Math.floor(of.greatest / atom.by) };
    }
    case 'remainder': {
      const of = indexBounds(atom.of, extents, tensors);
      if (of === undefined) return undefined;
      return of.least >= 0 && of.greatest < atom.by ? of : { least: 0, greatest: atom.by - 1 };
    }
  }
}

/** True if the index provably stays in 0 .. axis-1. On a run-time axis: only a plain index of just that extent. */
export function isInside(
  expression: IndexExpression,
  axis: Extent,
  extents: ReadonlyMap<string, Extent>,
  tensors: ReadonlyMap<string, Tensor>,
): boolean {
  const plain = isPlainIndex(expression);
  if (plain !== undefined && extents.get(plain) === axis) return true;
  if (typeof axis === 'string') return false;
  const bounds = indexBounds(expression, extents, tensors);
  return bounds !== undefined && bounds.least >= 0 && bounds.greatest < axis;
}

/**
 * Quotients and remainders whose value interval arithmetic can tell: floor((2i + u) / 2) is i for u < 2. What digits are
 * put together from again is a number: 2 floor(i / 2) + (i mod 2) is i.
 */
export function tightenIndex(
  index: IndexExpression,
  extents: ReadonlyMap<string, Extent>,
  tensors: ReadonlyMap<string, Tensor>,
): IndexExpression {
  const tight = mapAtoms(index, (atom) => {
    if (atom.kind !== 'quotient' && atom.kind !== 'remainder') return undefined;
    const bounds = indexBounds(atom.of, extents, tensors);
    if (bounds === undefined) return undefined;
    const quotient = Math.floor(bounds.least / atom.by);
    if (quotient !== Math.floor(bounds.greatest / atom.by)) return undefined;
    if (atom.kind === 'remainder') return subtractIndex(atom.of, constantIndex(quotient * atom.by));
    return atom.exact ? undefined : constantIndex(quotient);
  });
  return fromDigits(tight);
}

/** c · (by · floor(x / by) + (x mod by)) is c · x. */
function fromDigits(index: IndexExpression): IndexExpression {
  for (const low of index.terms) {
    if (low.atom.kind !== 'remainder') continue;
    const { of, by } = low.atom;
    const above = quotientOfQuotient(of, by);
    const high = index.terms.find(
      ({ coefficient, atom }) => coefficient === low.coefficient * by && atomKey(atom) === above,
    );
    if (high === undefined) continue;
    const others = index.terms.filter((term) => term !== low && term !== high);
    return fromDigits(addIndex({ ...index, terms: others }, scaleIndex(of, low.coefficient)));
  }
  return index;
}

/** The text of the one atom of floor(x / by), with floor(floor(y / a) / by) written floor(y / (a by)); '' if it has more. */
function quotientOfQuotient(of: IndexExpression, by: number): string {
  const [inner, ...others] = of.terms;
  const nested =
    others.length === 0 && of.constant === 0 && inner?.coefficient === 1 ? inner.atom : undefined;
  const whole =
    nested?.kind === 'quotient' && !nested.exact
      ? quotientIndex(nested.of, nested.by * by)
      : quotientIndex(of, by);
  const [only, ...more] = whole.terms;
  return only === undefined || more.length > 0 || whole.constant !== 0 ? '' : atomKey(only.atom);
}

/** Does the index have a quotient that must be exact? A read at it is outside where it is not. */
export function hasExact(index: IndexExpression): boolean {
  let found = false;
  visitAtoms(index, (atom) => {
    found ||= atom.kind === 'quotient' && atom.exact;
  });
  return found;
}
