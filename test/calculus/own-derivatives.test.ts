/** `derivative f(x) = ...`: the rule of a function replaces its derivative, in every mode and order. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  binary,
  mapExpression,
  multiply,
  negate,
  one,
  read,
  subtract,
  unary,
  zero,
} from '../../compiler/graph/expressions.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import { analyse } from '../../compiler/index.ts';
import { printProgram, printStatement } from '../../compiler/graph/print.ts';
import type { Expression, OwnFunction, Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { optimise, prepare } from '../../compiler/rewrite/index.ts';
import { modelOf } from '../model/helpers.ts';
import { batchExtents, programs, randomTensors } from '../property/programs.ts';
import { alongGradient, directionalDerivative, gradientOf, gradientValues } from './support.ts';

const xs = [-2, -0.5, 0, 0.25, 3];

/** Σ f(x w) over the five xs, with w = 1: its gradient by w is Σ x f'(x). */
const sumOf = (call: string): string => `model M {
  input x[5]
  param w ~ 1
  y[i] = ${call}
  loss = sum[i](y[i])
}`;

const total = (f: (x: number) => number): number => xs.reduce((sum, x) => sum + f(x), 0);

/** The gradient by w, as differentiated and as optimised. */
function slopes(text: string): number[] {
  const { program } = modelOf(text);
  const gradient = gradientOf(prepare(program));
  return [gradient, optimise(gradient)].map((each) => {
    expect(validate(each)).toEqual([]);
    return gradientValues(each, { x: xs, w: [1] }).get('w')?.[0] ?? NaN;
  });
}

function expectSlope(text: string, expected: number): void {
  for (const slope of slopes(text)) expect(slope).toBeCloseTo(expected, 12);
}

