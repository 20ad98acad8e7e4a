/**
 * Computes a program in the slowest and plainest way: every statement, every point of its box, the expression evaluated
 * anew. It is the truth that the tests hold every pass and the emitted code against.
 */
import { evaluateBinary, evaluateUnary, neutralElements } from './operators.ts';
import { positiveRemainder } from './index-expressions.ts';
import { valueOfCall } from './own-functions.ts';
import { scanAxis, scanUnits } from './scan.ts';
import type { Combine, Expression, Extent, IndexAtom, IndexExpression, Program, Statement } from './types.ts';

export interface InterpretOptions {
  /** The run-time extents by name. */
  readonly extents?: Readonly<Record<string, number>>;
  /** The values of all inputs, parameters, states and scalars, row by row. */
  readonly tensors: Readonly<Record<string, ArrayLike<number>>> | ReadonlyMap<string, ArrayLike<number>>;
}

interface Environment {
  readonly program: Program;
  readonly sizeOf: (extent: Extent) => number;
  readonly values: Map<string, Float64Array>;
}

/** Loop index -> its value. */
type Point = ReadonlyMap<string, number>;

/**
 * The values of all tensors, row by row, in float64 (element types do not round). Throws on a missing or badly sized
 * input, a missing extent, and a read outside a tensor that has no value for it.
 */
export function interpret(program: Program, options: InterpretOptions): Map<string, Float64Array> {
  const given = options.tensors instanceof Map ? options.tensors : new Map(Object.entries(options.tensors));
  const sizeOf = (extent: Extent): number => {
    const size = typeof extent === 'number' ? extent : options.extents?.[extent];
    if (size === undefined) throw new Error(`no value is given for the extent ${extent}`);
    return size;
  };
  const environment: Environment = { program, sizeOf, values: new Map() };
  for (const [name, tensor] of program.tensors) {
    if (tensor.role === 'intermediate') continue;
    const values = given.get(name);
    const count = sizesOf(environment, name).reduce((product, size) => product * size, 1);
    if (values === undefined) throw new Error(`no values are given for ${name}`);
    if (values.length !== count)
      throw new Error(`${values.length} values are given for ${name}, which has ${count}`);
    environment.values.set(name, Float64Array.from(values));
  }
  for (const unit of scanUnits(program.statements)) {
    for (const { target } of unit) {
      const count = sizesOf(environment, target).reduce((product, size) => product * size, 1);
      environment.values.set(target, new Float64Array(count).fill(NaN));
    }
    for (const step of stepsOf(environment, unit))
      for (const statement of unit) execute(environment, statement, step);
  }
  return environment.values;
}

/** The values of the scan index in the order of a group; for a plain statement one step that is none. */
function stepsOf(environment: Environment, [first]: readonly Statement[]): readonly (number | undefined)[] {
  const { scan } = first ?? {};
  if (first === undefined || scan === undefined) return [undefined];
  const loop = first.indices.find(({ name }) => name === scan.index);
  const steps = Array.from({ length: environment.sizeOf(loop?.extent ?? 0) }, (_, step) => step);
  return scan.reversed ? steps.toReversed() : steps;
}

function sizesOf(environment: Environment, name: string): number[] {
  const tensor = environment.program.tensors.get(name);
  if (tensor === undefined) throw new Error(`${name} is not declared`);
  return tensor.axes.map(environment.sizeOf);
}

// ---------------------------------------------------------------------------------------------------------- statements

/** Computes the target; with `step`, only its elements at that value of the scan index. */
function execute(environment: Environment, statement: Statement, step: number | undefined): void {
  const sizes = sizesOf(environment, statement.target);
  const result = environment.values.get(statement.target) ?? new Float64Array();
  const met = new Map<number, { values: number[]; point: Point }>();
  forEachPoint(environment, statement, step, (point) => {
    const place = placeAt(environment, statement.target, statement.write, point);
    if (place === undefined) throw new Error(`${statement.target} is written outside`);
    const element = met.get(place) ?? { values: [], point };
    element.values.push(evaluate(environment, statement.body, point));
    met.set(place, element);
  });
  const axis = scanAxis(statement);
  for (let place = 0; place < result.length; place++) {
    if (step !== undefined && coordinates(sizes, place)[axis] !== step) continue;
    const element = met.get(place);
    const value = combineValues(statement.combine, element?.values ?? []);
    const { finish } = statement;
    const point = element?.point ?? pointOf(statement, sizes, place);
    result[place] = finish === undefined ? value : evaluate(environment, finish, point, value);
  }
}

/** Every point of the statement's box, the last index fastest; with `step`, those at that value of the scan index. */
function forEachPoint(
  environment: Environment,
  statement: Statement,
  step: number | undefined,
  visit: (point: Point) => void,
): void {
  const point = new Map<string, number>();
  const loop = (depth: number): void => {
    const index = statement.indices[depth];
    if (index === undefined) {
      visit(new Map(point));
      return;
    }
    const isFixed = step !== undefined && index.name === statement.scan?.index;
    for (let value = 0; value < environment.sizeOf(index.extent); value++) {
      if (isFixed && value !== step) continue;
      point.set(index.name, value);
      loop(depth + 1);
    }
  };
  loop(0);
}

