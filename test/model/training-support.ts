/** Elaborates a `train` block of a small model, and runs update programs in the interpreter. */
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { validate } from '../../compiler/graph/validate.ts';
import { elaborate } from '../../compiler/model/index.ts';
import type { Model, Training, UpdateGroup } from '../../compiler/model/types.ts';
import { preludeSources } from '../../compiler/prelude/index.ts';
import { parse } from '../../compiler/syntax/index.ts';
import type { SyntaxFile } from '../../compiler/syntax/tree.ts';

let prelude: readonly SyntaxFile[] | undefined;

/** The models of a text, and what was reported. */
export function elaborateText(text: string): { models: Model[]; diagnostics: Diagnostics } {
  const diagnostics = new Diagnostics();
  prelude ??= preludeSources().map((source) => parse(source, new Diagnostics()));
  const file = parse({ path: 'test.dsl', text }, diagnostics);
  const models = elaborate(file, { imports: new Map(), prelude }, diagnostics);
  return { models, diagnostics };
}

const model = (train: string, definitions: string): string => `${definitions}
model M {
  dim two = 2
  input x[n, two]
  param W1[two, 3] ~ ones
  param b1[3] ~ zeros
  param W2[3] ~ ones
  param b2 ~ zeros
  h[n, j] = sum[i](x[n, i] * W1[i, j]) + b1[j]
  loss = mean[n]((sum[j](h[n, j] * W2[j]) + b2)^2)
  train { ${train} }
}`;

/** The training of `train { <train> }`, in a model with the parameters W1, b1, W2, b2. Throws if anything is reported. */
export function trainingOf(train: string, definitions = ''): { training: Training; model: Model } {
  const { models, diagnostics } = elaborateText(model(train, definitions));
  const [made] = models;
  if (diagnostics.list.length > 0 || made?.training === undefined) {
    throw new Error(diagnostics.list.map(({ code, message }) => `${code} ${message}`).join('\n'));
  }
  for (const program of [...made.training.schedules, ...made.training.groups.map((group) => group.program)]) {
    const problems = validate(program);
    if (problems.length > 0) throw new Error(problems.join('\n'));
  }
  return { training: made.training, model: made };
}

/** What is reported of `train { <train> }`. */
export function reportsOf(train: string, definitions = '') {
  return elaborateText(model(train, definitions)).diagnostics.list;
}

/** The group of one optimizer for all parameters. */
export function groupOf(optimizer: string, definitions = ''): UpdateGroup {
  const group = trainingOf(`optimizer: ${optimizer}`, definitions).training.groups[0];
  if (group === undefined) throw new Error('no group');
  return group;
}

/** Names of the states of a program. */
export function statesOf(program: Program): string[] {
  return [...program.tensors.values()].filter(({ role }) => role === 'state').map(({ name }) => name);
}

/** A program that is run again and again: its states go from step to step. That of a group has the rate that is written. */
export class Run {
  readonly program: Program;
  readonly count: number;
  readonly state = new Map<string, Float64Array>();
  private readonly rate: number | undefined;
  private step = 0;

  constructor(of: Program | UpdateGroup, count = 1) {
    const program = 'program' in of ? of.program : of;
    const written = 'program' in of ? of.rate?.written : undefined;
    this.rate = typeof written === 'number' ? written : undefined;
    this.program = program;
    this.count = count;
    for (const name of statesOf(program)) {
      const tensor = program.tensors.get(name);
      const first = tensor?.initializer?.kind === 'constant' ? tensor.initializer.value : NaN;
      this.state.set(name, new Float64Array(tensor?.axes.length === 0 ? 1 : count).fill(first));
    }
  }

  /** One step; gives all tensors. `t`, `step` are counted here. */
  next(given: Readonly<Record<string, ArrayLike<number>>>): Map<string, Float64Array> {
    const counted = {
      t: [this.step + 1],
      step: [this.step],
      ...(this.rate !== undefined && { rate: [this.rate] }),
    };
    const known = { ...counted, ...given, ...Object.fromEntries(this.state) };
    const tensors = Object.fromEntries(
      Object.entries(known).filter(([name]) => this.program.tensors.has(name)),
    );
    const values = interpret(this.program, { extents: { count: this.count }, tensors });
    this.step++;
    for (const name of this.state.keys()) {
      const next = values.get(`${name}'`);
      if (next !== undefined) this.state.set(name, next);
    }
    return values;
  }
}
