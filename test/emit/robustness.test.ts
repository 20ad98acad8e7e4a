import { describe, expect, it } from 'vitest';
import { formatTypeScript } from '../../compiler/emit/format.ts';
import { emitModule, type EmitRequest } from '../../compiler/emit/typescript/index.ts';
import { identifier, Scope } from '../../compiler/emit/typescript/names.ts';
import type { Training, UpdateGroup } from '../../compiler/model/types.ts';
import type { LoopStatement, UpdateLoops, Value } from '../../compiler/schedule/types.ts';
import {
  accumulator,
  binary,
  buffer,
  load,
  loop,
  loopFunction,
  set,
  size,
  span,
  store,
  tensor,
  unary,
} from './build.ts';
import { kindsRequest } from './kinds.ts';
import { momentumLoops, netRequest } from './net.ts';

/** One function of a formatted module, its types erased, made runnable. */
function functionOf(module: string, name: string): (...parameters: readonly unknown[]) => void {
  const start = module.indexOf(`function ${name}(`);
  const text = module.slice(start, module.indexOf('\n}', start) + 2);
  const erased = text.replaceAll(/: (Float64Array|number|void)/g, '').replaceAll(']!', ']');
  return new Function(`return ${erased};`)() as (...parameters: readonly unknown[]) => void;
}

/** A module of one function `big` over u[2] and out[1]. */
function withBody(body: readonly LoopStatement[]): EmitRequest {
  const where = span('model Kinds {}', 'Kinds');
  const out = tensor('out', 'intermediate', [1], where);
  const u = kindsRequest.program.tensors.get('u')!;
  const predict = [{ function: 'big', buffers: ['u', 'out'], integers: [] }];
  const program = {
    ...kindsRequest.program,
    tensors: new Map([
      ['u', u],
      ['out', out],
    ]),
    outputs: ['out'],
  };
  return {
    ...kindsRequest,
    model: { name: 'Big', program, names: [], span: where },
    program,
    loops: {
      ...kindsRequest.loops,
      buffers: new Map([
        ['u', buffer(u, 'input', size(2), size(0))],
        ['out', buffer(out, 'workspace', size(1), size(0))],
      ]),
      functions: [loopFunction('big', ['u', 'out!'], [], body)],
      forward: predict,
      predict,
      pools: { ...kindsRequest.loops.pools, workspace: size(1), integers: size(0), input: size(2) },
    },
  };
}

function evaluate(text: string, u: readonly [number, number]): number {
  const out = new Float64Array(1);
  functionOf(text, 'big')(Float64Array.from(u), out);
  return out[0]!;
}

describe('expressions that are too large to print', () => {
  it('a sum of 2,000 terms is cut into parts, and is the same sum', async () => {
    let sum: Value = load('u', 0);
    for (let k = 0; k < 2000; k++) sum = binary('add', sum, load('u', k % 2));
    const text = await formatTypeScript(emitModule(withBody([store('out', 0, sum)])));
    expect(text.match(/const part/g)!.length).toBeLessThan(60);
    expect(evaluate(text, [1, 0.5])).toBe(1 + 1500);
  });

  it('a nesting of 900 functions is cut into parts', async () => {
    let nested: Value = load('u', 0);
    for (let k = 0; k < 900; k++) nested = unary(k % 2 === 0 ? 'negate' : 'sin', nested);
    const text = await formatTypeScript(emitModule(withBody([store('out', 0, nested)])));
    let expected = 0.5;
    for (let k = 0; k < 900; k++) expected = k % 2 === 0 ? -expected : Math.sin(expected);
    expect(evaluate(text, [0.5, 0])).toBe(expected);
  });

  it('a value shared 2^60 times is printed a few times', async () => {
    let shared: Value = load('u', 0);
    for (let k = 0; k < 60; k++) shared = binary('multiply', 0.5, binary('add', shared, shared));
    const text = emitModule(withBody([store('out', 0, shared)]));
    expect(text.length).toBeLessThan(30_000);
    expect(evaluate(await formatTypeScript(text), [3, 0])).toBe(3);
  });

  it('conditions are cut as well', async () => {
    let sum: Value = load('u', 0);
    for (let k = 0; k < 400; k++) sum = binary('add', sum, load('u', 1));
    const condition = { kind: 'compare', operator: '>', left: sum, right: load('u', 1) } as const;
    const text = await formatTypeScript(
      emitModule(
        withBody([
          { kind: 'if', condition, then: [store('out', 0, 1)], otherwise: [store('out', 0, 2)] },
          store('out', 0, { kind: 'select', condition, then: load('out', 0), otherwise: sum }),
        ]),
      ),
    );
    expect(evaluate(text, [0, 1])).toBe(1);
    expect(evaluate(text, [0, -1])).toBe(-400);
  });
});

