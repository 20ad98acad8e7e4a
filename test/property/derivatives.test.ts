/** Derivatives as terms, of random programs: both modes, differences, directions, rows, the second derivative. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandDerivatives, hasDerivatives, type ExpandOptions } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { neededFor, withStatements } from '../../compiler/graph/builder.ts';
import { constantIndex, indexOf, read } from '../../compiler/graph/expressions.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { arrangeScans } from '../../compiler/graph/scan.ts';
import type {
  Derivative,
  Expression,
  LoopIndex,
  Program,
  Statement,
  Tensor,
} from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { prepare } from '../../compiler/rewrite/index.ts';
import { finiteDifferences, gradientOf, gradientValues } from '../calculus/support.ts';
import { batchExtents, programs, randomTensors } from './programs.ts';

const span = { source: { path: 'random.dsl', text: '' }, start: 0, end: 0 };
const tape = fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 });

/** What is differentiated, by what, and the indices that both share: place in y -> place in x. */
interface Choice {
  readonly y: Tensor;
  readonly x: Tensor;
  readonly shared: ReadonlyMap<number, number>;
}

const count = ({ axes }: Tensor): number =>
  axes.reduce<number>((product, extent) => product * (typeof extent === 'number' ? extent : 3), 1);

/** A real tensor that a statement writes, and one that it depends on; now and then with indices that stand in both. */
function choose(program: Program, numbers: readonly number[], given: boolean): Choice | undefined {
  const [first = 0, second = 0, third = 0] = numbers;
  const tensorOf = (name: string): Tensor => program.tensors.get(name)!;
  const subjects = program.statements
    .map(({ target }) => tensorOf(target))
    .filter(({ element }) => element !== 'integer');
  const y = subjects[first % Math.max(1, subjects.length)];
  if (y === undefined || count(y) > 30) return undefined;
  const sources = [...neededFor(program.statements, [y.name])]
    .map(tensorOf)
    .filter(({ element, role }) => element !== 'integer' && (!given || role !== 'intermediate'))
    .filter((tensor) => count(tensor) <= 30);
  const x = sources[second % Math.max(1, sources.length)];
  if (x === undefined) return undefined;
  const shared = new Map<number, number>();
  for (const [axis, extent] of y.axes.entries()) {
    const own = x.axes.findIndex((other, place) => other === extent && ![...shared.values()].includes(place));
    if (own >= 0 && (third >> axis) % 2 === 1) shared.set(axis, own);
  }
  return { y, x, shared };
}

const named = ({ axes }: Tensor, letter: string): LoopIndex[] =>
  axes.map((extent, axis) => ({ name: `${letter}${axis}`, extent }));

const element = ({ name }: Tensor, indices: readonly LoopIndex[]) =>
  read(
    name,
    indices.map((index) => indexOf(index.name)),
  );

/** The program with one statement more. */
function withStatement(
  program: Program,
  target: string,
  indices: readonly LoopIndex[],
  body: Expression,
): Program {
  const tensor: Tensor = {
    name: target,
    role: 'intermediate',
    axes: indices.map(({ extent }) => extent),
    axisNames: indices.map(() => ''),
    element: 'real',
    span,
  };
  const statement: Statement = {
    target,
    indices,
    write: indices.map(({ name }) => indexOf(name)),
    combine: 'assign',
    body,
    phase: 'forward',
    origin: { span, calls: [], history: [] },
  };
  const whole = withStatements(program, [...program.statements, statement], new Map([[target, tensor]]));
  return { ...whole, outputs: [...program.outputs, target] };
}

/** D[y's indices, x's indices but the shared] = grad(y[...], x[...]) */
function asking(program: Program, { y, x, shared }: Choice): Program {
  const own = named(y, 'a');
  const places = named(x, 'b');
  for (const [inY, inX] of shared) places[inX] = own[inY]!;
  const taken = new Set(shared.values());
  const indices = [...own, ...places.filter((_, axis) => !taken.has(axis))];
  const body: Derivative = { kind: 'derivative', of: element(y, own), by: [element(x, places)], span };
  return withStatement(program, 'D', indices, body);
}

/** As the compiler does it: prepared, expanded, prepared again. Undefined where something has no derivative. */
function expanded(
  program: Program,
  options: ExpandOptions & { prepared?: boolean } = {},
): Program | undefined {
  const diagnostics = new Diagnostics();
  const settle = (of: Program): Program => (options.prepared === false ? of : prepare(of));
  let current = settle(program);
  while (hasDerivatives(current)) {
    current = expandDerivatives(current, diagnostics, options);
    if (diagnostics.hasErrors) return undefined;
    expect(validate(current)).toEqual([]);
    current = settle(current);
  }
  return current;
}

