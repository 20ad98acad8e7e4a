/** What the elaboration of training sees of a model. */
import type { Program } from '../graph/types.ts';
import type { Scope } from './scope.ts';

/** Enough to evaluate a constant: initialisers, hyper-parameters. */
export interface ConstantContext {
  readonly scope: Scope;
}

/**
 * The finished forward program (parameters that `freeze` names have `frozen` set already: model/index.ts does that) and the
 * scope of the model: its sizes, and through `scope.lookupCallable` the optimizers and schedules of file and prelude.
 */
export interface ModelContext extends ConstantContext {
  readonly name: string;
  readonly program: Program;
  /** The name of the open dimension. */
  readonly batch?: string;
}
