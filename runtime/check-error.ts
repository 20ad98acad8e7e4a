/** What a module compiled with `--checks` throws, and how it says it. */
import type { History } from './callback.ts';

/** The greatest magnitude of a value, unless said otherwise. */
export const DEFAULT_LIMIT = 1e12;

/** Read at the beginning of every pass, so that it may be changed between two. */
export interface CheckOptions {
  /** Values and parameters of a greater magnitude are reported; 1e12 by default. Infinity reports only what is infinite or NaN. */
  limit?: number;
}

export type CheckPhase = 'forward' | 'backward' | 'update' | 'evaluate' | 'predict';

/** A value that a statement reads. */
export interface Operand {
  /** `W1[3, 17]` */
  readonly name: string;
  readonly value: number;
}

export interface CheckFinding {
  /** The tensor of the statement: `h`. */
  readonly tensor: string;
  /** The statement as the module shows it: `h[n, j] = log(a[n, j])`. */
  readonly statement: string;
  /** Where in the tensor, by the names of its axes. */
  readonly index: Readonly<Record<string, number>>;
  readonly value: number;
  /**
   * What it was made of there. Of a sum the factors of one term: the first that is not a number, or else the largest; where
   * something is done to the sum in the same statement, the sum is the first of them, called `sum`.
   */
  readonly operands: readonly Operand[];
  /** `model.dsl:12:3` */
  readonly place: string;
  /** Of the optimizer, from 1; of `evaluate` and `predict` the next one. */
  readonly step: number;
  readonly phase: CheckPhase;
}

/** A value that is not finite, or larger than the limit. Parameters and states are as they were before the step. */
export class CheckError extends Error implements CheckFinding {
  override readonly name = 'CheckError';
  readonly tensor: string;
  readonly statement: string;
  readonly index: Readonly<Record<string, number>>;
  readonly value: number;
  readonly operands: readonly Operand[];
  readonly place: string;
  readonly step: number;
  readonly phase: CheckPhase;
  /** Where `fit` was under way: of the epochs that were finished. */
  history: History | undefined = undefined;

  constructor(finding: CheckFinding, limit: number) {
    super(checkMessage(finding, limit));
    this.tensor = finding.tensor;
    this.statement = finding.statement;
    this.index = finding.index;
    this.value = finding.value;
    this.operands = finding.operands;
    this.place = finding.place;
    this.step = finding.step;
    this.phase = finding.phase;
  }
}

/** A longer formula is cut in a message; `statement` has all of it. */
const LONGEST_FORMULA = 160;

/** `h[n = 3, j = 17] = log(a[3, 17]) is NaN at model.dsl:12:3; a[3, 17] = -0.02; in step 41, forward` */
function checkMessage(finding: CheckFinding, limit: number): string {
  const { tensor, statement, index, value, operands, place, step, phase } = finding;
  const formula = formulaAt(statement.slice(statement.indexOf(' = ') + 3), index);
  const shown = formula.length > LONGEST_FORMULA ? `${formula.slice(0, LONGEST_FORMULA)}…` : formula;
  const named = Object.entries(index).map(([name, at]) => `${name} = ${at}`);
  const where = named.length === 0 ? '' : `[${named.join(', ')}]`;
  const what = Number.isFinite(value) ? `${checkNumber(value)}, beyond the limit of ${limit}` : String(value);
  const parts = [
    `${tensor}${where} = ${shown} is ${what} at ${place}`,
    ...(operands.length === 0
      ? []
      : [operands.map((operand) => `${operand.name} = ${checkNumber(operand.value)}`).join(', ')]),
    phase === 'evaluate' || phase === 'predict' ? `in ${phase}` : `in step ${step}, ${phase}`,
  ];
  return parts.join('; ');
}

const checkNumber = (value: number): string => String(Number(value.toPrecision(7)));

/** The formula with numbers for the indices, inside of brackets: `a[3, 17]` for `a[n, j]`. */
function formulaAt(formula: string, index: Readonly<Record<string, number>>): string {
  let depth = 0;
  return formula.replaceAll(/[[\]]|[A-Za-z_]\w*(?!\w*[[(])/g, (word) => {
    if (word === '[') depth++;
    if (word === ']') depth--;
    return depth > 0 && Object.hasOwn(index, word) ? String(index[word]) : word;
  });
}
