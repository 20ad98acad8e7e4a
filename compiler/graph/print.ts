/**
 * Programs in the language. What is printed parses and elaborates back to a program of the same values. A scatter is an
 * update,
 *
 *     dE[tokens[n, t]: 96, d] += dh[n, t, d] for n, t, d        // and *=, max=, min=, logsumexp= for the other ⊕
 *
 * where every element that is not met is the neutral element of ⊕. All sizes are numbers; an index whose extent no axis
 * shows has it written out, on the left (`y[n, k: 10] = b[n]`) or where it is bound (`sum[u: 3](...)`). A recurrence is a `scan` block.
 */
import {
  accumulated,
  constant,
  children,
  extentsOf,
  freshName,
  isPlainIndex,
  isScatter,
  postorder,
  reducedIndices,
  replaceAccumulated,
  tensorsReadBy,
  visitAtoms,
  withoutPrimes,
} from './expressions.ts';
import { printExpression, printIndex, printNumber } from './print-expression.ts';
import type { PrintOptions } from './print-expression.ts';
import { ownFunctionLines } from './print-surgery.ts';
import { nextValues } from './results.ts';
import { scanUnits, withScanIndex } from './scan.ts';
import { renameProgram } from './variants.ts';
import type {
  Combine,
  Expression,
  Extent,
  IndexExpression,
  Initializer,
  LoopIndex,
  Program,
  Statement,
  Tensor,
} from './types.ts';

export { printExpression, printIndex, printNumber } from './print-expression.ts';
export type { PrintOptions } from './print-expression.ts';

/** ⊕ as the language calls it, and as an update of a scatter. */
export const reductionNames: Readonly<Record<Combine, { readonly call: string; readonly update: string }>> = {
  assign: { call: '', update: '=' },
  sum: { call: 'sum', update: '+=' },
  product: { call: 'prod', update: '*=' },
  max: { call: 'max', update: 'max=' },
  min: { call: 'min', update: 'min=' },
  logsumexp: { call: 'logsumexp', update: 'logsumexp=' },
  argmax: { call: 'argmax', update: 'argmax=' },
  argmin: { call: 'argmin', update: 'argmin=' },
};

// ---------------------------------------------------------------------------------------------------------- statements

/** What a reader of the text knows of the tensors in a statement. */
interface Known extends Pick<Program, 'tensors'> {
  /** Those whose sizes follow only from the text itself: the tensors of a recurrence. */
  readonly unknown?: ReadonlySet<string>;
}

/**
 * One statement on one line: `h[n, j] = relu(sum[i](x[n, i] * W1[i, j]) + b1[j])`. With the program, extents that no
 * axis shows are written out; without, none are.
 */
export function printStatement(
  statement: Statement,
  program?: Known,
  options: Omit<PrintOptions, 'accumulated' | 'bound'> = {},
): string {
  const whole = options.whole ?? false;
  const shown = program === undefined ? undefined : shownIndices(statement, program);
  const bind = (index: LoopIndex): string =>
    shown === undefined || shown.has(index.name) ? index.name : `${index.name}: ${index.extent}`;
  const bound = new Set(statement.indices.map((index) => index.name));
  const print = (expression: Expression, more: PrintOptions = {}) =>
    printExpression(expression, { ...options, bound, ...more });

  if (!isPlainWrite(statement, program)) {
    const axes = program?.tensors.get(statement.target)?.axes ?? [];
    const place = statement.write
      .map((index, axis) => {
        const text = printIndex(index);
        return hasOwnExtent(index, axes[axis], statement) ? `${text}: ${axes[axis]}` : text;
      })
      .join(', ');
    const loops = statement.indices.length === 0 ? '' : ` for ${statement.indices.map(bind).join(', ')}`;
    const { update } = reductionNames[statement.combine];
    return `${statement.target}[${place}] ${update} ${print(statement.body)}${loops}`;
  }
  const loops = new Map(statement.indices.map((index) => [index.name, index]));
  const written = statement.write.flatMap((index) => loops.get(isPlainIndex(index) ?? '') ?? []);
  const left = written.length === 0 || whole ? '' : `[${written.map(bind).join(', ')}]`;
  return `${statement.target}${left} = ${printRight(statement, print, whole ? undefined : bind)}`;
}

