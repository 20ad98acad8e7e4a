/** @file The backward part of a statement: ∂T/∂A for all that it reads, the chain rule, and the statement that came of it. */
import { trainingOf } from '../calculus/adjoint.ts';
import { reserveCotangents } from '../calculus/sweep.ts';
import { differential, type Term } from '../calculus/differential.ts';
import { TensorTable } from '../calculus/names.ts';
import type { LatexPrinter } from '../emit/latex.ts';
import { indicesIn, isPlainIndex, isScatter, visitAtoms } from '../graph/expressions.ts';
import type { Expression, Program, Statement } from '../graph/types.ts';
import type { Derivative } from './types.ts';
import type { Journeys } from './journeys.ts';

/** What the derivatives of all statements have in common. */
export class Backward {
  /** Tensor -> the name of its cotangent, as the program has it. */
  readonly cotangents = new Map<string, string>();
  private readonly prepared: Program;
  private readonly gradient: Program;
  private readonly table: TensorTable;
  private readonly reserved: ReadonlyMap<string, string>;
  private readonly latex: LatexPrinter;
  private readonly journeys: Journeys;
  /** Statements of the backward pass that pull back through a statement, by its target. */
  private readonly adjointsOf = new Map<string, Statement[]>();

  /** @param prepared what was differentiated  @param gradient what came of it */
  constructor(prepared: Program, gradient: Program, latex: LatexPrinter, journeys: Journeys) {
    this.prepared = prepared;
    this.gradient = gradient;
    this.latex = latex;
    this.journeys = journeys;
    this.table = new TensorTable(prepared.tensors);
    this.reserved =
      prepared.loss === undefined
        ? new Map()
        : reserveCotangents(trainingOf(prepared, prepared.loss), this.table);
    const made = new Set(gradient.statements.map(({ target }) => target));
    for (const [tensor, cotangent] of this.reserved)
      if (made.has(cotangent)) this.cotangents.set(tensor, cotangent);
    for (const statement of gradient.statements) {
      const through = pulledThrough(statement);
      if (through !== undefined)
        this.adjointsOf.set(through, [...(this.adjointsOf.get(through) ?? []), statement]);
    }
  }

  /** The shares of a cotangent: statements of the gradient, first the one of the last reader. */
  sharesOf(tensor: string): readonly Statement[] {
    const cotangent = this.cotangents.get(tensor);
    if (cotangent === undefined) return [];
    return this.gradient.statements.filter(
      ({ target, phase }) => phase === 'backward' && (target === cotangent || isPart(target, cotangent)),
    );
  }

  derivativesOf(target: string): Derivative[] {
    const { prepared, table, reserved } = this;
    const statement = prepared.statements.find((each) => each.target === target);
    const cotangent = this.cotangents.get(target);
    if (statement === undefined || (cotangent === undefined && target !== prepared.loss)) return [];
    const found = differential(statement, {
      tensors: table,
      isActive: (tensor) => reserved.has(tensor),
      phase: 'backward',
    });
    if (found === 'none') return [];
    const used = new Set<Statement>();
    return found.terms.flatMap((term) => {
      const operand = term.read.tensor;
      const name = this.cotangents.get(operand) ?? '';
      const share = (this.adjointsOf.get(target) ?? []).find(
        (each) =>
          !used.has(each) && (each.target === name || isPart(each.target, name)) && !this.isTotal(each),
      );
      if (share === undefined) return [];
      used.add(share);
      return [this.derivative(statement, term, share, cotangent)];
    });
  }

  /** Is it the sum of the shares of a cotangent? */
  isTotal({ target, body }: Statement): boolean {
    const parts = [...this.gradient.tensors.keys()].filter((name) => isPart(name, target));
    return (
      parts.length > 0 &&
      body.kind === 'binary' &&
      body.operator === 'add' &&
      parts.every((part) => this.gradient.statements.some((each) => each.target === part))
    );
  }

  private derivative(
    statement: Statement,
    { read, write, factor, indices }: Term,
    share: Statement,
    cotangent: string | undefined,
  ): Derivative {
    const { latex } = this;
    const whole = latex.element(statement.target, write);
    const part = latex.element(read.tensor, read.at);
    const arrives = cotangent === undefined ? '1' : latex.element(cotangent, write);
    const isOne = factor.kind === 'constant' && factor.value === 1;
    const local = latex.expression(factor);
    const times = isOne ? '' : ` \\cdot ${isLoose(factor) ? `\\left(${local}\\right)` : local}`;
    const all = indices.map(({ name }) => latex.name(name)).join(', ');
    const name = this.cotangents.get(read.tensor) ?? share.target;
    const moved = indices.length === 0 ? '' : ` \\quad \\text{for every } ${all}`;
    return {
      operand: read.tensor,
      local: `\\frac{\\partial ${whole}}{\\partial ${part}} &= ${local}`,
      step: `${latex.element(name, read.at)} &\\mathrel{+}= ${arrives}${times}${moved}`,
      target: share.target,
      isShare: isPart(share.target, name),
      turned: turning(
        share,
        read.at.every((index) => isPlainIndex(index) !== undefined),
      ),
      journey: this.journeys.of(share.target),
    };
  }
}

function turning(share: Statement, isPlain: boolean): string {
  if (isScatter(share)) {
    let fetches = false;
    for (const index of [...share.write, ...indicesIn(share.body)])
      visitAtoms(index, (atom) => (fetches ||= atom.kind === 'fetch'));
    return fetches
      ? 'Where the shares go is known only when it runs, so they are sent there one by one:'
      : 'The shares are sent to their places one by one:';
  }
  return isPlain
    ? 'Written for each element of the operand, all its shares collected:'
    : 'Turned around, so that each element of the operand collects its shares, wherever it was read:';
}

/** The statement whose derivative this is a part of. */
export function pulledThrough({ phase, origin }: Statement): string | undefined {
  if (phase !== 'backward') return undefined;
  return origin.history.flatMap((step) => /^adjoint of (.+)$/.exec(step)?.[1] ?? []).at(-1);
}

/** dA_1 of dA */
export function isPart(name: string, cotangent: string): boolean {
  return name.startsWith(`${cotangent}_`) && /^\d+$/.test(name.slice(cotangent.length + 1));
}

/** True for what would come apart behind a product sign. */
function isLoose(factor: Expression): boolean {
  if (factor.kind === 'constant') return factor.value < 0;
  if (factor.kind === 'select') return true;
  if (factor.kind === 'unary') return factor.operator === 'negate';
  return factor.kind === 'binary' && !['multiply', 'divide', 'power'].includes(factor.operator);
}
