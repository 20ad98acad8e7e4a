/**
 * Losses that do not fit what they are given. W708: a squared error of a softmax or sigmoid, whose gradient has the slope of
 * that function as a factor, which is nearly 0 where the prediction is sure and wrong (Nielsen 2015, "Neural Networks and
 * Deep Learning", chapter 3). W709: probabilities in the place of scores, so that a softmax is taken twice.
 */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import { reads } from '../graph/expressions.ts';
import type { Expression, Program, Read, Statement } from '../graph/types.ts';
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
    const scores = statement.combine === 'logsumexp' ? statement.body : undefined;
    const already = scores?.kind === 'read' && squashed.kindOf(scores) === 'softmax' ? scores : undefined;
    if (already !== undefined && squashed.isOver(already, statement))
      warnOfTwice('softmax', already.tensor, statement, diagnostics);
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

function warnOfTwice(kind: Kind, tensor: string, { origin }: Statement, diagnostics: Diagnostics): void {
  const message = `\`${tensor}\` is a ${kind} already, and here a ${kind} is taken of it again`;
  const hint = {
    softmax: '`cross_entropy` and `softmax` take scores: give what stands before the first softmax',
    sigmoid: '`bce_logits` takes scores: give what stands before the sigmoid, or use `binary_cross_entropy`',
  }[kind];
  reportAt(origin, undefined, 'W709', message, hint, diagnostics);
}

/** u of u^2. */
function squareOf(part: Expression): Expression | undefined {
  if (part.kind !== 'binary' || part.operator !== 'power') return undefined;
  return part.right.kind === 'constant' && part.right.value === 2 ? part.left : undefined;
}

class Squashed {
  private readonly statements: ReadonlyMap<string, Statement>;

  constructor(statements: ReadonlyMap<string, Statement>) {
    this.statements = statements;
  }

  /** What a value is by its formula, under whatever name. */
  kindOf(node: Expression): Kind | undefined {
    const seen = new Set<string>();
    for (let at = node; ;) {
      if (at.kind === 'unary' && at.operator === 'sigmoid') return 'sigmoid';
      if (softmaxOf(at, this.statements) !== undefined) return 'softmax';
      const statement = at.kind === 'read' ? this.statements.get(at.tensor) : undefined;
      if (statement?.combine !== 'assign' || statement.finish !== undefined || seen.has(statement.target))
        return undefined;
      seen.add(statement.target);
      at = statement.body;
    }
  }

  /** Of a difference of a squashed value and data. */
  against(difference: Expression, { tensors }: Program, paths: GradientPaths): Kind | undefined {
    if (difference.kind !== 'binary' || difference.operator !== 'subtract') return undefined;
    for (const [own, other] of [
      [difference.left, difference.right],
      [difference.right, difference.left],
    ] as const) {
      const kind = paths.varies(own) ? this.kindOf(own) : undefined;
      const isData = reads(other).some(({ tensor }) => tensors.get(tensor)?.role === 'input');
      if (kind !== undefined && isData && !paths.varies(other)) return kind;
    }
    return undefined;
  }

  /** The tensor p of softplus(p), softplus(-p) or sigmoid(p), p a sigmoid. */
  again(part: Expression): string | undefined {
    if (part.kind !== 'unary' || part.operator !== 'softplus') return undefined;
    const inner =
      part.operand.kind === 'unary' && part.operand.operator === 'negate'
        ? part.operand.operand
        : part.operand;
    return inner.kind === 'read' && this.kindOf(inner) === 'sigmoid' ? inner.tensor : undefined;
  }

  /** The second sum runs over the axis that the first one made a distribution of. */
  isOver(probabilities: Read, second: Statement): boolean {
    const first = this.statements.get(probabilities.tensor);
    const sum = first && softmaxOf(first.body, this.statements)?.sum;
    if (first === undefined || sum === undefined) return true;
    return first.indices.length - sum.write.length === second.indices.length - second.write.length;
  }
}
