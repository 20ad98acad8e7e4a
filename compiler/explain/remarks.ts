/** @file What is worth pointing at in a gradient as it came out: the identities of the textbooks. */
import { isPlainIndex, postorder, reads } from '../graph/expressions.ts';
import type { Binary, Expression, Program, Statement } from '../graph/types.ts';
import { formOf, formOfExpression, type Form } from './forms.ts';

/** Where softmax or sigmoid and their loss met: `(p - onehot) / n`. */
export function remarksOn(gradient: Statement, program: Program): string[] {
  const remarks = new Set<string>();
  const roots = gradient.finish === undefined ? [gradient.body] : [gradient.body, gradient.finish];
  for (const node of roots.flatMap((root) => postorder(root))) {
    if (node.kind !== 'binary' || node.operator !== 'subtract') continue;
    const predicted = predictionOf(node.left, program);
    if (predicted === undefined || !isCotangentOf(gradient.target, predicted.source)) continue;
    const remark = meeting(predicted, node);
    if (remark !== undefined) remarks.add(`${remark}${dividedBy(roots)}`);
  }
  return [...remarks];
}

interface Prediction {
  readonly form: Form;
  /** What it is made of: the logits. */
  readonly source: string;
  /** What it is called; absent where it has no name. */
  readonly name?: string;
}

/** A softmax or a sigmoid: read where it is kept, or spelled out. */
function predictionOf(value: Expression, program: Program): Prediction | undefined {
  const definition =
    value.kind === 'read' ? program.statements.find(({ target }) => target === value.tensor) : undefined;
  const body = definition === undefined ? value : definition.body;
  const form = definition === undefined ? formOfExpression(value, program) : formOf(definition, program);
  const [source] = reads(body);
  if (source === undefined) return undefined;
  return { form, source: source.tensor, ...(definition === undefined ? {} : { name: definition.target }) };
}

function isCotangentOf(name: string, tensor: string): boolean {
  return name.replace(/_\d+$/, '') === `d${tensor}`;
}

function meeting({ form, source, name }: Prediction, difference: Binary): string | undefined {
  if (form === 'softmax' && isOneHot(difference.right))
    return (
      `Softmax and cross-entropy cancel. The loss of a row is the log-sum-exp of \`${source}\` minus the value at the label. ` +
      `The derivative of the log-sum-exp is the softmax ${name === undefined ? 'p' : `\`${name}\``}, that of the value at the label is the one-hot row of the label ` +
      `(1 there, else 0). So what comes back is **${name ?? 'p'} − onehot**: what was predicted minus what was right.`
    );
  if (form === 'sigmoid') {
    const a = name === undefined ? 'a' : `\`${name}\``;
    return (
      `Sigmoid and cross-entropy cancel. The sigmoid would multiply by ${a} (1 − ${a}), the loss divides by the same: ` +
      `what is left is **the prediction minus the target**. Where the sigmoid is flat the gradient is not, which is why this loss goes with it.`
    );
  }
  return undefined;
}

function isOneHot(expression: Expression): boolean {
  return (
    expression.kind === 'binary' &&
    expression.operator === 'equal' &&
    [expression.left, expression.right].some(
      (side) => side.kind === 'index_value' && isPlainIndex(side.index) !== undefined,
    )
  );
}

function dividedBy(roots: readonly Expression[]): string {
  const mean = roots
    .flatMap((root) => postorder(root))
    .find(
      (node) => node.kind === 'binary' && node.operator === 'divide' && node.right.kind === 'extent_value',
    );
  return mean?.kind === 'binary' && mean.right.kind === 'extent_value'
    ? ` The division by |${mean.right.extent}| comes from the mean over the rows.`
    : '';
}
