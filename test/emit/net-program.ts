/** A net with two inputs, two relus and one output, scheduled by hand: the smallest thing that trains. */
import type { LoopIndex, Program, Tensor } from '../../compiler/graph/types.ts';
import type { LoopFunction, LoopProgram } from '../../compiler/schedule/types.ts';
import {
  accumulator,
  binary,
  buffer,
  constant,
  load,
  loop,
  loopFunction,
  operation,
  plus,
  read,
  set,
  size,
  span,
  statement,
  store,
  tensor,
  times,
  unary,
} from './build.ts';

const text = `model Net {
  input x[n, 2]
  input y[n]
  param W1[2, 2] ~ normal(0, 1)
  param b1[2] ~ zeros
  param W2[2] ~ normal(0, 1)
  h[n, j] = relu(sum[i](x[n, i] * W1[i, j]) + b1[j])
  output z[n] = sum[j](h[n, j] * W2[j])
  loss = sum[n]((z[n] - y[n])^2)
  train { optimizer: sgd(rate = 0.1, momentum = 0.9) }
}`;
export const where = (part: string) => span(text, part);

const normal = { kind: 'normal', mean: 0, deviation: 1 } as const;
export const zeros = { kind: 'constant', value: 0 } as const;
const declared: readonly Tensor[] = [
  tensor('x', 'input', ['n', 2], where('x[n, 2]')),
  tensor('y', 'input', ['n'], where('y[n]')),
  tensor('W1', 'parameter', [2, 2], where('W1[2, 2]'), { initializer: normal }),
  tensor('b1', 'parameter', [2], where('b1[2]'), { initializer: zeros }),
  tensor('W2', 'parameter', [2], where('W2[2]'), { initializer: normal }),
  tensor('h', 'intermediate', ['n', 2], where('h[n, j]')),
  tensor('z', 'intermediate', ['n'], where('z[n]')),
  tensor('loss', 'intermediate', [], where('loss'), { element: 'double' }),
  tensor('dz', 'intermediate', ['n'], where('z[n]')),
  tensor('dh', 'intermediate', ['n', 2], where('h[n, j]')),
  tensor('dW1', 'intermediate', [2, 2], where('h[n, j]')),
  tensor('db1', 'intermediate', [2], where('h[n, j]')),
  tensor('dW2', 'intermediate', [2], where('z[n]')),
];
const named = new Map(declared.map((each) => [each.name, each]));
const of = (name: string): Tensor => named.get(name)!;

const n: LoopIndex = { name: 'n', extent: 'n' };
const iIndex: LoopIndex = { name: 'i', extent: 2 };
const jIndex: LoopIndex = { name: 'j', extent: 2 };
const line = (name: string) =>
  where(
    text
      .split('\n')
      .find((each) => each.trim().startsWith(name))!
      .trim(),
  );
const square = operation('power', operation('subtract', read('z', 'n'), read('y', 'n')), {
  kind: 'constant',
  value: 2,
});
const statements = {
  h: statement(
    'h',
    [n, jIndex],
    [iIndex],
    operation('multiply', read('x', 'n', 'i'), read('W1', 'i', 'j')),
    line('h[n, j]'),
    {
      finish: {
        kind: 'unary',
        operator: 'relu',
        operand: operation('add', { kind: 'accumulated' }, read('b1', 'j')),
      },
    },
  ),
  z: statement(
    'z',
    [n],
    [jIndex],
    operation('multiply', read('h', 'n', 'j'), read('W2', 'j')),
    line('output z'),
  ),
  loss: statement('loss', [], [n], square, line('loss')),
  dz: statement(
    'dz',
    [n],
    [],
    operation(
      'multiply',
      { kind: 'constant', value: 2 },
      operation('subtract', read('z', 'n'), read('y', 'n')),
    ),
    line('loss'),
    { phase: 'backward' },
  ),
  dW2: statement(
    'dW2',
    [jIndex],
    [n],
    operation('multiply', read('dz', 'n'), read('h', 'n', 'j')),
    line('output z'),
    { phase: 'backward' },
  ),
  dh: statement(
    'dh',
    [n, jIndex],
    [],
    {
      kind: 'select',
      condition: operation('greater', read('h', 'n', 'j'), { kind: 'constant', value: 0 }),
      then: operation('multiply', read('dz', 'n'), read('W2', 'j')),
      otherwise: { kind: 'constant', value: 0 },
    },
    line('h[n, j]'),
    { phase: 'backward' },
  ),
  dW1: statement(
    'dW1',
    [iIndex, jIndex],
    [n],
    operation('multiply', read('x', 'n', 'i'), read('dh', 'n', 'j')),
    line('h[n, j]'),
    {
      phase: 'backward',
    },
  ),
  db1: statement('db1', [jIndex], [n], read('dh', 'n', 'j'), line('h[n, j]'), { phase: 'backward' }),
};

export const netProgram: Program = {
  name: 'Net',
  tensors: named,
  statements: Object.values(statements),
  outputs: ['z'],
  loss: 'loss',
  metrics: [],
  gradients: new Map([
    ['W1', 'dW1'],
    ['b1', 'db1'],
    ['W2', 'dW2'],
  ]),
};

// ---------------------------------------------------------------------------------------------------------------- loops

