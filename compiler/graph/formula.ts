/** A statement as lines of mathematics: broken at operators, what a long one repeats named below it. */
import { children, foldExpression, freshName, read, withChildren } from './expressions.ts';
import { Interner } from './interner.ts';
import { printExpression } from './print-expression.ts';
import { printStatement } from './print-statement.ts';
import type { Expression, Program, Statement } from './types.ts';
import { wrapped } from './wrap.ts';

/** In a longer formula, parts that occur more than once get names. */
const MOST_LINES = 6;

/** A shorter part is as good as a name. */
const SHORTEST_PART = 24;

/** A formula of more nodes, written out, is not printed before its parts have names. */
const MOST_NODES = 2000;

export interface Formula {
  readonly lines: readonly string[];
  /** `with s = sigmoid(z[n, o])`: what stands for what in the lines. */
  readonly names: readonly string[];
}

export function formulaOf(statement: Statement, around: Pick<Program, 'tensors'>): Formula {
  const taken = new Set([...around.tensors.keys(), ...statement.indices.map(({ name }) => name)]);
  const parts: { name: string; value: Expression }[] = [];
  const bound = new Set(statement.indices.map(({ name }) => name));
  let current = statement;
  for (;;) {
    const all = [...rootsOf(current), ...parts.map(({ value }) => value)];
    const isHuge = all.some((root) => sizeOf(root) > MOST_NODES);
    const written = (): string[][] => [
      wrapped(printStatement(current, around)),
      ...parts.map(({ name, value }) => wrapped(`with ${name} = ${printExpression(value, { bound })}`)),
    ];
    const texts = isHuge ? [] : written();
    const isLong = isHuge || texts.some((lines) => lines.length > MOST_LINES);
    const found = isLong ? repeated(all) : undefined;
    if (found === undefined) {
      const [lines = [], ...names] = isHuge ? written() : texts;
      return { lines, names: names.flat() };
    }
    const name = freshName('s', taken);
    taken.add(name);
    const replace = (root: Expression): Expression => replaced(root, found, read(name));
    parts.forEach((part) => (part.value = replace(part.value)));
    parts.push({ name, value: found });
    const { body, finish } = current;
    current = {
      ...current,
      body: replace(body),
      ...(finish === undefined ? {} : { finish: replace(finish) }),
    };
  }
}

const rootsOf = ({ body, finish }: Statement): Expression[] =>
  finish === undefined ? [body] : [body, finish];

/** The nodes of an expression that is written out. */
function sizeOf(root: Expression): number {
  return foldExpression<number>(root, (_, sizes) => sizes.reduce((sum, size) => sum + size, 1));
}

/** The part whose name makes the formula shortest; undefined if no part of some length occurs twice. */
function repeated(roots: readonly Expression[]): Expression | undefined {
  const interner = new Interner();
  const counts = new Map<number, number>();
  const lengths = new Map<number, number>();
  const count = (node: Expression): void => {
    const id = interner.idOf(node);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  };
  const met = new Set<number>();
  for (const root of roots) {
    foldExpression<number>(root, (node, operands) => {
      const id = interner.idOf(node);
      // what is combined is printed as the reduction, which is not to be taken apart
      const length =
        node.kind === 'accumulated'
          ? NaN
          : operands.length === 0
            ? printExpression(node).length
            : operands.reduce((sum, each) => sum + each, 3);
      lengths.set(id, length);
      if (!met.has(id)) children(node).forEach(count);
      met.add(id);
      return length;
    });
    count(root);
  }
  let best: Expression | undefined;
  let most = 0;
  for (const [id, times] of counts) {
    const length = lengths.get(id) ?? 0;
    const saved = (times - 1) * length;
    const node = interner.nodeOf(id);
    if (node === undefined || children(node).length === 0 || times < 2) continue;
    if (length >= SHORTEST_PART && saved > most) {
      most = saved;
      best = node;
    }
  }
  return best;
}

function replaced(root: Expression, part: Expression, by: Expression): Expression {
  const interner = new Interner();
  const wanted = interner.idOf(part);
  return foldExpression<Expression>(root, (node, operands) =>
    interner.idOf(node) === wanted ? by : withChildren(node, operands),
  );
}