describe('names', () => {
  it.each([
    ['h', 'h'],
    ["m'", 'm_next'],
    ['class', 'class_'],
    ['Float32Array', 'Float32Array_'],
    ['2d', '_2d'],
  ])('%s is called %s', (name, expected) => expect(identifier(name)).toBe(expected));

  it('a name that is taken, also in an outer scope, gets a number', () => {
    const outer = new Scope();
    const inner = new Scope(outer);
    expect([outer.declare('h'), inner.declare('h'), inner.declare('h'), outer.declare('k')]).toEqual([
      'h',
      'h_2',
      'h_3',
      'k',
    ]);
  });

  it('a loop index and a tensor of one name are told apart', async () => {
    const body = [
      accumulator('u', 0),
      loop('out', 2, set('u', binary('add', 'u', load('u', 'out')))),
      store('out', 0, 'u'),
    ];
    expect(evaluate(await formatTypeScript(emitModule(withBody(body))), [3, 4])).toBe(7);
  });

  it('functions of the model do not collide with the helpers that the file defines', () => {
    const request = withBody([store('out', 0, unary('sigmoid', load('u', 0)))]);
    const loops = {
      ...request.loops,
      functions: [{ ...request.loops.functions[0]!, name: 'sigmoid' }],
      forward: [],
      predict: [{ function: 'sigmoid', buffers: ['u', 'out'], integers: [] }],
    };
    const text = emitModule({ ...request, loops });
    expect(text).toContain('export function sigmoid_2(u: Float64Array');
    expect(text).toContain('out[0] = sigmoid(u[0]!)');
    expect(text).toContain('sigmoid_2(u, out);');
  });
});

/** The lines of the emitted `update`. */
const updateOf = (text: string): string[] =>
  /update\(.*\): void \{\n([^}]*)\}/
    .exec(text)![1]!
    .trim()
    .split('\n')
    .map((line) => line.trim());

