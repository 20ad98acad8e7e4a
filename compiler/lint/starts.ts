/**
 * W706: weights that begin so large that what they are summed into is flat from the start. With inputs of deviation 1, a sum of
 * `fan` products with weights of deviation s has the deviation s · √fan (LeCun et al. 1998, "Efficient BackProp", 4.6): a
 * glorot_uniform or he_normal weight gives about 1; at 5, four in five of the units of a tanh have a slope below 0.1.
 */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import { postorder, reducedIndices } from '../graph/expressions.ts';
import type { Expression, Initializer, Program, Statement, Tensor } from '../graph/types.ts';
import { GradientPaths } from './gradient-paths.ts';
import { placeOfFirstValues } from './places.ts';

/** Deviations of what goes into a tanh, sigmoid or softmax above which most of it is flat. */
const FLAT = 5;

/** A sum with a weight, and how large it is when training begins. */
interface Start {
  readonly weight: Tensor;
  readonly fan: number;
  readonly deviation: number;
}

export function warnOfStarts(program: Program, diagnostics: Diagnostics): void {
  const paths = new GradientPaths(program);
  const starts = new Map<string, Start>();
  const warned = new Set<string>();
  for (const statement of program.statements) {
    if (!paths.has(statement.target)) continue;
    const start = startOf(statement, program);
    if (start !== undefined) starts.set(statement.target, start);
    const moved = statement.combine === 'assign' ? scaledRead(statement.body, starts) : undefined;
    if (moved !== undefined) starts.set(statement.target, moved);
    for (const { name, operand } of flatFunctions(statement)) {
      const into = scaledRead(operand, starts);
      if (into === undefined || into.deviation < FLAT || warned.has(into.weight.name)) continue;
      warned.add(into.weight.name);
      warn(into, name, statement, program, diagnostics);
    }
  }
}

function warn(
  { weight, fan, deviation }: Start,
  name: string,
  { origin }: Statement,
  program: Program,
  diagnostics: Diagnostics,
): void {
  const [place = origin.span] = origin.calls;
  const { span, notes, write } = placeOfFirstValues(weight, program);
  diagnostics.warning(
    'W706',
    span,
    `\`${weight.name}\` begins so large that ${name} is flat: sums of ${fan} products with it have a deviation of ${Number(deviation.toPrecision(2))}`,
    {
      notes: [{ span: place, message: `${name} is taken of it here` }, ...notes],
      hint: `draw it by the number of its inputs: \`${write('glorot_uniform')}\` or \`${write('lecun_normal')}\``,
    },
  );
}

/** A sum of products of which one factor is a weight with drawn first values. */
function startOf(statement: Statement, { tensors }: Program): Start | undefined {
  if (statement.combine !== 'sum') return undefined;
  const fan = reducedIndices(statement).reduce(
    (product, { extent }) => product * (typeof extent === 'number' ? extent : NaN),
    1,
  );
  const factors = factorsOf(statement.body);
  if (!(fan > 1) || factors.length !== 2 || !factors.every(({ kind }) => kind === 'read')) return undefined;
  const drawn = factors.flatMap((factor) => {
    const tensor = factor.kind === 'read' ? tensors.get(factor.tensor) : undefined;
    if (tensor?.role !== 'parameter' || tensor.frozen === true) return [];
    const deviation = deviationOf(tensor.initializer);
    return deviation === undefined ? [] : [{ weight: tensor, deviation }];
  });
  const [only, other] = drawn;
  if (only === undefined || other !== undefined) return undefined;
  return { weight: only.weight, fan, deviation: only.deviation * Math.sqrt(fan) };
}

function factorsOf(body: Expression): Expression[] {
  return body.kind === 'binary' && body.operator === 'multiply'
    ? [...factorsOf(body.left), ...factorsOf(body.right)]
    : [body];
}

function deviationOf(initializer: Initializer | undefined): number | undefined {
  if (initializer?.kind === 'normal') return initializer.deviation;
  if (initializer?.kind === 'uniform') return (initializer.high - initializer.low) / Math.sqrt(12);
  return undefined;
}

/** What stands in the brackets of the functions that become flat, and of a softmax. */
function flatFunctions({
  body,
  combine,
}: Statement): { readonly name: string; readonly operand: Expression }[] {
  const found = postorder(body).flatMap((node) =>
    node.kind === 'unary' && (node.operator === 'tanh' || node.operator === 'sigmoid')
      ? [{ name: node.operator, operand: node.operand }]
      : [],
  );
  return combine === 'logsumexp' ? [...found, { name: 'softmax', operand: body }] : found;
}

/** One of the sums, with things added to it and times constants; undefined for anything else. */
function scaledRead(node: Expression, starts: ReadonlyMap<string, Start>): Start | undefined {
  if (node.kind === 'read') return starts.get(node.tensor);
  if (node.kind === 'unary') return node.operator === 'negate' ? scaledRead(node.operand, starts) : undefined;
  if (node.kind !== 'binary') return undefined;
  const { operator, left, right } = node;
  const scaled = (start: Start | undefined, factor: number): Start | undefined =>
    start && { ...start, deviation: start.deviation * Math.abs(factor) };
  if (operator === 'multiply' && left.kind === 'constant')
    return scaled(scaledRead(right, starts), left.value);
  if (operator === 'multiply' && right.kind === 'constant')
    return scaled(scaledRead(left, starts), right.value);
  if (operator === 'divide' && right.kind === 'constant')
    return scaled(scaledRead(left, starts), 1 / right.value);
  if (operator !== 'add' && operator !== 'subtract') return undefined;
  const sides = [scaledRead(left, starts), scaledRead(right, starts)].filter((side) => side !== undefined);
  return sides.toSorted((a, b) => b.deviation - a.deviation)[0];
}