describe('a derivative of its own', () => {
  const binarise = 'fn binarise(x) = x > 0 ? 1 : -1\nderivative binarise(x) = abs(x) <= 1 ? 1 : 0\n';

  it('takes the place of the derivative of the formula: a straight-through estimator', () => {
    expectSlope(
      binarise + sumOf('binarise(x[i] * w)'),
      total((x) => (Math.abs(x) <= 1 ? x : 0)),
    );
  });

  it('leaves the value as it is', () => {
    const { program } = modelOf(binarise + sumOf('binarise(x[i] * w)'));
    for (const each of [program, optimise(gradientOf(prepare(program)))])
      expect(interpret(each, { tensors: { x: xs, w: [1] } }).get('loss')?.[0]).toBe(-1 - 1 - 1 + 1 + 1);
  });

  it('does the same as a difference without a gradient', () => {
    expectSlope(
      sumOf('3 * (x[i] * w + stop_gradient(round(x[i] * w) - x[i] * w))'),
      total((x) => 3 * x),
    );
  });

  it('has one expression for each parameter, in their order', () => {
    const text =
      'fn scaled(x, a) = a * x\nderivative scaled(x, a) = 10 * a, 100 * x\n' + sumOf('scaled(x[i], w)^2');
    expectSlope(
      text,
      total((x) => 2 * x * 100 * x),
    );
    expectSlope(
      text.replace('scaled(x[i], w)', 'scaled(w, x[i])'),
      total((x) => 2 * x * 10 * x),
    );
  });

  it('may call the function itself, other functions with rules, and be called by them', () => {
    const text =
      'fn f(x) = exp(x)\nderivative f(x) = 2 * f(x)\n' +
      'fn g(x) = f(x) + x\nderivative g(x) = f(x) + h(x)\n' +
      'fn h(x) = x\nderivative h(x) = 3\n' +
      sumOf('g(x[i] * w) + f(h(x[i] * w))');
    expectSlope(
      text,
      total((x) => x * (Math.exp(x) + x) + x * 3 * 2 * Math.exp(x)),
    );
  });

  it('is found through functions that have none, and in functions of block form', () => {
    const text =
      'fn f(x) {\n u = x^2\n return u + 1\n}\nderivative f(x) = 7\nfn g(x, y) = f(x) * y\n' +
      sumOf('g(x[i] * w, 2)');
    expectSlope(
      text,
      total((x) => 14 * x),
    );
  });

  it('is taken in reductions, whole tensors and layers alike', () => {
    const f = 'fn f(x, a = 2) = a * x\nderivative f(x, a) = 5, 0\n';
    const body = 'model M {\n input x[5]\n param w ~ 1\n';
    const expected = total((x) => 5 * x);
    expectSlope(`${f}${body} loss = sum[i](f(x[i] * w))\n}`, expected);
    expectSlope(`${f}${body} y[i] = x[i] * w\n loss = sum(f(y))\n}`, expected);
    expectSlope(
      `${f}layer l(x[i]) -> y[i] {\n y = f(x, a = 3)\n}\n${body} y = l(w * x)\n loss = sum(y)\n}`,
      expected,
    );
  });

  it('is differentiated in turn: the second derivative is the derivative of the rule', () => {
    // f' = x² by the rule, so f'' = 2 x, whatever the value
    const text = 'fn f(x) = sin(x)\nderivative f(x) = x^2\n' + sumOf('f(x[i] * w)');
    const along = alongGradient(gradientOf(prepare(modelOf(text).program)));
    const expected = total((x) => x * 2 * x * x);
    const tensors = { x: xs, w: [1], vw: [1] };
    expect(gradientValues(gradientOf(along), tensors).get('w')?.[0]).toBeCloseTo(expected, 12);
    expect(directionalDerivative(along, { ...tensors, vw: [1] }, { w: [1] })).toBeCloseTo(expected, 12);
  });

  it('holds in forward mode', () => {
    const { program } = modelOf(binarise + sumOf('binarise(x[i] * w) * w'));
    const reverse = gradientValues(gradientOf(program), { x: xs, w: [0.5] }).get('w')?.[0];
    expect(directionalDerivative(program, { x: xs, w: [0.5] }, { w: [1] })).toBe(reverse);
  });

  it('reads what the forward pass keeps where it calls the function itself', () => {
    const text = 'fn f(x) = exp(x) + 1\nderivative f(x) = f(x) - 1\n' + sumOf('f(x[i] * w)');
    const program = optimise(gradientOf(prepare(modelOf(text).program)));
    const backward = program.statements.filter(({ phase }) => phase === 'backward');
    expect(backward.map((statement) => printStatement(statement, program)).join('\n')).not.toContain('exp');
  });

  it('is stabilised as formulas in statements are', () => {
    const text =
      'fn f(x) = log(1 + exp(x))\nderivative f(x) = exp(x) / (1 + exp(x))\n' + sumOf('f(1000 * x[i] * w)');
    expectSlope(text, 250 + 3000);
  });

  it('goes with the printed gradient, which compiles by itself and can be differentiated again', () => {
    const { models } = analyse({
      path: 'm.dsl',
      text: 'fn f(x) = sin(x)\nderivative f(x) = x * f(x)\n' + sumOf('f(x[i] * w)'),
    });
    expect(models).toHaveLength(1);
    for (const { gradient, program } of models)
      for (const each of [gradient, program]) {
        const text = printProgram(each);
        expect(text.startsWith('fn f(x) = sin(x)\nderivative f(x) = x * f(x)\n')).toBe(each === gradient);
        const again = modelOf(text.replace('output dw', 'dw').replace(/^}$/m, '  output dw\n}')).program;
        const dw = total((x) => x * x * Math.sin(x));
        expect(interpret(again, { tensors: { x: xs, w: [1] } }).get('dw')?.[0]).toBeCloseTo(dw, 12);
        if (each !== gradient) continue;
        // the derivative of x f(x) is f(x) + x · x f(x)
        const along = alongGradient({ ...again, gradients: new Map([['w', 'dw']]) });
        const second = gradientValues(gradientOf(along), { x: xs, w: [1], vw: [1] }).get('w')?.[0];
        expect(second).toBeCloseTo(
          total((x) => x * x * (Math.sin(x) + x * x * Math.sin(x))),
          12,
        );
      }
  });

  it('is what `grad` takes, also in a model without a loss', () => {
    const text =
      'fn f(x) = sin(x)\nderivative f(x) = x^2\nmodel M {\n input x[5]\n y = sum[i](f(x[i]))\n output g[i] = grad(y, x[i])\n}';
    const { models, diagnostics } = analyse({ path: 'm.dsl', text });
    expect(diagnostics).toEqual([]);
    expect([...(interpret(models[0]!.program, { tensors: { x: xs } }).get('g') ?? [])]).toEqual(
      xs.map((x) => x * x),
    );
  });

  it('is not asked where all arguments are known: the call is a number', () => {
    const { program } = modelOf(
      'fn f(x) = x^2\nderivative f(x) = 3\nmodel M {\n input x[n]\n output y[n] = f(3) * x[n]\n}',
    );
    expect(program.statements.map((statement) => printStatement(statement, program))).toEqual([
      'y[n] = 3^2 * x[n]',
    ]);
  });
});

