/** Checks small models in the test's own process, and says what their programs compute. */
import swc from '@swc/wasm-typescript';
import { checkModel } from '../../compiler/check/index.ts';
import type { Checked, CheckOptions, InputData, LoadedModule, Proof } from '../../compiler/check/index.ts';
import { scatteredGradient } from '../../compiler/check/variants.ts';
import { interpret } from '../../compiler/graph/interpret.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { analyse, renderDiagnostics, type AnalysedModel } from '../../compiler/index.ts';
import { Random } from '../../runtime/random.ts';
import * as runtime from '../../runtime/index.ts';

/** The first model of a text. @throws where it does not compile */
export function analysed(text: string): AnalysedModel {
  const { diagnostics, models } = analyse({ path: 'model.dsl', text });
  const [model] = models;
  if (model === undefined) throw new Error(renderDiagnostics(diagnostics, { color: false }));
  return model;
}

export type Given = Partial<Omit<CheckOptions, 'load'>>;

export function check(text: string, options: Given = {}): Promise<Checked> {
  return checkAnalysed(analysed(text), options);
}

/** Runs an emitted module here, where the runtime is at hand. Thousands are loaded: no process is asked, and nothing is kept. */
export function loadHere(text: string): Promise<LoadedModule> {
  const { code } = swc.transformSync(text, { mode: 'strip-only' });
  const body = code
    .replaceAll(/^import +(\{[^}]*\}) from ['"]chainrule\/runtime['"];/gm, 'const $1 = runtime;')
    .replaceAll(/^export (?=const|function)/gm, '');
  const run = new Function('runtime', `${body}\nreturn { description, createProgram, createTrainer };`) as (
    given: typeof runtime,
  ) => LoadedModule;
  return Promise.resolve(run(runtime));
}

export function checkAnalysed(model: AnalysedModel, options: Given = {}): Promise<Checked> {
  return checkModel(model, 'model.dsl', { load: loadHere, ...options });
}

export interface Wrong {
  /** The parameters that a check finds wrong, and `loss`. */
  readonly named: readonly string[];
  /** Of these, those that are compared with no number at all: what is not finite spreads to what is right itself. */
  readonly notFinite: readonly string[];
}

export async function wrongIn(model: AnalysedModel, options: Given = {}): Promise<Wrong> {
  const { report, diagnostics } = await checkAnalysed(model, { rows: 5, ...options }); // thousands are checked
  const wrong = (report?.parameters ?? []).filter(({ ok }) => !ok);
  const loss = diagnostics.some(
    ({ code, message }) => code === 'E801' && message.startsWith('the emitted loss'),
  );
  const isNumber = (proof: Proof): boolean =>
    proof.kind !== 'compared' || proof.ok || Number.isFinite(proof.difference);
  return {
    named: [...wrong.map(({ name }) => name), ...(loss ? ['loss'] : [])],
    notFinite: wrong.filter(({ proofs }) => !Object.values(proofs).every(isNumber)).map(({ name }) => name),
  };
}

/** Numbers between 0.05 and 0.95. */
export function unit(length: number, stream: string): number[] {
  const random = new Random(1, stream);
  return Array.from({ length }, () => 0.05 + 0.9 * random.uniform());
}

export const ROWS = 5;

/**
 * Loss and gradients by the interpreter at one point: what a fault must change to be one.
 * @param scattered also the gradients in scattered form
 */
export function fingerprint(
  model: AnalysedModel,
  data?: InputData,
  scattered = false,
): Map<string, number[]> {
  const { program } = model;
  const values = new Map<string, ArrayLike<number>>();
  for (const tensor of program.tensors.values()) {
    if (tensor.role === 'intermediate') continue;
    const length = tensor.axes.reduce<number>(
      (size, axis) => size * (typeof axis === 'number' ? axis : ROWS),
      1,
    );
    const { least = 0, greatest = 9 } = tensor.range ?? {};
    // parameters where a check has them: near their first values
    const first = tensor.initializer?.kind === 'constant' ? tensor.initializer.value : undefined;
    const drawn = unit(length, tensor.name).map((value) =>
      first === undefined ? value : first === 0 ? 0.2 * value - 0.1 : first * (0.8 + 0.4 * value),
    );
    const given = data?.[tensor.name];
    values.set(
      tensor.name,
      given !== undefined
        ? Array.from({ length }, (_, i) => given[i] ?? NaN)
        : tensor.element === 'integer'
          ? drawn.map((value) => least + Math.floor(value * (greatest - least + 1)))
          : drawn,
    );
  }
  const extents = model.model.batch === undefined ? {} : { [model.model.batch]: ROWS };
  const of = (which: Program): [string, number[]][] => {
    const computed = interpret(which, { tensors: values, extents });
    const numbers = (name: string): number[] => Array.from(computed.get(name) ?? []);
    return [
      ['loss', numbers(which.loss ?? '')],
      ...[...which.gradients].map(([name, d]): [string, number[]] => [name, numbers(d)]),
    ];
  };
  if (!scattered) return new Map(of(program));
  const others = of(scatteredGradient(model, undefined));
  return new Map([
    ...of(program),
    ...others.map(([name, all]): [string, number[]] => [`${name} scattered`, all]),
  ]);
}

/** The names of those that differ by more than rounding. */
export function changed(
  before: ReadonlyMap<string, number[]>,
  after: ReadonlyMap<string, number[]>,
): string[] {
  return [...before].flatMap(([name, values]) => {
    const other = after.get(name) ?? [];
    const scale = Math.max(1e-3, ...values.map(Math.abs));
    const same =
      values.length === other.length &&
      values.every((value, i) => Math.abs(value - (other[i] ?? NaN)) <= 1e-9 * scale);
    return same ? [] : [name];
  });
}
