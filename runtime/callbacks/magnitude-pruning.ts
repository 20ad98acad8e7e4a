/** Takes away the smallest weights in the course of training, and keeps them away (Zhu & Gupta 2017, arXiv:1710.01878). */
import type { BatchReport, Callback, CallbackState, FitContext, Learner } from '../callback.ts';
import { checkOptionNames, DataError, type OptionNames } from '../errors.ts';
import { namesMatching, type NamePattern } from '../pattern.ts';
import type { ParameterDescription, RealArray } from '../types.ts';
import { numberFrom } from './monitor.ts';

export interface MagnitudePruningOptions {
  /** The share of weights that is 0 at the end: from 0 to less than 1. */
  readonly sparsity: number;
  /** The share when pruning begins; 0 by default. */
  readonly initialSparsity?: number;
  /** The step of the optimizer at which pruning begins; 0 by default: after the first step. */
  readonly begin?: number;
  /** The step at which the final share is reached; `begin` by default, which is all at once. */
  readonly end?: number;
  /** Steps from one choice of weights to the next; 100 by default. */
  readonly every?: number;
  /** The parameters that are pruned; by default all that are trained and have two axes or more, so no biases. */
  readonly parameters?: NamePattern;
  /** `parameter`: the share holds in each parameter; `global`: in all of them together, wherever the smallest are. */
  readonly scope?: 'parameter' | 'global';
}

const OPTIONS: OptionNames<MagnitudePruningOptions> = {
  sparsity: true,
  initialSparsity: true,
  begin: true,
  end: true,
  every: true,
  parameters: true,
  scope: true,
};

/**
 * At step t, from `begin` to `end` every so many steps, the share
 *
 *     s(t) = s₁ + (s₀ - s₁) (1 - (t - begin) / (end - begin))³
 *
 * of smallest absolute values becomes 0. What is 0 is put back to 0 after every step of the optimizer.
 */
export class MagnitudePruning implements Callback {
  readonly name = 'MagnitudePruning';
  private readonly options: Required<Omit<MagnitudePruningOptions, 'parameters'>>;
  private readonly pattern: NamePattern | undefined;
  private pruned: readonly ParameterDescription[] = [];
  /** 1 where a weight is kept. */
  private masks: Record<string, RealArray> = {};

  constructor(options: MagnitudePruningOptions) {
    checkOptionNames(this.name, OPTIONS, options);
    const { sparsity, initialSparsity = 0, scope = 'parameter', parameters } = options;
    const begin = numberFrom('begin', options.begin ?? 0, 0, true);
    const end = numberFrom('end', options.end ?? begin, begin, true);
    const every = numberFrom('every', options.every ?? 100, 1, true);
    for (const [name, share] of Object.entries({ sparsity, initialSparsity }))
      if (!(share >= 0 && share < 1))
        throw new DataError(`${name} must be a share from 0 to less than 1, found ${String(share)}`);
    if (initialSparsity > sparsity)
      throw new DataError(`initialSparsity ${initialSparsity} is more than sparsity ${sparsity}`);
    if (scope !== 'parameter' && scope !== 'global')
      throw new DataError(`scope must be parameter or global, found ${String(scope)}`);
    this.options = { sparsity, initialSparsity, begin, end, every, scope };
    this.pattern = parameters;
  }

  /** The share of pruned parameters that is 0 after so many steps of the optimizer. */
  sparsityAt(step: number): number {
    const { sparsity, initialSparsity, begin, end } = this.options;
    if (step < begin) return 0;
    if (step >= end) return sparsity;
    return sparsity + (initialSparsity - sparsity) * (1 - (step - begin) / (end - begin)) ** 3;
  }

  onTrainBegin({ trainer, resumed }: FitContext): void {
    const trained = trainer.description.parameters.filter(({ frozen }) => !frozen);
    const names = trained.map(({ name }) => name);
    const meant = new Set(this.pattern === undefined ? names : namesMatching(this.pattern, names));
    this.pruned = trained.filter(
      ({ name, shape }) => meant.has(name) && (this.pattern !== undefined || shape.length > 1),
    );
    if (this.pruned.length === 0)
      throw new DataError('MagnitudePruning finds no parameter to prune: name some in `parameters`');
    if (!resumed) this.masks = {};
    if (this.hasChosen) this.requireMasks();
  }

