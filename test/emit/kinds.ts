/** A loop program that says everything which loop programs can say: every kind of statement, value and condition. */
import type { EmitRequest } from '../../compiler/emit/typescript/index.ts';
import { evaluateBinary, evaluateUnary } from '../../compiler/graph/expressions.ts';
import type { BinaryOperator, Program, Tensor, UnaryOperator } from '../../compiler/graph/types.ts';
import type {
  Condition,
  LoopFunction,
  LoopProgram,
  LoopStatement,
  Value,
} from '../../compiler/schedule/types.ts';
import {
  accumulator,
  binary,
  buffer,
  compare,
  constant,
  i,
  load,
  loop,
  loopFunction,
  plus,
  set,
  size,
  span,
  store,
  tensor,
  times,
  unary,
  v,
} from './build.ts';

export const unaryOperators = Object.keys(evaluateUnary) as UnaryOperator[];
export const binaryOperators = Object.keys(evaluateBinary) as BinaryOperator[];

const where = span('model Kinds {}', 'Kinds', 'C:\\models\\kinds.dsl');
const unaries = tensor('unaries', 'intermediate', [unaryOperators.length], where);
const binaries = tensor('binaries', 'intermediate', [binaryOperators.length], where);
const powers = tensor('powers', 'intermediate', [8], where);
const truths = tensor('truths', 'intermediate', [12], where);
const integers = tensor('integers', 'intermediate', [7, 10], where, { element: 'integer' });
const class_ = tensor('class', 'intermediate', [8], where);
const tensors: readonly Tensor[] = [
  tensor('u', 'input', [2], where),
  tensor('k', 'input', [3], where, { element: 'integer', range: { least: 0, greatest: 6 } }),
  unaries,
  binaries,
  powers,
  truths,
  integers,
  class_,
];

const index = (name: string) => ({ kind: 'variable', name }) as const;
const storeInteger = (column: number, value: Parameters<typeof i>[0]): LoopStatement => ({
  kind: 'store_integer',
  buffer: 'integers',
  offset: plus(times(plus('a', 3), 10), column),
  value: i(value),
});
const truth = (place: number, condition: Condition): LoopStatement =>
  store('truths', place, { kind: 'truth', condition });
const less = compare('<', load('u', 0), load('u', 1));
const never: Condition = { kind: 'any', of: [] };
const select = (condition: Condition, then: Value, otherwise: Value): Value => ({
  kind: 'select',
  condition,
  then,
  otherwise,
});

