/** The net's optimizer, scheduled by hand too, and the request that makes it a module. */
import type { EmitRequest } from '../../compiler/emit/typescript/index.ts';
import type { LoopIndex, Program } from '../../compiler/graph/types.ts';
import type { Training } from '../../compiler/model/types.ts';
import type { UpdateLoops } from '../../compiler/schedule/types.ts';
import {
  binary,
  buffer,
  constant,
  load,
  loop,
  loopFunction,
  operation,
  read,
  size,
  span,
  statement,
  store,
  tensor,
} from './build.ts';
import { netLoops, netProgram, where, zeros } from './net-program.ts';

export { netProgram };

const optimizerText = `optimizer sgd(rate, momentum) {
  state u ~ zeros
  u' = momentum * u + g
  p' = p - rate * u'
}`;
const inOptimizer = (part: string) => span(optimizerText, part, 'prelude/optimizers.dsl');
const count: LoopIndex = { name: 'i', extent: 'count' };
const number = (value: number) => ({ kind: 'constant', value }) as const;
const updateStatements = [
  statement(
    "u'",
    [count],
    [],
    operation('add', operation('multiply', number(0.9), read('u', 'i')), read('g', 'i')),
    inOptimizer("u' ="),
    { phase: 'update' },
  ),
  statement(
    "p'",
    [count],
    [],
    operation('subtract', read('p', 'i'), operation('multiply', read('rate'), read("u'", 'i'))),
    inOptimizer("p' ="),
    { phase: 'update' },
  ),
];
const momentum: Program = {
  name: 'sgd',
  tensors: new Map(
    [
      tensor('p', 'parameter', ['count'], inOptimizer('sgd')),
      tensor('g', 'input', ['count'], inOptimizer('sgd')),
      tensor('u', 'state', ['count'], inOptimizer('u ~'), { initializer: zeros }),
      tensor('rate', 'scalar', [], inOptimizer('rate'), { element: 'double' }),
      tensor("u'", 'intermediate', ['count'], inOptimizer("u' =")),
      tensor("p'", 'intermediate', ['count'], inOptimizer("p' =")),
    ].map((each) => [each.name, each]),
  ),
  statements: updateStatements,
  outputs: ["p'", "u'"],
  metrics: [],
  gradients: new Map(),
};
export const momentumLoops: UpdateLoops = {
  functions: [
    loopFunction(
      'update_sgd',
      ['p!', 'g', 'u!', 'rate: double'],
      ['count'],
      [
        loop(
          'i',
          'count',
          constant("u'", binary('add', binary('multiply', 0.9, load('u', 'i')), load('g', 'i'))),
          store('u', 'i', "u'"),
          store('p', 'i', binary('subtract', load('p', 'i'), binary('multiply', load('rate', 0), "u'"))),
        ),
      ],
      { computes: updateStatements },
    ),
  ],
  steps: [{ function: 'update_sgd', buffers: ['p', 'g', 'u', 'rate'], integers: ['count'] }],
  buffers: new Map(),
};

/** rate / (1 + step), and a state that counts how often it was asked */
const scheduleText = `schedule falling(rate) {
  state asked ~ zeros
  value  = rate / (1 + step)
  asked' = asked + 1
}`;
const inSchedule = (part: string) => span(scheduleText, part, 'net.dsl');
const scheduleStatements = [
  statement(
    'value',
    [],
    [],
    operation('divide', number(0.1), operation('add', number(1), read('step'))),
    inSchedule('value'),
    {
      phase: 'update',
    },
  ),
  statement("asked'", [], [], operation('add', read('asked'), number(1)), inSchedule("asked'"), {
    phase: 'update',
  }),
];
const value = tensor('value', 'intermediate', [], inSchedule('value'), { element: 'double' });
const falling: Program = {
  name: 'falling',
  tensors: new Map(
    [
      tensor('step', 'scalar', [], inSchedule('step'), { element: 'double' }),
      tensor('asked', 'state', [], inSchedule('asked'), { element: 'double', initializer: zeros }),
      value,
      tensor("asked'", 'intermediate', [], inSchedule("asked'"), { element: 'double' }),
    ].map((each) => [each.name, each]),
  ),
  statements: scheduleStatements,
  outputs: ['value'],
  metrics: [],
  gradients: new Map(),
};
const fallingLoops: UpdateLoops = {
  functions: [
    loopFunction(
      'schedule_falling',
      ['asked!: double', 'value!: double'],
      [],
      [
        store('value', 0, binary('divide', 0.1, binary('add', 1, 'step'))),
        store('asked', 0, binary('add', load('asked', 0), 1)),
      ],
      { numbers: ['step'], computes: scheduleStatements },
    ),
  ],
  steps: [{ function: 'schedule_falling', buffers: ['asked', 'value'], integers: [], numbers: ['step'] }],
  buffers: new Map([['value', buffer(value, 'doubles', size(1), size(0))]]),
};

const training: Training = {
  batch: 4,
  epochs: 1,
  seed: 1,
  shuffle: false,
  groups: [
    {
      optimizer: 'sgd',
      parameters: ['W1', 'b1', 'W2'],
      program: momentum,
      perParameter: false,
      scheduled: new Map(),
      rate: { name: 'sgd', written: { schedule: 'falling' } },
    },
  ],
  schedules: [falling],
  span: where('train'),
};

export const netRequest: EmitRequest = {
  model: { name: 'Net', program: netProgram, batch: 'n', training, names: [], span: where('Net') },
  program: netProgram,
  loops: netLoops,
  groups: [momentumLoops],
  schedules: [fallingLoops],
  options: { runtime: 'chainrule/runtime', version: '0.1.0', hash: '0123456789abcdef', path: 'net.dsl' },
};
