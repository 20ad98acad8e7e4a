/** Weights as named tensors, out of a trainer and into one: what files of weights hold. */
import { DataError } from './errors.ts';
import { quoted, shapeText, type Tensor, type TensorData, type Tensors } from './formats/tensor.ts';
import type { LoadOptions, LoadReport } from './loading.ts';
import type { TrainingSnapshot } from './snapshot.ts';
import type { ModelDescription, RealArray } from './types.ts';

/** The weights of a trainer or of a predictor. */
export interface WeightsDescription extends Pick<ModelDescription, 'name' | 'dtype'> {
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Those with a shape are the model's own (running statistics). */
  readonly states: readonly { readonly name: string; readonly shape?: readonly number[] }[];
  /** Of a predictor: parameters of the model that it has no use for. */
  readonly unread?: readonly string[];
}

/** What saving weights needs of a trainer or a predictor. */
export interface WeightsSource {
  readonly description: WeightsDescription;
  getWeights(): Record<string, RealArray>;
  getState(): Record<string, RealArray>;
}

/** What loading them needs. */
export interface WeightsHolder extends WeightsSource {
  setWeights(weights: Readonly<Record<string, ArrayLike<number>>>): void;
  setState(states: Readonly<Record<string, ArrayLike<number>>>): void;
}

interface Place {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: 'parameter' | 'state';
}

/** Parameters, and the states that belong to the model (running statistics); those of optimizers are training's. */
function placesOf({ parameters, states }: WeightsDescription): Place[] {
  return [
    ...parameters.map(({ name, shape }): Place => ({ name, shape, kind: 'parameter' })),
    ...states.flatMap(({ name, shape }): Place[] =>
      shape === undefined ? [] : [{ name, shape, kind: 'state' }],
    ),
  ];
}

/** The names of the tensors that a file of weights holds. */
export function weightNames(description: WeightsDescription): string[] {
  return placesOf(description).map(({ name }) => name);
}

/**
 * Copies of the parameters and of the model's running statistics.
 * @throws DataError where one is not finite: no loader would take it
 */
export function getTensors(trainer: WeightsSource): Tensors {
  const values = { parameter: trainer.getWeights(), state: trainer.getState() };
  const entries = placesOf(trainer.description).map(({ name, shape, kind }): [string, Tensor] => [
    name,
    { shape, data: values[kind][name]! },
  ]);
  return checked(Object.fromEntries(entries));
}

/** @throws DataError where a number is not finite */
export function checked(tensors: Tensors): Tensors {
  for (const [name, { data }] of Object.entries(tensors)) checkFinite(`tensor ${quoted(name)}`, data, data);
  return tensors;
}

/** The same out of a training, which may be that of a similar model: all of its parameters, and the states named as here. */
export function tensorsIn({ arrays }: TrainingSnapshot, description: WeightsDescription): Tensors {
  const names = new Set(weightNames(description));
  const entries = Object.entries(arrays).flatMap(([key, tensor]): [string, Tensor][] => {
    const [, group, name] = /^(weights|state)\/(.*)$/s.exec(key) ?? [];
    if (name === undefined || (group === 'state' && !names.has(name))) return [];
    return [[name, tensor]];
  });
  return Object.fromEntries(entries);
}

/**
 * Sets parameters and running statistics from tensors of the same names and shapes. Numbers are rounded to the model's
 * type; axes are never swapped.
 * @param source what the tensors are of, for messages
 * @throws DataError before anything is changed: every tensor that is missing, unexpected or of another shape is named
 */
export function setTensors(
  trainer: WeightsHolder,
  tensors: Tensors,
  options: LoadOptions = {},
  source = 'the file',
): LoadReport {
  const { description } = trainer;
  const places = placesOf(description);
  const known = new Set(places.map(({ name }) => name));
  const { targets, unexpected } = assign(tensors, known, new Set(description.unread), options, source);
  const loaded = places.filter(({ name }) => targets.has(name));
  const missing = places.filter(({ name }) => !targets.has(name));

  const problems = loaded.flatMap(({ name, shape }) => {
    const from = targets.get(name)!;
    const found = tensors[from]!.shape;
    if (found.length === shape.length && found.every((size, axis) => size === shape[axis])) return [];
    const own = from === name ? '' : `, for ${quoted(name)}`;
    return `${quoted(from)} has shape ${shapeText(found)}${own}, expected ${shapeText(shape)}`;
  });
  if (options.partial !== true) {
    problems.push(...missing.map(({ name, shape }) => `${quoted(name)} ${shapeText(shape)} is missing`));
    for (const name of unexpected)
      problems.push(`${quoted(name)} ${shapeText(tensors[name]!.shape)} has no place in the model`);
  } else if (loaded.length === 0) {
    problems.push(
      `no tensor has the name of a parameter; the model's are ${listed(places.map(({ name }) => quoted(name)))}`,
    );
  }
  if (problems.length > 0)
    throw new DataError(`${source} does not fit model ${description.name}: ${listed(problems)}`);

  const values: Record<Place['kind'], Record<string, TensorData>> = { parameter: {}, state: {} };
  for (const { name, kind } of loaded) {
    const from = targets.get(name)!;
    const { data } = tensors[from]!;
    const rounded =
      description.dtype === 'f32' && data instanceof Float64Array ? new Float32Array(data) : data;
    checkFinite(`${source}: tensor ${quoted(from)}`, data, rounded);
    values[kind][name] = rounded;
  }
  trainer.setWeights(values.parameter);
  trainer.setState(values.state);
  return { loaded: loaded.map(({ name }) => name), missing: missing.map(({ name }) => name), unexpected };
}

/** Which tensor goes to which place of the model. */
function assign(
  tensors: Tensors,
  known: ReadonlySet<string>,
  unread: ReadonlySet<string>,
  { map = {} }: LoadOptions,
  source: string,
): { readonly targets: ReadonlyMap<string, string>; readonly unexpected: string[] } {
  if (typeof map !== 'function') {
    const stray = Object.keys(map).find((name) => !Object.hasOwn(tensors, name));
    if (stray !== undefined)
      throw new DataError(`${source} has no tensor ${quoted(stray)}, which the map names`);
  }
  const targets = new Map<string, string>();
  const unexpected: string[] = [];
  for (const name of Object.keys(tensors)) {
    const target = typeof map === 'function' ? map(name) : Object.hasOwn(map, name) ? map[name]! : name;
    if (target === undefined || unread.has(target)) continue;
    if (!known.has(target)) {
      unexpected.push(name);
      continue;
    }
    const other = targets.get(target);
    if (other !== undefined)
      throw new DataError(
        `${source}: tensors ${quoted(other)} and ${quoted(name)} are both for ${quoted(target)}`,
      );
    targets.set(target, name);
  }
  return { targets, unexpected };
}

function checkFinite(what: string, given: TensorData, rounded: TensorData): void {
  const i = rounded.findIndex((value) => !Number.isFinite(value));
  if (i < 0) return;
  const beyond = Number.isFinite(given[i]) ? ', beyond float32,' : '';
  throw new DataError(`${what} is ${given[i]}${beyond} at element ${i}`);
}

function listed(items: readonly string[]): string {
  const shown = items.slice(0, 10).join('; ');
  return items.length > 10 ? `${shown}; and ${items.length - 10} more` : shown;
}