const functions: readonly LoopFunction[] = [
  loopFunction(
    'every_unary',
    ['u', 'unaries!'],
    [],
    unaryOperators.map((operator, place) => store('unaries', place, unary(operator, load('u', 0)))),
  ),
  loopFunction(
    'every_binary',
    ['u', 'binaries!'],
    [],
    binaryOperators.map((operator, place) =>
      store('binaries', place, binary(operator, load('u', 0), load('u', 1))),
    ),
  ),
  loopFunction(
    'powers_and_signs',
    ['u', 'powers!'],
    [],
    [
      constant('a', load('u', 0)),
      store('powers', 0, binary('power', 'a', 2)),
      store('powers', 1, binary('power', binary('add', 'a', 1), 2)),
      store('powers', 2, binary('power', 'a', 3)),
      store('powers', 3, binary('power', 'a', -1)),
      store('powers', 4, binary('power', 'a', 1)),
      store(
        'powers',
        5,
        binary(
          'add',
          'a',
          unary('negate', unary('negate', binary('subtract', 'a', binary('subtract', 'a', -2)))),
        ),
      ),
      store(
        'powers',
        6,
        binary('multiply', { kind: 'number', value: Math.PI, name: 'pi' }, binary('multiply', 'a', -1e-8)),
      ),
      store('powers', 7, binary('divide', 'a', binary('divide', 'a', binary('add', 'a', -3)))),
    ],
  ),
  loopFunction(
    'every_condition',
    ['u', 'k: integer', 'truths!'],
    [],
    [
      truth(0, { kind: 'all', of: [less, compare('<=', load('u', 0), 1)] }),
      truth(1, {
        kind: 'any',
        of: [less, { kind: 'all', of: [compare('>', load('u', 0), 0), compare('>=', load('u', 1), 0)] }],
      }),
      truth(2, { kind: 'not', of: less }),
      truth(3, { kind: 'nonzero', value: binary('and', load('u', 0), binary('less', load('u', 1), 0)) }),
      truth(4, { kind: 'nonzero', value: load('u', 0) }),
      truth(5, { kind: 'nonzero', value: unary('not', load('u', 0)) }),
      truth(6, compare('==', load('u', 0), { kind: 'truth', condition: less })),
      truth(7, {
        kind: 'compare_integer',
        operator: '!=',
        left: { kind: 'load_integer', buffer: 'k', offset: i(0) },
        right: i(2),
      }),
      truth(8, {
        kind: 'all',
        of: [
          { kind: 'any', of: [less, never] },
          { kind: 'all', of: [] },
        ],
      }),
      truth(9, { kind: 'nonzero', value: { kind: 'truth', condition: less } }),
      store('truths', 10, select(less, select({ kind: 'not', of: less }, v(1), v(2)), v(3))),
      store(
        'truths',
        11,
        binary('add', select(less, v(1), v(2)), select({ kind: 'any', of: [less, less] }, v(10), v(20))),
      ),
    ],
  ),
  loopFunction(
    'every_integer',
    ['k: integer', 'integers!: integer'],
    [],
    [
      {
        kind: 'for',
        index: 'a',
        from: i(-3),
        to: i(4),
        step: 1,
        body: [
          storeInteger(0, { kind: 'floor_divide', of: index('a'), by: 2 }),
          storeInteger(1, { kind: 'floor_divide', of: plus('a', 1), by: 3 }),
          storeInteger(2, { kind: 'floor_divide', of: plus('a', 3), by: 3 }),
          storeInteger(3, { kind: 'modulo', of: plus('a', 1), by: 4 }),
          storeInteger(4, { kind: 'modulo', of: index('a'), by: 3 }),
          storeInteger(5, plus(times(-2, 'a'), times(-1, plus('a', -1)), -3)),
          storeInteger(6, {
            kind: 'minimum',
            left: index('a'),
            right: { kind: 'maximum', left: i(0), right: i(1) },
          }),
          storeInteger(7, {
            kind: 'load_integer',
            buffer: 'k',
            offset: { kind: 'modulo', of: plus('a', 3), by: 1 },
          }),
          {
            kind: 'for',
            index: 'b',
            from: i(0),
            to: i(2),
            step: 1,
            body: [
              { kind: 'integer_constant', name: 'c', value: times('b', 7) },
              storeInteger(8, { kind: 'floor_divide', of: plus('c', 3), by: 5 }),
              storeInteger(9, { kind: 'modulo', of: plus(times('b', 'c'), 9), by: 5 }),
            ],
          },
        ],
      },
    ],
  ),
  loopFunction(
    'add_scaled',
    ['from', 'to!', 'never'],
    ['rows', 'unused'],
    [loop('r', 'rows', store('to', 'r', load('from', 0), true))],
    {
      documentation: 'to[r] += from[0]\nfor all rows',
    },
  ),
  loopFunction(
    'every_statement',
    ['u', 'class!', 'await'],
    [],
    [
      { kind: 'comment', text: 'a reserved word is a fine name for a tensor */' },
      { kind: 'fill', buffer: 'class', value: -0.5 },
      constant('unused', load('await', 0)),
      constant('Math', 0.25),
      accumulator("x'", 1),
      { kind: 'integer_accumulator', name: 'turns', initial: i(0) },
      {
        kind: 'for',
        index: 't',
        from: i(6),
        to: i(-1),
        step: -2,
        body: [
          set("x'", binary('multiply', "x'", 2)),
          { kind: 'set_integer', name: 'turns', value: plus('turns', 1) },
          store('class', 't', binary('subtract', load('class', 't'), 'Math')),
        ],
      },
      { kind: 'set_integer', name: 'turns', value: plus(times('turns', 2), 1) },
      set("x'", binary('subtract', 1, "x'")),
      {
        kind: 'if',
        condition: compare('<', "x'", 0),
        then: [store('class', 1, { kind: 'from_integer', value: index('turns') })],
        otherwise: [store('class', 1, 'Math')],
      },
      { kind: 'if', condition: compare('>', "x'", 0), then: [store('class', 3, 1)], otherwise: [] },
      store('class', 5, unary('negate', "x'"), true),
      {
        kind: 'call',
        function: 'add_scaled',
        arguments: [
          { kind: 'buffer', buffer: 'u' },
          { kind: 'buffer', buffer: 'class' },
          { kind: 'buffer', buffer: 'await' },
          { kind: 'integer', value: i(2) },
          { kind: 'integer', value: i(9) },
        ],
      },
    ],
  ),
];

const step = (name: string, ...buffers: readonly string[]) => ({ function: name, buffers, integers: [] });
const predict = [
  step('every_unary', 'u', 'unaries'),
  step('every_binary', 'u', 'binaries'),
  step('powers_and_signs', 'u', 'powers'),
  step('every_condition', 'u', 'k', 'truths'),
  step('every_integer', 'k', 'integers'),
  step('every_statement', 'u', 'class', 'u'),
];

const loops: LoopProgram = {
  name: 'Kinds',
  dtype: 'f64',
  draws: { forward: [], evaluate: [], predict: [] },
  moments: [],
  nextValues: new Map(),
  buffers: new Map(
    [
      buffer(tensors[0]!, 'input', size(2), size(0)),
      buffer(tensors[1]!, 'input', size(3), size(0)),
      ...[unaries, binaries, powers, truths, class_].map((each, place) =>
        buffer(each, 'workspace', size(Number(each.axes[0])), size(place * 50)),
      ),
      buffer(integers, 'integers', size(70), size(0)),
    ].map((each) => [each.tensor, each]),
  ),
  functions,
  forward: predict,
  backward: [],
  predict,
  pools: {
    parameters: size(0),
    gradients: size(0),
    state: size(0),
    workspace: size(250),
    doubles: size(0),
    integers: size(70),
    input: size(5),
  },
};

const program: Program = {
  name: 'Kinds',
  tensors: new Map(tensors.map((each) => [each.name, each])),
  statements: [],
  outputs: ['unaries', 'binaries', 'powers', 'truths', 'integers', 'class'],
  metrics: [],
  gradients: new Map(),
};

export const kindsRequest: EmitRequest = {
  model: { name: 'Kinds', program, names: [], span: where },
  program,
  loops,
  groups: [],
  schedules: [],
  options: {
    runtime: 'chainrule/runtime',
    version: '0.1.0',
    hash: 'fedcba9876543210',
    path: 'models/kinds.dsl',
  },
};