const nj = plus(times('n_', 2), 'j');
const functions: readonly LoopFunction[] = [
  loopFunction(
    'forward_h',
    ['x', 'W1', 'b1', 'h!'],
    ['n'],
    [
      loop(
        'n_',
        'n',
        loop(
          'j',
          2,
          accumulator('sum', 0),
          loop(
            'i',
            2,
            set(
              'sum',
              binary(
                'add',
                'sum',
                binary(
                  'multiply',
                  load('x', plus(times('n_', 2), 'i')),
                  load('W1', plus(times('i', 2), 'j')),
                ),
              ),
            ),
          ),
          store('h', nj, unary('relu', binary('add', 'sum', load('b1', 'j')))),
        ),
      ),
    ],
    { computes: [statements.h] },
  ),
  loopFunction(
    'forward_z',
    ['h', 'W2', 'z!'],
    ['n'],
    [
      loop(
        'n_',
        'n',
        accumulator('sum', 0),
        loop('j', 2, set('sum', binary('add', 'sum', binary('multiply', load('h', nj), load('W2', 'j'))))),
        store('z', 'n_', 'sum'),
      ),
    ],
    { computes: [statements.z] },
  ),
  loopFunction(
    'forward_loss',
    ['z', 'y', 'loss!: double'],
    ['n'],
    [
      accumulator('sum', 0),
      loop(
        'n_',
        'n',
        constant('difference', binary('subtract', load('z', 'n_'), load('y', 'n_'))),
        set('sum', binary('add', 'sum', binary('power', 'difference', 2))),
      ),
      store('loss', 0, 'sum'),
    ],
    { computes: [statements.loss] },
  ),
  loopFunction(
    'gradient_z',
    ['z', 'y', 'dz!'],
    ['n'],
    [
      loop(
        'n_',
        'n',
        store('dz', 'n_', binary('multiply', 2, binary('subtract', load('z', 'n_'), load('y', 'n_')))),
      ),
    ],
    { computes: [statements.dz] },
  ),
  loopFunction(
    'gradient_W2',
    ['dz', 'h', 'dW2!'],
    ['n'],
    [
      { kind: 'fill', buffer: 'dW2', value: 0 },
      loop(
        'n_',
        'n',
        loop('j', 2, store('dW2', 'j', binary('multiply', load('dz', 'n_'), load('h', nj)), true)),
      ),
    ],
    { computes: [statements.dW2] },
  ),
  loopFunction(
    'gradient_h',
    ['h', 'dz', 'W2', 'dh!'],
    ['n'],
    [
      loop(
        'n_',
        'n',
        loop(
          'j',
          2,
          store('dh', nj, {
            kind: 'select',
            condition: {
              kind: 'compare',
              operator: '>',
              left: load('h', nj),
              right: { kind: 'number', value: 0 },
            },
            then: binary('multiply', load('dz', 'n_'), load('W2', 'j')),
            otherwise: { kind: 'number', value: 0 },
          }),
        ),
      ),
    ],
    { computes: [statements.dh] },
  ),
  loopFunction(
    'gradient_W1_b1',
    ['x', 'dh', 'dW1!', 'db1!'],
    ['n'],
    [
      { kind: 'fill', buffer: 'dW1', value: 0 },
      { kind: 'fill', buffer: 'db1', value: 0 },
      loop(
        'n_',
        'n',
        loop(
          'j',
          2,
          constant('cotangent', load('dh', nj)),
          store('db1', 'j', 'cotangent', true),
          loop(
            'i',
            2,
            store(
              'dW1',
              plus(times('i', 2), 'j'),
              binary('multiply', load('x', plus(times('n_', 2), 'i')), 'cotangent'),
              true,
            ),
          ),
        ),
      ),
    ],
    { computes: [statements.dW1, statements.db1] },
  ),
];

const step = (name: string) => ({
  function: name,
  buffers: functions.find((each) => each.name === name)!.buffers.map((each) => each.name),
  integers: ['n'],
});

export const netLoops: LoopProgram = {
  name: 'Net',
  dtype: 'f64',
  draws: { forward: [], evaluate: [], predict: [] },
  moments: [],
  nextValues: new Map(),
  batch: 'n',
  buffers: new Map(
    [
      buffer(of('x'), 'input', size(0, 2), size(0)),
      buffer(of('y'), 'input', size(0, 1), size(0)),
      buffer(of('W1'), 'parameters', size(4), size(0)),
      buffer(of('b1'), 'parameters', size(2), size(4)),
      buffer(of('W2'), 'parameters', size(2), size(6)),
      buffer(of('dW1'), 'gradients', size(4), size(0)),
      buffer(of('db1'), 'gradients', size(2), size(4)),
      buffer(of('dW2'), 'gradients', size(2), size(6)),
      buffer(of('h'), 'workspace', size(0, 2), size(0)),
      buffer(of('z'), 'workspace', size(0, 1), size(0, 2)),
      buffer(of('dz'), 'workspace', size(0, 1), size(0, 3)),
      buffer(of('dh'), 'workspace', size(0, 2), size(0, 4)),
      buffer(of('loss'), 'doubles', size(1), size(0)),
    ].map((each) => [each.tensor, each]),
  ),
  functions,
  forward: [step('forward_h'), step('forward_z'), step('forward_loss')],
  backward: [step('gradient_z'), step('gradient_W2'), step('gradient_h'), step('gradient_W1_b1')],
  predict: [step('forward_h'), step('forward_z')],
  pools: {
    parameters: size(8),
    gradients: size(8),
    state: size(0),
    workspace: size(0, 6),
    doubles: size(1),
    integers: size(0),
    input: size(0, 3),
  },
};
