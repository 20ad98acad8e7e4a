/** Models for the tests of the rewrite passes, written statement by statement. */
import { ProgramBuilder } from '../../compiler/graph/builder.ts';
import type { Reduction } from '../../compiler/graph/builder.ts';
import { freeIndices, indexOf, indexValue, fetchIndex, read } from '../../compiler/graph/expressions.ts';
import type { Expression, Extent, LoopIndex, Origin, Program } from '../../compiler/graph/types.ts';

const source = { path: 'model.dsl', text: '' };
const span = { source, start: 0, end: 0 };
const origin: Origin = { span, history: [] };

/** How far the indices of the test models run. */
const extentOfIndex: Readonly<Record<string, Extent>> = { n: 'n', i: 6, j: 5, k: 4, d: 3 };

const loopsFor = (names: Iterable<string>): LoopIndex[] => {
  const wanted = new Set(names);
  return Object.entries(extentOfIndex)
    .filter(([name]) => wanted.has(name))
    .map(([name, extent]) => ({ name, extent }));
};

const letters = (indices: string): string[] => indices.split('').filter((name) => name !== ' ');

export class ModelWriter {
  private readonly builder: ProgramBuilder;
  private target = '';

  constructor(name: string) {
    this.builder = new ProgramBuilder(name);
  }

  input(name: string, indices: string): this {
    return this.tensor(name, indices, 'input');
  }

  param(name: string, indices: string): this {
    return this.tensor(name, indices, 'parameter');
  }

  labels(name: string, indices: string, classes: number): this {
    const loops = loopsFor(letters(indices));
    this.builder.declare({
      name,
      role: 'input',
      axes: loops.map(({ extent }) => extent),
      axisNames: loops.map((loop) => loop.name),
      element: 'integer',
      range: { least: 0, greatest: classes - 1 },
      span,
    });
    return this;
  }

  /** `write` is given the reducer of the statement. */
  define(name: string, write: (reduce: Reduce) => Expression): this {
    this.target = name;
    const body = write((operator, over, inner) =>
      this.builder.reduce({
        operator,
        over: loopsFor(letters(over)),
        loops: loopsFor(Object.keys(extentOfIndex)),
        body: inner,
        target: this.target,
        origin,
      }),
    );
    this.builder.define({ target: name, indices: loopsFor(freeIndices(body)), body, origin });
    return this;
  }

  output(name: string, write: (reduce: Reduce) => Expression): this {
    this.define(name, write);
    this.builder.output(name);
    return this;
  }

  metric(name: string, write: (reduce: Reduce) => Expression): this {
    this.define(name, write);
    this.builder.metric(name);
    return this;
  }

  loss(write: (reduce: Reduce) => Expression): Program {
    this.define('loss', write);
    this.builder.loss('loss');
    return this.builder.build();
  }

  private tensor(name: string, indices: string, role: 'input' | 'parameter'): this {
    const loops = loopsFor(letters(indices));
    this.builder.declare({
      name,
      role,
      axes: loops.map(({ extent }) => extent),
      axisNames: loops.map((loop) => loop.name),
      element: 'real',
      span,
      ...(role === 'parameter' ? { initializer: { kind: 'constant', value: 0 } } : {}),
    });
    return this;
  }
}

export type Reduce = (operator: Reduction, over: string, body: Expression) => Expression;

/** A read at plain indices: at('z', 'nk') is z[n, k]. */
export const at = (tensor: string, indices = ''): Expression => read(tensor, letters(indices).map(indexOf));

/** k == label[n] */
export const index = (name: string): Expression => indexValue(indexOf(name));

/** z[n, label[n]] */
export const pick = (tensor: string, row: string, labels: string): Expression =>
  read(tensor, [indexOf(row), fetchIndex(labels, [indexOf(row)])]);