function valuesOf(program: Program, seed: number, changed: Readonly<Record<string, Float64Array>> = {}) {
  const tensors = { ...randomTensors(program, seed), ...changed };
  return interpret(program, { tensors, extents: batchExtents });
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  for (const [place, value] of Array.from(expected).entries()) {
    const difference = Object.is(actual[place], value) ? 0 : Math.abs(actual[place]! - value) / scale;
    expect(difference, `element ${place}: ${actual[place]} against ${value}`).toBeLessThan(tolerance);
  }
}

interface Slope {
  readonly value: number;
  /** How far it may be from the derivative: what halving the step changed. */
  readonly error: number;
}

/** ∂y/∂x, element by element, by central differences; x is made an input where it is computed. */
function differences(program: Program, { y, x }: Choice, seed: number): Slope[] {
  const base = randomTensors(program, seed);
  const given = x.role === 'intermediate' ? valuesOf(program, seed).get(x.name)! : base[x.name]!;
  const { initializer: _, ...bare } = x;
  const input: Tensor = { ...bare, role: 'input' };
  const cut: Program = arrangeScans({
    ...program,
    tensors: new Map([...program.tensors, [x.name, input]]),
    statements: program.statements.filter(({ target }) => target !== x.name),
  });
  const slope = (place: number, width: number): number[] => {
    const at = (by: number): ArrayLike<number> => {
      const moved = Float64Array.from(given);
      moved[place] = moved[place]! + by;
      return interpret(cut, { tensors: { ...base, [x.name]: moved }, extents: batchExtents }).get(y.name)!;
    };
    const [up, down] = [at(width), at(-width)];
    return Array.from(up, (value, row) => (value - down[row]!) / (2 * width));
  };
  const columns = Array.from(given, (_value, place) => {
    const [coarse, middle, fine] = [4e-3, 2e-3, 1e-3].map((width) => slope(place, width));
    return fine!.map((last, row): Slope => {
      const first = (4 * middle![row]! - coarse![row]!) / 3;
      const second = (4 * last - middle![row]!) / 3;
      return { value: (16 * second - first) / 15, error: Math.abs(second - first) };
    });
  });
  return Array.from({ length: count(y) }, (_value, row) => columns.map((column) => column[row]!)).flat();
}

function expectSlopes(actual: ArrayLike<number>, slopes: readonly Slope[]): void {
  expect(actual.length).toBe(slopes.length);
  for (const [place, { value, error }] of slopes.entries()) {
    const difference = Math.abs(actual[place]! - value);
    expect(difference, `element ${place}: ${actual[place]} against ${value}`).toBeLessThan(
      1e-7 * Math.max(1, Math.abs(value)) + 10 * error,
    );
  }
}