/** Does it write each axis at an index of its own, all along? Then it is a plain assignment, in whatever order. */
function isPlainWrite(statement: Statement, program: Known | undefined): boolean {
  if (!isScatter(statement)) return true;
  const names = statement.write.map(isPlainIndex);
  const axes = program?.tensors.get(statement.target)?.axes ?? [];
  return (
    !names.includes(undefined) &&
    new Set(names).size === names.length &&
    statement.write.every((index, axis) => !hasOwnExtent(index, axes[axis], statement))
  );
}

/** Must the size of a written axis be told, since it is not that of an index alone? */
function hasOwnExtent(index: IndexExpression, extent: Extent | undefined, { indices }: Statement): boolean {
  const name = isPlainIndex(index);
  return extent !== undefined && indices.find((loop) => loop.name === name)?.extent !== extent;
}

/** The finish around the reduction of the body, or whichever of them there is. */
function printRight(
  statement: Statement,
  print: (expression: Expression, more?: PrintOptions) => string,
  bind: ((index: LoopIndex) => string) | undefined,
): string {
  const { combine, body, finish = accumulated } = statement;
  const reduced = reducedIndices(statement);
  if (reduced.length === 0) {
    const isPlace = combine === 'argmax' || combine === 'argmin';
    return print(replaceAccumulated(finish, isPlace ? constant(0) : body));
  }
  const over = bind === undefined ? '' : `[${reduced.map(bind).join(', ')}]`;
  return print(finish, { accumulated: `${reductionNames[combine].call}${over}(${print(body)})` });
}

/**
 * The indices whose extent a reader sees: wherever they stand alone in a fetch or a read without padding, the axis has just
 * that extent; or, if they stand so nowhere, in reads with padding. What a condition decides at compile time may be left
 * out when the text is read, so that nothing in it shows an extent; but it may contradict one.
 */
function shownIndices(statement: Statement, program: Known): Set<string> {
  const extents = extentsOf(statement.indices);
  const plain = new Map<string, boolean>();
  const padded = new Map<string, boolean>();
  let isSure = true;
  const look = (tensor: string, at: readonly IndexExpression[], padding: boolean): void => {
    for (const [axis, index] of at.entries()) {
      const name = isPlainIndex(index);
      if (name === undefined) continue;
      const extent = program.tensors.get(tensor)?.axes[axis];
      if (extent === undefined) continue;
      // of a recurrence's own tensors the reader knows nothing yet, but they may contradict
      if (program.unknown?.has(tensor) && extent === extents.get(name)) continue;
      const fits = extent === extents.get(name);
      const seen = padding ? padded : plain;
      if (isSure || !fits) seen.set(name, fits && (seen.get(name) ?? true));
    }
  };
  const lookInside = (index: IndexExpression): void =>
    visitAtoms(index, (atom) => {
      if (atom.kind === 'fetch') look(atom.tensor, atom.at, false);
    });
  for (const expression of [statement.body, ...(statement.finish ? [statement.finish] : [])]) {
    const reached = reachedNodes(expression);
    for (const node of postorder(expression)) {
      isSure = reached.has(node);
      if (node.kind === 'index_value') lookInside(node.index);
      if (node.kind !== 'read') continue;
      look(node.tensor, node.at, node.outside !== undefined);
      for (const index of node.at) lookInside(index);
    }
  }
  isSure = true;
  for (const index of statement.write) lookInside(index);
  const own = program.tensors.get(statement.target)?.axes ?? [];
  for (const [axis, index] of statement.write.entries()) {
    const name = isPlainIndex(index);
    if (name !== undefined && hasOwnExtent(index, own[axis], statement)) plain.set(name, false);
  }
  const shown = [...padded, ...plain].filter(([name, fits]) => fits && plain.get(name) !== false);
  return new Set(shown.map(([name]) => name));
}

/** The nodes of an expression without the branches of conditionals that are decided at compile time. */
function reachedNodes(root: Expression): Set<Expression> {
  const reached = new Set([root]);
  for (const node of reached) {
    const isDecided = node.kind === 'select' && isKnown(node.condition);
    for (const child of isDecided ? [node.condition] : children(node)) reached.add(child);
  }
  return reached;
}

/** Is it made of nothing but constants? */
function isKnown(expression: Expression): boolean {
  return postorder(expression).every(({ kind }) => ['constant', 'unary', 'binary', 'select'].includes(kind));
}

// ------------------------------------------------------------------------------------------------------------ programs

