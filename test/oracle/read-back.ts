/** A program of a reference case, and the same after it was printed and read again. */
import { interpret } from '../../compiler/graph/interpret.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { analyse, compile, type AnalysedModel } from '../../compiler/index.ts';
import { loadModule } from '../support/load.ts';
import type { OracleCase } from './cases.ts';
import { programOf } from './programs/index.ts';
import { trainedCase, type Reader } from './programs/trained.ts';
import { traceProgram } from './programs/training.ts';
import { nameOf } from './programs/writer.ts';

/** A text that a case is checked with, and the values of the tensors that are given. */
export interface CaseText {
  readonly text: string;
  /** The open dimension, where there is one. */
  readonly rows: number;
  readonly read: Reader;
}

const TRACES = ['lr_trace', 'plateau_trace'];

/** @throws Unsupported */
export function textsOf(of: OracleCase): CaseText[] {
  const read: Reader = (tensor) => of.read(tensor);
  if (TRACES.includes(of.op)) return [{ text: traceProgram(of), rows: 1, read }];
  const trained = trainedCase(of);
  if (trained === undefined) return [{ text: programOf(of).text, rows: 1, read }];
  const { once, training, rows } = trained;
  return [once, training].map(({ text }) => ({ text, rows, read: trained.read(0) }));
}

/** The models of a text that must have no mistakes; a warning is none. @throws Error */
export function modelsOf(text: string): readonly AnalysedModel[] {
  const { models, diagnostics } = analyse({ path: 'case.dsl', text });
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return models;
  const told = errors.map(
    ({ code, message, span }) => `${code} ${message}: ${text.slice(span.start, span.end)}`,
  );
  throw new Error(`${told.join('\n')}\n${text}`);
}

type Values = ReadonlyMap<string, ArrayLike<number>>;

/** What is given to a program: the case's own values; of draws and states anything, but always the same. */
export function givenValues(of: OracleCase, { rows, read }: CaseText, { tensors }: Program): Values {
  const values = new Map<string, ArrayLike<number>>();
  for (const { name, role, axes } of tensors.values()) {
    if (role === 'intermediate') continue;
    const size = axes.reduce<number>(
      (product, extent) => product * (typeof extent === 'number' ? extent : rows),
      1,
    );
    const tensor = of.tensors.find((each) => nameOf(each.name) === name && !notGiven.has(each.role));
    const own = tensor === undefined ? undefined : read(tensor);
    values.set(name, own?.length === size ? own : Array.from({ length: size }, (_, k) => 0.25 + (k % 7) / 8));
  }
  return values;
}

const notGiven: ReadonlySet<string> = new Set(['forward', 'grad', 'after', 'state']);

/** Loss, outputs, gradients. */
export const namesOf = ({ loss, outputs, gradients }: Program): string[] => [
  ...new Set([...(loss === undefined ? [] : [loss]), ...outputs, ...gradients.values()]),
];

/** The values of some tensors of a program. */
export function resultsOf(program: Program, values: Values, rows: number, names: readonly string[]): Values {
  const open = [...program.tensors.values()].flatMap(({ axes }) =>
    axes.filter((extent) => typeof extent === 'string'),
  );
  const all = interpret(program, {
    tensors: values,
    extents: Object.fromEntries(open.map((name) => [name, rows])),
  });
  return new Map(names.map((name) => [name, all.get(name) ?? []]));
}

/** What is not the same to 1e-12, relative to the size of the tensor's values. */
export function differences(expected: Values, found: Values): string[] {
  return [...expected].flatMap(([name, values]) => {
    const others = found.get(name) ?? [];
    if (others.length !== values.length) return [`${name} has ${others.length} values, not ${values.length}`];
    const scale = Math.max(1, ...Array.from(values, Math.abs).filter(Number.isFinite));
    const place = Array.from(values).findIndex(
      (value, k) => !Object.is(value, others[k]) && !(Math.abs(value - others[k]!) <= 1e-12 * scale),
    );
    return place < 0 ? [] : [`${name}[${place}] is ${others[place]}, not ${values[place]}`];
  });
}

/** The same by the emitted code in float64: loss and outputs, and the gradients by parameter. */
export async function emittedResults(
  text: string,
  given: Values,
  rows: number,
): Promise<{ readonly results: Values; readonly gradients: Values }> {
  const { modules } = await compile({ path: 'case.dsl', text }, { dtype: 'f64', format: false });
  const trainer = loadModule(modules[0]!.text).createTrainer({ batch: rows });
  const { inputs: ports, parameters } = trainer.description;
  const chosen = (tensors: readonly { readonly name: string }[]): Record<string, ArrayLike<number>> =>
    Object.fromEntries(tensors.map(({ name }) => [name, given.get(name) ?? []]));
  const inputs = chosen(ports);
  trainer.setWeights(chosen(parameters));
  const { loss } = trainer.gradientsOnBatch(inputs);
  const gradients = new Map(Object.entries(trainer.getGradients()));
  return {
    results: new Map<string, ArrayLike<number>>([
      ...Object.entries(trainer.predict(inputs)),
      ['loss', [loss ?? NaN]],
    ]),
    gradients,
  };
}