describe('a derivative of a random program, asked for as a term', () => {
  it('is the same in forward and in reverse mode, prepared or not', () => {
    fc.assert(
      fc.property(programs(), tape, fc.nat(1000), (program, numbers, seed) => {
        const choice = choose(program, numbers, false);
        if (choice === undefined) return;
        const asked = asking(program, choice);
        const reverse = expanded(asked, { mode: 'reverse', prepared: false });
        const forward = expanded(asked, { mode: 'forward', prepared: false });
        if (reverse === undefined || forward === undefined) return;
        const wanted = valuesOf(reverse, seed).get('D')!;
        expectClose(valuesOf(forward, seed).get('D')!, wanted, 1e-9);
        const chosen = expanded(asked);
        if (chosen) expectClose(valuesOf(chosen, seed).get('D')!, wanted, 1e-9);
      }),
      { numRuns: 80 },
    );
  });

  it.each(['forward', 'reverse'] as const)('is what differences say, in %s mode', (mode) => {
    fc.assert(
      fc.property(programs({ smooth: true, scans: false }), tape, fc.nat(1000), (program, numbers, seed) => {
        const chosen = choose(program, numbers, false);
        if (chosen === undefined) return;
        const choice = { ...chosen, shared: new Map<number, number>() };
        const derived = expanded(asking(program, choice), { mode });
        expectSlopes(valuesOf(derived!, seed).get('D')!, differences(program, choice, seed));
      }),
      { numRuns: 30 },
    );
  });

  it('is what differences say through recurrences', () => {
    fc.assert(
      fc.property(programs({ smooth: true }), tape, fc.nat(1000), (program, numbers, seed) => {
        const chosen = choose(program, numbers, true);
        if (chosen === undefined) return;
        const choice = { ...chosen, shared: new Map<number, number>() };
        const derived = expanded(asking(program, choice));
        if (derived === undefined) return;
        expectSlopes(valuesOf(derived, seed).get('D')!, differences(program, choice, seed));
      }),
      { numRuns: 30 },
    );
  });

  it('with an index on both sides is the diagonal of the one with two', () => {
    fc.assert(
      fc.property(programs(), tape, fc.nat(1000), (program, numbers, seed) => {
        const choice = choose(program, [...numbers.slice(0, 2), 7], false);
        if (choice === undefined || choice.shared.size === 0) return;
        const [rows, whole] = [choice, { ...choice, shared: new Map<number, number>() }].map((each) =>
          expanded(asking(program, each)),
        );
        if (rows === undefined || whole === undefined) return;
        const sizes = choice.x.axes.map((extent) => (typeof extent === 'number' ? extent : 3));
        const ySizes = choice.y.axes.map((extent) => (typeof extent === 'number' ? extent : 3));
        const all = valuesOf(whole, seed).get('D')!;
        const isOnDiagonal = (place: number): boolean => {
          const inX = unflattened(place % count(choice.x), sizes);
          const inY = unflattened(Math.floor(place / count(choice.x)), ySizes);
          return [...choice.shared].every(([ofY, ofX]) => inY[ofY] === inX[ofX]);
        };
        const diagonal = Array.from(all).filter((_, place) => isOnDiagonal(place));
        expectClose(valuesOf(rows, seed).get('D')!, diagonal, 1e-9);
      }),
      { numRuns: 40 },
    );
  });

  it('along a direction is the Jacobian times the direction', () => {
    fc.assert(
      fc.property(programs(), tape, fc.nat(1000), (program, numbers, seed) => {
        const chosen = choose(program, numbers, true);
        if (chosen === undefined) return;
        const choice = { ...chosen, shared: new Map<number, number>() };
        const { x, y } = choice;
        const { initializer: _, ...bare } = x;
        const direction: Tensor = { ...bare, name: 'v', role: 'input' };
        const given: Program = { ...program, tensors: new Map([...program.tensors, ['v', direction]]) };
        const own = named(y, 'a');
        const whole = (name: string) =>
          read(
            name,
            x.axes.map(() => constantIndex(0)),
            0,
          );
        const node: Derivative = {
          kind: 'derivative',
          of: element(y, own),
          by: [whole(x.name)],
          along: [whole('v')],
          span,
        };
        const along = expanded(withStatement(given, 'D', own, node));
        const jacobian = expanded(asking(given, choice));
        if (along === undefined || jacobian === undefined) return;
        const v = randomTensors(given, seed)['v']!;
        const matrix = Array.from(valuesOf(jacobian, seed).get('D')!);
        const product = Array.from({ length: count(y) }, (_unused, row) =>
          v.reduce((sum, value, column) => sum + matrix[row * v.length + column]! * value, 0),
        );
        expectClose(valuesOf(along, seed).get('D')!, product, 1e-9);
      }),
      { numRuns: 40 },
    );
  });

  it('is differentiated again by the loss', () => {
    fc.assert(
      fc.property(programs({ smooth: true }), tape, fc.nat(1000), (program, numbers, seed) => {
        const choice = choose(program, numbers, false);
        if (choice === undefined) return;
        const first = expanded(asking(program, choice));
        if (first === undefined) return;
        const twice = withSquares(first);
        const tensors = randomTensors(twice, seed);
        const gradient = gradientValues(gradientOf(twice), tensors, batchExtents);
        for (const [name, values] of gradient) {
          const slopes = finiteDifferences(twice, name, tensors, batchExtents);
          for (const [place, { value, error }] of slopes.entries())
            expect(Math.abs(values[place]! - value) / Math.max(1, Math.abs(value)), name).toBeLessThan(
              1e-6 + 100 * error,
            );
        }
      }),
      { numRuns: 12 },
    );
  });
});

/** The loss and the sum of sin D, so that all of D counts. */
function withSquares(program: Program): Program {
  const { loss } = program;
  const indices = named(program.tensors.get('D')!, 'c');
  const sine: Expression = {
    kind: 'unary',
    operator: 'sin',
    operand: element(program.tensors.get('D')!, indices),
  };
  const summed = withStatement(program, 'S', indices, sine);
  const { statements, tensors } = summed;
  const total: Statement = {
    ...statements.at(-1)!,
    target: 'S',
    write: [],
    combine: indices.length === 0 ? 'assign' : 'sum',
  };
  const rank0: Tensor = { ...tensors.get('S')!, axes: [], axisNames: [], element: 'double' };
  const whole: Program = {
    ...summed,
    tensors: new Map([...tensors, ['S', rank0]]),
    statements: [...statements.slice(0, -1), total],
  };
  const sum: Expression = { kind: 'binary', operator: 'add', left: read(loss!), right: read('S') };
  return { ...withStatement(whole, 'all', [], sum), loss: 'all', outputs: [] };
}

function unflattened(place: number, sizes: readonly number[]): number[] {
  const at: number[] = [];
  let rest = place;
  for (const size of sizes.toReversed()) {
    at.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return at;
}