/** The whole program as a `model`, or, if it is an update, as an `optimizer` or `schedule` block. Ends in a newline. */
export function printProgram(program: Program): string {
  const hasScalars = [...program.tensors.values()].some(({ role }) => role === 'scalar');
  const isUpdate = hasScalars || program.statements.some(({ phase }) => phase === 'update');
  const lines = isUpdate ? updateLines(program) : modelLines(program);
  const indented = lines.slice(1).map((line) => (line === '' ? '' : `  ${line}`));
  return [...ownFunctionLines(program), lines[0], ...indented, '}', ''].join('\n');
}

function modelLines(source: Program): string[] {
  const { program: named, modes } = withNamedModes(source);
  const { program, given: next } = withPlainNext(named);
  const { tensors, statements, outputs, metrics, loss } = program;
  const given = [...tensors.values()].filter(({ role }) => role !== 'intermediate');
  const lines = [`model ${program.name} {`, ...given.map(printDeclaration)];
  const results = new Set([...outputs, ...program.gradients.values()]);
  const marked = new Set<string>();
  let phase = 'declarations';
  for (const unit of scanUnits(statements)) {
    const [statement] = unit;
    if (statement === undefined) continue;
    if (statement.phase !== phase) lines.push('');
    if (statement.phase === 'backward' && phase !== 'backward') lines.push('// the gradient');
    phase = statement.phase;
    if (statement.scan) {
      lines.push(...printScan(unit, program));
      continue;
    }
    const { target } = statement;
    const mark = metrics.includes(target)
      ? 'metric '
      : results.has(target) && target !== 'loss'
        ? 'output '
        : '';
    if (mark !== '') marked.add(target);
    lines.push(mark + printStatement(statement, program, { standalone: true }));
  }
  for (const name of results) if (!marked.has(name)) lines.push(`output ${name}`);
  if (loss !== undefined && loss !== 'loss') lines.push(`loss = ${loss}`);
  lines.push(...next, ...modes);
  const frozen = given.filter((tensor) => tensor.frozen).map((tensor) => tensor.name);
  if (frozen.length > 0) lines.push('', `train { freeze: [${frozen.join(', ')}] }`);
  return lines;
}

/**
 * Loss and metrics of which there are two variants, `loss` and `loss_inference`: their statements are called
 * `loss_training` and `loss_inference`, and lines at the end choose: `loss = training ? loss_training : loss_inference`.
 */
function withNamedModes(program: Program): { readonly program: Program; readonly modes: readonly string[] } {
  const { evaluation, loss, metrics } = program;
  if (evaluation === undefined) return { program, modes: [] };
  const names = new Map<string, string>();
  const modes: string[] = [];
  const choose = (mark: string, name: string, trained: string, inferred: string): void => {
    const named = trained === name ? freshName(`${name}_training`, program.tensors) : trained;
    if (named !== trained) names.set(trained, named);
    modes.push(`${mark}${name} = training ? ${named} : ${inferred}`);
  };
  if (loss !== undefined && evaluation.loss !== undefined && evaluation.loss !== loss)
    choose('', 'loss', loss, evaluation.loss);
  for (const [place, name] of metrics.entries()) {
    const inferred = evaluation.metrics[place];
    if (inferred !== undefined && inferred !== name) choose('metric ', name, name, inferred);
  }
  const { loss: _loss, ...rest } = program;
  const plain: Program = {
    ...rest,
    ...(loss === undefined || evaluation.loss !== loss ? {} : { loss }),
    metrics: metrics.filter((name, place) => evaluation.metrics[place] === name),
  };
  return { program: renameProgram(plain, names), modes };
}

/**
 * Next values of states that other statements read are called `m_next`, and lines at the end give them to their states:
 * in the language a read of `m'` is, in inference, one of `m`.
 */
function withPlainNext(program: Program): { readonly program: Program; readonly given: readonly string[] } {
  const read = new Set(program.statements.flatMap((statement) => [...tensorsReadBy(statement)]));
  const names = new Map<string, string>();
  const given: string[] = [];
  for (const name of nextValues(program).values()) {
    if (!read.has(name)) continue;
    const plain = freshName(withoutPrimes(name), program.tensors);
    names.set(name, plain);
    given.push(`${name} = ${plain}`);
  }
  return { program: names.size === 0 ? program : renameProgram(program, names), given };
}

/**
 * A group as the block that it is, all its statements with one name for the step. What only an axis of the block's own
 * tensors shows of an extent is written out: a reader of the block learns their axes from it.
 */
