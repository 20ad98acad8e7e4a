/** A statement as lines of mathematics: broken at operators, what a long one repeats named below it. */
import { children, foldExpression, freshName, read, withChildren } from './expressions.ts';
import { Interner } from './interner.ts';
import { printExpression, printStatement } from './print.ts';
import type { Expression, Program, Statement } from './types.ts';

/** Lines of a formula are not longer, and places stand under one another. */
const WIDTH = 100;

/** A formula is not broken before this. */
const SHORTEST_LINE = 30;

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

/** A formula in lines of a page's width, broken before an operator: as far outside of brackets as it goes. */
function wrapped(formula: string): string[] {
  const lines: string[] = [];
  let rest = formula;
  for (;;) {
    const end = rest.length <= WIDTH ? 0 : breakOf(rest);
    if (end === 0) return [...lines, rest];
    lines.push(rest.slice(0, end - 1));
    rest = `    ${rest.slice(end)}`;
  }
}

/** Where the next line begins; 0 if there is no such place. */
function breakOf(formula: string): number {
  let depth = 0;
  let best = 0;
  let least = Infinity;
  for (let at = 0; at < formula.length && (at < WIDTH || best === 0); at++) {
    const character = formula[at]!;
    if ('([{'.includes(character)) depth++;
    if (')]}'.includes(character)) depth--;
    if (at <= SHORTEST_LINE || formula[at - 1] !== ' ') continue;
    if (!/^(?:[-+*/?:=]|[-+*]=|and|or|for) /.test(formula.slice(at, at + 4))) continue;
    // sums before products; of equal places, the last
    const rank = 2 * depth + (/[*/=f]/.test(formula.slice(at, at + 2)) ? 1 : 0);
    if (rank <= least) {
      least = rank;
      best = at;
    }
  }
  return best;
}