describe('the update', () => {
  const training = netRequest.model.training!;
  const group = training.groups[0]!;
  const request = (groups: readonly UpdateGroup[], more: Partial<Training> = {}): EmitRequest => ({
    ...netRequest,
    model: { ...netRequest.model, training: { ...training, groups, ...more } },
    groups: groups.map(() => momentumLoops),
  });
  it('is one call where all parameters lie next to one another', () => {
    expect(updateOf(emitModule(netRequest))).toEqual([
      'schedule_falling(falling_asked, falling, step);',
      'rates[0] = falling[0]! * rateFactor;',
      'update_sgd(parameters, gradients, u, rates, 8);',
    ]);
  });

  it('is one call a parameter where the optimizer reduces over a tensor', () => {
    const text = emitModule(request([{ ...group, perParameter: true }]));
    expect(updateOf(text).slice(1)).toEqual([
      'rates[0] = falling[0]! * rateFactor;',
      'update_sgd(W1, dW1, u_W1, rates, 4);',
      'update_sgd(b1, db1, u_b1, rates, 2);',
      'update_sgd(W2, dW2, u_W2, rates, 2);',
    ]);
    expect(text).toContain('const u_W2 = state.subarray(6, 8);');
  });

  it('shares the function between groups of one optimizer, and keeps their states apart', () => {
    const text = emitModule(
      request([
        { ...group, parameters: ['W1', 'b1'] },
        { ...group, parameters: ['W2'] },
      ]),
    );
    expect(text.match(/function update_sgd/g)).toHaveLength(1);
    expect(updateOf(text).slice(1)).toEqual([
      'rates[0] = falling[0]! * rateFactor;',
      'update_sgd(W1_to_b1, dW1_to_b1, u_W1_to_b1, rates, 6);',
      'rates[1] = falling[0]! * rateFactor;',
      'update_sgd(W2, dW2, u_W2, rate, 2);',
    ]);
    expect(text).toContain('const u_W2 = state.subarray(6, 8);');
  });

  it('gives a second function its own name where the optimizers differ', () => {
    const own: UpdateLoops = {
      ...momentumLoops,
      functions: [
        { ...momentumLoops.functions[0]!, body: [loop('i', 'count', store('p', 'i', load('rate', 0)))] },
      ],
    };
    const two = request([
      { ...group, parameters: ['W1', 'b1'] },
      { ...group, parameters: ['W2'] },
    ]);
    const text = emitModule({ ...two, groups: [momentumLoops, own] });
    expect(text).toContain('function update_sgd_2(p: Float64Array, rate: Float64Array, count: number)');
    expect(updateOf(text).at(-1)).toBe('update_sgd_2(W2, rate, 2);');
  });

  it('clips the gradients first', async () => {
    const byValue = await formatTypeScript(
      emitModule(request([group], { clip: { kind: 'value', limit: 0.5 } })),
    );
    expect(updateOf(byValue)[0]).toBe('clipValues(gradients, 0.5);');
    const clipped = Float64Array.of(-2, 0.25, 2);
    functionOf(byValue, 'clipValues')(clipped, 0.5);
    expect([...clipped]).toEqual([-0.5, 0.25, 0.5]);

    const byNorm = await formatTypeScript(
      emitModule(request([group], { clip: { kind: 'global_norm', limit: 1 } })),
    );
    expect(updateOf(byNorm)[0]).toBe('clipGlobalNorm(gradients, 1);');
    const long = Float64Array.of(3, 4);
    functionOf(byNorm, 'clipGlobalNorm')(long, 1);
    expect(long[0]).toBeCloseTo(3 / (5 + 1e-6), 14);
    expect(long[1]).toBeCloseTo(4 / (5 + 1e-6), 14);
    const short = Float64Array.of(0.3, 0.4);
    functionOf(byNorm, 'clipGlobalNorm')(short, 1);
    expect([...short]).toEqual([0.3, 0.4]);
  });

  it('refuses a number that nothing sets', () => {
    const { rate: _, ...rateless } = group;
    const unscheduled = request([rateless]);
    expect(() => emitModule(unscheduled)).toThrow("with 'rate', which has no array");
  });
});

describe('a standalone file', () => {
  const runtime = `/** What the runtime is. */

interface RealData {
  readonly length: number;
}

/** Not needed: sigmoid only speaks of unusedFunction. */
function unusedFunction(x: number): number {
  const y = half(x);

  return y;
}

function half(x: number): number {
  return x / 2;
}

function sigmoid(x: number): number {
  return half(x) + 0.5;
}

// unusedFunction is not called here
function makeTrainer(): RealData {
  return { length: twice(1) };
}

function twice(x: number): number {
  return 2 * x;
}
`;
  const body = [store('out', 0, unary('sigmoid', load('u', 1)))];
  const request = withBody(body);
  const text = emitModule({ ...request, options: { ...request.options, standalone: runtime } });

  it('imports nothing, and has its own functions where the runtime has others of their names', () => {
    expect(text).not.toMatch(/^import/m);
    expect(text.match(/function sigmoid/g)).toHaveLength(1);
    expect(text).toContain('out[0] = sigmoid(u[1]!)');
  });

  it('holds what it needs of the runtime and what that needs, and nothing else', () => {
    expect(text).toContain('function twice');
    expect(text).not.toContain('function half');
    expect(text).toContain('interface RealData');
    expect(text).not.toContain('function unusedFunction');
  });
});