function printScan(unit: readonly Statement[], program: Program): string[] {
  const index = unit[0]?.scan?.index ?? '';
  const own = new Set(unit.map(({ target }) => target));
  const statements = unit.map((statement) => {
    // a scatter tells the sizes of its own axes
    const unknown = new Set([...own].filter((name) => !isScatter(statement) || name !== statement.target));
    return printStatement(withScanIndex(statement, index), { ...program, unknown }, { standalone: true });
  });
  return [`${scanHeader(unit)} {`, ...statements.map((line) => `  ${line}`), '}'];
}

/** `scan t`, `scan t reversed`; '' for plain statements. */
export function scanHeader([first]: readonly Statement[]): string {
  if (first?.scan === undefined) return '';
  return `scan ${first.scan.index}${first.scan.reversed ? ' reversed' : ''}`;
}

/** What every optimizer block knows without naming it. */
const impliedScalars = new Set(['t', 'step', 'loss']);

function updateLines(program: Program): string[] {
  const tensors = [...program.tensors.values()];
  const scalars = tensors.filter((tensor) => tensor.role === 'scalar' && !impliedScalars.has(tensor.name));
  const states = tensors.filter((tensor) => tensor.role === 'state');
  const keyword = program.tensors.has('p') ? 'optimizer' : 'schedule';
  return [
    `${keyword} ${program.name}(${scalars.map((tensor) => tensor.name).join(', ')}) {`,
    ...states.map(
      (tensor) => `state ${tensor.name}${tensor.axes.length === 0 ? '[]' : ''} ~ ${printInitializer(tensor)}`,
    ),
    ...program.statements.map((statement) =>
      printStatement(statement, program, { standalone: true, whole: true }),
    ),
  ];
}

/** `input label[n]: 10`, `param W[784, 128] ~ uniform(-0.1, 0.1)`, `random u[n, 8] ~ bernoulli(0.5)`. */
function printDeclaration(tensor: Tensor): string {
  const axes = tensor.axes.length === 0 ? '' : `[${tensor.axes.join(', ')}]`;
  if (tensor.role === 'parameter') return `param ${tensor.name}${axes} ~ ${printInitializer(tensor)}`;
  if (tensor.role === 'state') return `state ${tensor.name}${axes} ~ ${printInitializer(tensor)}`;
  if (tensor.role === 'random') return `random ${tensor.name}${axes} ~ ${printDistribution(tensor)}`;
  const { range } = tensor;
  const fallback = tensor.default === undefined ? '' : ` = ${printNumber(tensor.default)}`;
  if (range === undefined) return `input ${tensor.name}${axes}${fallback}`;
  const values = range.least === 0 ? `${range.greatest + 1}` : `${range.least} .. ${range.greatest}`;
  return `input ${tensor.name}${axes}: ${values}${fallback}`;
}

/** `bernoulli(0.9)` */
export function printDistribution({ distribution }: Tensor): string {
  switch (distribution?.kind) {
    case 'uniform':
      return `uniform(${printNumber(distribution.low)}, ${printNumber(distribution.high)})`;
    case 'normal':
      return `normal(${printNumber(distribution.mean)}, ${printNumber(distribution.deviation)})`;
    case 'bernoulli':
      return `bernoulli(${printNumber(distribution.probability)})`;
    default:
      return '';
  }
}

function printInitializer({ initializer, axes }: Tensor): string {
  if (initializer === undefined) return 'zeros';
  switch (initializer.kind) {
    case 'constant': {
      if (initializer.value === 0) return 'zeros';
      return initializer.value === 1 ? 'ones' : `constant(${printNumber(initializer.value)})`;
    }
    case 'uniform':
      return `uniform(${printNumber(initializer.low)}, ${printNumber(initializer.high)})`;
    case 'normal':
      return `normal(${printNumber(initializer.mean)}, ${printNumber(initializer.deviation)})`;
    case 'orthogonal':
      return `orthogonal(${printNumber(initializer.gain)})`;
    case 'values':
      return printValues(initializer, axes);
  }
}

/** Explicit first values as lists in lists. */
function printValues({ values }: Extract<Initializer, { kind: 'values' }>, axes: readonly Extent[]): string {
  let items = values.map(printNumber);
  for (const extent of axes.toReversed()) {
    const size = Math.max(1, Number(extent));
    const count = Math.ceil(items.length / size);
    items = Array.from(
      { length: count },
      (_, row) => `[${items.slice(row * size, (row + 1) * size).join(', ')}]`,
    );
  }
  return items[0] ?? '[]';
}