// --------------------------------------------------------------------------------------------------- random programs

const x = read('x');
const y = read('y');

/** Functions of the language with their true derivatives as rules of their own. */
const truths: Readonly<Record<string, OwnFunction>> = {
  negate: rule('own_negate', negate(x), () => negate(one)),
  exp: rule('own_exp', unary('exp', x), (self) => self),
  sin: rule('own_sin', unary('sin', x), () => unary('cos', x)),
  cos: rule('own_cos', unary('cos', x), () => negate(unary('sin', x))),
  tanh: rule('own_tanh', unary('tanh', x), (self) => multiply(subtract(one, self), add(one, self))),
  sigmoid: rule('own_sigmoid', unary('sigmoid', x), (self) => multiply(self, subtract(one, self))),
  relu: rule('own_relu', unary('relu', x), (self) => binary('greater', self, zero)),
  multiply: pair('own_multiply', multiply(x, y), [y, x]),
  add: pair('own_add', binary('add', x, y), [one, one]),
};

function rule(name: string, value: Expression, derivative: (self: Expression) => Expression): OwnFunction {
  const own: OwnFunction = {
    name,
    parameters: ['x'],
    value,
    partials: () => [derivative({ kind: 'call', callee: own, operands: [x] })],
  };
  return own;
}

function pair(name: string, value: Expression, partials: readonly Expression[]): OwnFunction {
  return { name, parameters: ['x', 'y'], value, partials: () => partials };
}

/** Every operator of the table as a call of the function that has its derivative as a rule. */
function withCalls(program: Program): { readonly program: Program; readonly calls: number } {
  let calls = 0;
  const statements = program.statements.map((statement) => ({
    ...statement,
    body: mapExpression(statement.body, (node) => {
      if (node.kind !== 'unary' && node.kind !== 'binary') return node;
      const callee = truths[node.operator];
      if (callee === undefined) return node;
      calls++;
      const operands = node.kind === 'unary' ? [node.operand] : [node.left, node.right];
      return { kind: 'call', callee, operands };
    }),
  }));
  return { program: { ...program, statements }, calls };
}

describe('in a random program, the true derivative as a rule', () => {
  it('gives the same gradient, in reverse and in forward mode', () => {
    let replaced = 0;
    fc.assert(
      fc.property(programs(), fc.nat(1000), (program, seed) => {
        const own = withCalls(program);
        replaced += own.calls;
        const tensors = randomTensors(program, seed);
        const expected = gradientValues(gradientOf(program), tensors, batchExtents);
        const gradient = gradientOf(own.program);
        expect(validate(gradient)).toEqual([]);
        for (const [name, values] of gradientValues(gradient, tensors, batchExtents)) {
          for (const [element, value] of (expected.get(name) ?? []).entries()) {
            const got = values[element] ?? NaN;
            if (Object.is(got, value)) continue;
            expect(Math.abs(got - value) / Math.max(1, Math.abs(value))).toBeLessThan(1e-12);
          }
        }
        const directions = Object.fromEntries(
          [...expected.keys()].map((name) => [name, randomTensors(program, seed + 1)[name] ?? []]),
        );
        const [plain, called] = [program, own.program].map((each) =>
          directionalDerivative(each, tensors, directions, batchExtents),
        );
        if (!Object.is(plain, called))
          expect(
            Math.abs((called ?? NaN) - (plain ?? NaN)) / Math.max(1, Math.abs(plain ?? NaN)),
          ).toBeLessThan(1e-12);
      }),
      { numRuns: 25 },
    );
    expect(replaced).toBeGreaterThan(50);
  });
});
