/**
 * Losses that do not fit what they are given. W708: a squared error of a softmax or sigmoid, whose gradient has the slope of
 * that function as a factor, which is nearly 0 where the prediction is sure and wrong (Nielsen 2015, "Neural Networks and
 * Deep Learning", chapter 3). W709: probabilities in the place of scores, so that a softmax is taken twice.
 */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import { Interner, reads, unary } from '../graph/expressions.ts';
import type { Expression, Program, Statement } from '../graph/types.ts';
import { GradientPaths, passingParts } from './gradient-paths.ts';
import { reportAt } from './places.ts';
import { softmaxOf } from './values.ts';

export function warnOfLosses(program: Program, diagnostics: Diagnostics): void {
  const paths = new GradientPaths(program);
  const statements = new Map(program.statements.map((statement) => [statement.target, statement]));
  const squashed = new Squashed(statements);
  for (const statement of program.statements) {
    if (!paths.has(statement.target)) continue;
    for (const { part } of passingParts(statement.body)) {
      const squared = squareOf(part);
      const kind = squared && squashed.against(squared, program, paths);
      if (kind !== undefined) warnOfSquare(kind, statement, diagnostics);
      const twice = squashed.again(part);
      if (twice !== undefined) warnOfTwice('sigmoid', twice, statement, diagnostics);
    }
    if (statement.combine === 'logsumexp' && squashed.isOver(statement))
      warnOfTwice('softmax', statement.body, statement, diagnostics);
  }
}

type Kind = 'softmax' | 'sigmoid';

function warnOfSquare(kind: Kind, { origin }: Statement, diagnostics: Diagnostics): void {
  const hint = {
    softmax: 'use `cross_entropy` of the scores, before the softmax',
    sigmoid: 'use `bce_logits` of the scores, before the sigmoid; for a regression leave the sigmoid out',
  }[kind];
  const message = `a squared error of a ${kind}: its gradient vanishes where the prediction is sure and wrong`;
  reportAt(origin, undefined, 'W708', message, hint, diagnostics);
}

function warnOfTwice(kind: Kind, operand: Expression, { origin }: Statement, diagnostics: Diagnostics): void {
  const message =
    operand.kind === 'read'
      ? `\`${operand.tensor}\` is a ${kind} already, and here a ${kind} is taken of it again`
      : `a ${kind} is taken of what is a ${kind} already`;
  const hint = {
    softmax: '`cross_entropy` and `softmax` take scores: give what stands before the first softmax',
    sigmoid: '`bce_logits` takes scores: give what stands before the sigmoid, or use `binary_cross_entropy`',
  }[kind];
  reportAt(origin, undefined, 'W709', message, hint, diagnostics);
}

/** u of u^2, and of u * u. */
function squareOf(part: Expression): Expression | undefined {
  if (part.kind !== 'binary') return undefined;
  const { operator, left, right } = part;
  if (operator === 'power') return right.kind === 'constant' && right.value === 2 ? left : undefined;
  return operator === 'multiply' && isSame(left, right) ? left : undefined;
}

function isSame(one: Expression, other: Expression): boolean {
  const interner = new Interner();
  return interner.idOf(one) === interner.idOf(other);
}

/** It reads where data say, as p[n, label[n]] does. */
const isPicked = (node: Expression): boolean =>
  reads(node).some(({ at }) => at.some(({ terms }) => terms.some(({ atom }) => atom.kind === 'fetch')));

class Squashed {
  private readonly statements: ReadonlyMap<string, Statement>;

  constructor(statements: ReadonlyMap<string, Statement>) {
    this.statements = statements;
  }

  /** What a value is by its formula, under whatever name. */
  kindOf(node: Expression): Kind | undefined {
    for (const each of this.named(node)) {
      if (each.kind === 'unary' && each.operator === 'sigmoid') return 'sigmoid';
      if (softmaxOf(each, this.statements) !== undefined) return 'softmax';
    }
    return undefined;
  }

  /** A value, what its name stands for, and so on. */
  private named(node: Expression): Expression[] {
    const found = [node];
    const seen = new Set<string>();
    for (let at = node; at.kind === 'read' && !seen.has(at.tensor);) {
      const statement = this.statements.get(at.tensor);
      if (statement?.combine !== 'assign' || statement.finish !== undefined) break;
      seen.add(at.tensor);
      at = statement.body;
      found.push(at);
    }
    return found;
  }

  /** Of a difference of a squashed value and data, or of 1 and the share of the class that data say; it may have a name. */
  against(squared: Expression, { tensors }: Program, paths: GradientPaths): Kind | undefined {
    const difference = this.named(squared).at(-1);
    // the stable form of p[n, label[n]] - 1
    if (difference?.kind === 'unary' && difference.operator === 'expm1' && isPicked(difference))
      return this.kindOf(unary('exp', difference.operand));
    if (difference?.kind !== 'binary' || difference.operator !== 'subtract') return undefined;
    for (const [own, other] of [
      [difference.left, difference.right],
      [difference.right, difference.left],
    ] as const) {
      const kind = paths.varies(own) ? this.kindOf(own) : undefined;
      const isData = reads(other).some(({ tensor }) => tensors.get(tensor)?.role === 'input');
      const isWhole = other.kind === 'constant' && other.value === 1 && this.named(own).some(isPicked);
      if (kind !== undefined && (isData || isWhole) && !paths.varies(other)) return kind;
    }
    return undefined;
  }

  /** The p of softplus(p), softplus(-p) or sigmoid(p), p a sigmoid. */
  again(part: Expression): Expression | undefined {
    if (part.kind !== 'unary' || (part.operator !== 'softplus' && part.operator !== 'sigmoid'))
      return undefined;
    const { operand } = part;
    const inner = operand.kind === 'unary' && operand.operator === 'negate' ? operand.operand : operand;
    return this.kindOf(inner) === 'sigmoid' ? inner : undefined;
  }

  /** The sum of a softmax over the axis that another one made a distribution of. */
  isOver({ body, indices, write }: Statement): boolean {
    const reduced = indices.length - write.length;
    return this.named(body).some((each) => {
      const first = softmaxOf(each, this.statements);
      return first !== undefined && first.scores.at.length - first.sum.write.length === reduced;
    });
  }
}