/** The written indices at a place of the target: for the finish of an element that no value met. */
function pointOf(statement: Statement, sizes: readonly number[], place: number): Point {
  const names = statement.indices.map(({ name }) => name);
  return new Map(coordinates(sizes, place).map((value, axis) => [names[axis] ?? '', value]));
}

/** The index on each axis of a place that is counted row by row. */
function coordinates(sizes: readonly number[], place: number): number[] {
  const result: number[] = [];
  let rest = place;
  for (const size of sizes.toReversed()) {
    result.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return result;
}

/** The values that meet in one element, in loop order, joined. */
function combineValues(combine: Combine, values: readonly number[]): number {
  const [first] = values;
  if (first === undefined) return neutralElements[combine];
  switch (combine) {
    case 'assign':
      if (values.length > 1) throw new Error('several values are assigned to one element');
      return first;
    case 'sum':
      return values.reduce((total, value) => total + value, 0);
    case 'product':
      return values.reduce((total, value) => total * value, 1);
    case 'max':
      return values.reduce((most, value) => Math.max(most, value), -Infinity);
    case 'min':
      return values.reduce((least, value) => Math.min(least, value), Infinity);
    case 'logsumexp': {
      const greatest = combineValues('max', values);
      if (!Number.isFinite(greatest)) return greatest;
      return greatest + Math.log(values.reduce((total, value) => total + Math.exp(value - greatest), 0));
    }
    case 'argmax':
      return values.reduce((best, value, place) => (value > (values[best] ?? NaN) ? place : best), 0);
    case 'argmin':
      return values.reduce((best, value, place) => (value < (values[best] ?? NaN) ? place : best), 0);
  }
}

// --------------------------------------------------------------------------------------------------------- expressions

function evaluate(environment: Environment, root: Expression, point: Point, combined?: number): number {
  const known = new Map<Expression, number>();
  const valueOf = (node: Expression): number => {
    const value = known.get(node) ?? compute(node);
    known.set(node, value);
    return value;
  };
  const compute = (node: Expression): number => {
    switch (node.kind) {
      case 'constant':
        return node.value;
      case 'index_value':
        return evaluateIndex(environment, node.index, point);
      case 'extent_value':
        return environment.sizeOf(node.extent);
      case 'read': {
        const place = placeAt(environment, node.tensor, node.at, point);
        const value = place === undefined ? node.outside : environment.values.get(node.tensor)?.[place];
        if (value === undefined) throw new Error(`${node.tensor} is read outside, or before it is written`);
        return value;
      }
      case 'unary':
        return evaluateUnary[node.operator](valueOf(node.operand));
      case 'binary':
        return evaluateBinary[node.operator](valueOf(node.left), valueOf(node.right));
      case 'select':
        return valueOf(node.condition) !== 0 ? valueOf(node.then) : valueOf(node.otherwise);
      case 'call':
        return valueOf(valueOfCall(node));
      case 'derivative':
        throw new Error('a derivative has no value before it is expanded');
      case 'accumulated':
        if (combined === undefined) throw new Error('the accumulated value is used outside a finish');
        return combined;
    }
  };
  return valueOf(root);
}

/** The place of an element row by row; undefined if an index is outside, or an exact quotient not whole. */
function placeAt(
  environment: Environment,
  tensor: string,
  at: readonly IndexExpression[],
  point: Point,
): number | undefined {
  const sizes = sizesOf(environment, tensor);
  let place = 0;
  for (const [axis, index] of at.entries()) {
    const size = sizes[axis] ?? 0;
    const value = evaluateIndex(environment, index, point);
    if (!(value >= 0 && value < size)) return undefined;
    place = place * size + value;
  }
  return place;
}

/** The value of an index expression; NaN if it has an exact quotient that is not whole. */
function evaluateIndex(environment: Environment, index: IndexExpression, point: Point): number {
  return index.terms.reduce(
    (total, term) => total + term.coefficient * evaluateAtom(environment, term.atom, point),
    index.constant,
  );
}

function evaluateAtom(environment: Environment, atom: IndexAtom, point: Point): number {
  switch (atom.kind) {
    case 'index': {
      const value = point.get(atom.name);
      if (value === undefined) throw new Error(`index ${atom.name} is not bound`);
      return value;
    }
    case 'fetch': {
      const place = placeAt(environment, atom.tensor, atom.at, point);
      const value = place === undefined ? undefined : environment.values.get(atom.tensor)?.[place];
      if (value === undefined) throw new Error(`${atom.tensor} is read outside, or before it is written`);
      return value;
    }
    case 'quotient': {
      const quotient = evaluateIndex(environment, atom.of, point) / atom.by;
      return atom.exact && !Number.isInteger(quotient) ? NaN : Math.floor(quotient);
    }
    case 'remainder':
      return positiveRemainder(evaluateIndex(environment, atom.of, point), atom.by);
  }
}