  /** What is to be masked from now on has a mask of its size. @throws DataError */
  private requireMasks(): void {
    const [masked, pruned] = [Object.keys(this.masks), this.pruned.map(({ name }) => name)];
    if (masked.toSorted().join() !== pruned.toSorted().join())
      throw new DataError(
        `to resume, MagnitudePruning must prune what it did: it was ${masked.join(', ')} and is ${pruned.join(', ')}`,
      );
    for (const { name, size } of this.pruned)
      if (this.masks[name]!.length !== size)
        throw new DataError(
          `the mask of '${name}' must have ${size} values, found ${this.masks[name]!.length}`,
        );
  }

  onBatchEnd(_report: BatchReport, { trainer }: FitContext): void {
    const { begin, end, every } = this.options;
    const { step } = trainer;
    if (step < begin) return;
    const weights = this.maskedWeights(trainer);
    const isChoice = step <= end && (step - begin) % every === 0;
    // the end counts though it is no whole number of intervals away, and a training that begins later catches up
    if (isChoice || step === end || !this.hasChosen) this.choose(weights, step);
    this.mask(weights);
    trainer.setWeights(weights);
  }

  /** Weights that another callback has put back (those of the best epoch) are pruned too. */
  onTrainEnd(_outcome: unknown, { trainer }: FitContext): void {
    if (this.hasChosen) trainer.setWeights(this.maskedWeights(trainer));
  }

  getState(): CallbackState {
    return this.masks;
  }

  setState(state: CallbackState): void {
    const masks: Record<string, RealArray> = {};
    for (const [name, mask] of Object.entries(state)) {
      if (typeof mask === 'number' || !mask.every((kept) => kept === 0 || kept === 1))
        throw new DataError(
          `the state of MagnitudePruning has no mask of 0 and 1 in '${name}': it is not its own`,
        );
      masks[name] = mask;
    }
    this.masks = masks;
  }

  private get hasChosen(): boolean {
    return Object.keys(this.masks).length > 0;
  }

  private maskedWeights(trainer: Learner): Record<string, RealArray> {
    const all = trainer.getWeights();
    const weights = Object.fromEntries(this.pruned.map(({ name }) => [name, all[name]!]));
    this.mask(weights);
    return weights;
  }

  private mask(weights: Readonly<Record<string, RealArray>>): void {
    for (const [name, mask] of Object.entries(this.masks)) {
      const values = weights[name];
      if (values !== undefined) for (let i = 0; i < values.length; i++) if (mask[i] === 0) values[i] = 0;
    }
  }

  private choose(weights: Readonly<Record<string, RealArray>>, step: number): void {
    const share = this.sparsityAt(step);
    const names = Object.keys(weights);
    const together = this.options.scope === 'global' ? [names] : names.map((name) => [name]);
    const masks: Record<string, RealArray> = {};
    for (const group of together) {
      const values = group.map((name) => weights[name]!);
      const kept = largest(values, share);
      for (const [k, name] of group.entries()) masks[name] = kept[k]!;
    }
    this.masks = masks;
  }
}

/** Masks that leave out the given share of all values, those nearest to 0; of equal ones the first. */
function largest(values: readonly RealArray[], share: number): Float32Array[] {
  const sizes = values.map(({ length }) => length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const magnitudes = new Float64Array(total);
  let from = 0;
  for (const each of values) {
    for (let i = 0; i < each.length; i++) magnitudes[from + i] = Math.abs(each[i]!);
    from += each.length;
  }
  const count = Math.round(share * total);
  const sorted = magnitudes.toSorted();
  const limit = count === 0 ? -1 : sorted[count - 1]!;
  // how many of those that are as large as the limit go, too
  let ties = count;
  for (let i = 0; i < count && sorted[i]! < limit; i++) ties--;
  from = 0;
  return values.map((each) => {
    const mask = new Float32Array(each.length).fill(1);
    for (let i = 0; i < each.length; i++) {
      const magnitude = magnitudes[from + i]!;
      if (magnitude < limit || (magnitude === limit && ties-- > 0)) mask[i] = 0;
    }
    from += each.length;
    return mask;
  });
}
