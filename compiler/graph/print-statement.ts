/** @file One statement on one line: `h[n, j] = relu(sum[i](x[n, i] * W1[i, j]) + b1[j])`. */
import {
  accumulated,
  children,
  constant,
  divide,
  extentsOf,
  isPlainIndex,
  isScatter,
  postorder,
  reducedIndices,
  replaceAccumulated,
  visitAtoms,
} from './expressions.ts';
import { asNested, isCountOf, isMean, occurrencesOf } from './nested.ts';
import { printExpression, printIndex } from './print-expression.ts';
import type { PrintOptions } from './print-expression.ts';
import type { Combine, Expression, Extent, IndexExpression, LoopIndex, Program, Statement } from './types.ts';

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

/** What a reader of the text knows of the tensors in a statement. */
interface Known extends Pick<Program, 'tensors'> {
  /** Those whose sizes follow only from the text itself: the tensors of a recurrence. */
  readonly unknown?: ReadonlySet<string>;
  /** Reductions that are printed inside of the statement that reads them (nested.ts). */
  readonly nested?: ReadonlyMap<string, Statement>;
}

type StatementOptions = Omit<PrintOptions, 'accumulated' | 'bound' | 'own'>;

/**
 * One statement on one line: `h[n, j] = relu(sum[i](x[n, i] * W1[i, j]) + b1[j])`. With the program, extents that no
 * axis shows are written out; without, none are.
 */
export function printStatement(
  statement: Statement,
  program?: Known,
  options: StatementOptions = {},
): string {
  const whole = options.whole ?? false;
  const bind = binderOf(statement, program);
  const names = new Set(statement.indices.map(({ name }) => name));
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
    const body = printExpression(statement.body, { ...options, ...insideOf(names, program, options) });
    return `${statement.target}[${place}] ${update} ${body}${loops}`;
  }
  const loops = new Map(statement.indices.map((index) => [index.name, index]));
  const written = statement.write.flatMap((index) => loops.get(isPlainIndex(index) ?? '') ?? []);
  const left = written.length === 0 || whole ? '' : `[${written.map(bind).join(', ')}]`;
  return `${statement.target}${left} = ${printRight(statement, names, program, options)}`;
}

/** `i`, or `i: 10` where nothing in the statement shows how far it runs. */
function binderOf(statement: Statement, program: Known | undefined): (index: LoopIndex) => string {
  const shown = program === undefined ? undefined : shownIndices(statement, program);
  return ({ name, extent }) => (shown === undefined || shown.has(name) ? name : `${name}: ${extent}`);
}

/** What is to be known inside of a statement: the names around, and what stands for the reads of reductions. */
function insideOf(
  bound: ReadonlySet<string>,
  program: Known | undefined,
  options: StatementOptions,
): Pick<PrintOptions, 'bound' | 'own'> {
  const { nested } = program ?? {};
  if (program === undefined || nested === undefined || nested.size === 0) return { bound };
  const own = (node: Expression): string | undefined => {
    const isQuotient = node.kind === 'binary' && node.operator === 'divide';
    const source = isQuotient ? node.left : node;
    const part = source.kind === 'read' ? nested.get(source.tensor) : undefined;
    if (source.kind !== 'read' || part === undefined) return undefined;
    const inside = asNested(part, source, bound);
    if (!isQuotient) return printRight(inside, new Set([...bound, ...namesOf(inside)]), program, options);
    const isAverage =
      inside.combine === 'sum' &&
      inside.finish === undefined &&
      isCountOf(node.right, reducedIndices(inside));
    if (!isAverage) return undefined;
    const whole = { ...inside, finish: divide(accumulated, node.right) };
    return printRight(whole, new Set([...bound, ...namesOf(inside)]), program, options);
  };
  return { bound, own };
}

const namesOf = ({ indices }: Statement): string[] => indices.map(({ name }) => name);

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

/** The finish around the reduction of the body, or whichever of them there is; `names` are those of all indices around. */
function printRight(
  statement: Statement,
  names: ReadonlySet<string>,
  program: Known | undefined,
  options: StatementOptions,
): string {
  const { combine, body, finish = accumulated } = statement;
  const inside = insideOf(names, program, options);
  const print = (expression: Expression, more: PrintOptions = {}): string =>
    printExpression(expression, { ...options, ...inside, ...more });
  const reduced = reducedIndices(statement);
  if (reduced.length === 0) {
    const isPlace = combine === 'argmax' || combine === 'argmin';
    return print(replaceAccumulated(finish, isPlace ? constant(0) : body));
  }
  const bind = binderOf(statement, program);
  const over = options.whole ? '' : `[${reduced.map(bind).join(', ')}]`;
  const what = `${over}(${print(body)})`;
  const call = reductionNames[combine].call;
  const isOnce = occurrencesOf(finish, 'accumulated') === 1;
  const own = (node: Expression): string | undefined =>
    combine === 'sum' && isOnce && isMean(node, reduced) ? `mean${what}` : inside.own?.(node);
  return print(finish, { accumulated: `${call}${what}`, own });
}

/**
 * The indices whose extent a reader sees: wherever they stand alone in a fetch or a read without padding, the axis has just
 * that extent; or, if they stand so nowhere, in reads with padding. What a condition decides at compile time may be left
 * out when the text is read, so that nothing in it shows an extent; but it may contradict one.
 */
export function shownIndices(statement: Statement, program: Known): Set<string> {
  const extents = extentsOf(statement.indices);
  const plain = new Map<string, boolean>();
  const padded = new Map<string, boolean>();
  /** Those of which a reader may guess by another statement of the recurrence, against what reads with padding show. */
  const guessed = new Set<string>();
  let isSure = true;
  const look = (tensor: string, at: readonly IndexExpression[], padding: boolean): void => {
    for (const [axis, index] of at.entries()) {
      const name = isPlainIndex(index);
      if (name === undefined) continue;
      const extent = program.tensors.get(tensor)?.axes[axis];
      if (extent === undefined) continue;
      // of a recurrence's own tensors the reader knows nothing yet, but they may contradict
      if (program.unknown?.has(tensor)) guessed.add(name);
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
  const shown = [...padded, ...plain].filter(
    ([name, fits]) => fits && plain.get(name) !== false && (plain.has(name) || !guessed.has(name)),
  );
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
