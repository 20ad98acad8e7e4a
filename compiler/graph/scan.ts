/**
 * Recurrences. A group of statements runs step by step along its scan index (types.ts, `Scan`); what is in one is decided
 * here, by the strongly connected components of "reads": a statement stays in a group only if its own earlier steps reach
 * it again. Everything else (the input projection of an LSTM, the gradient of its weights) is a plain statement over all
 * steps, before or after the group. Passes copy `scan` to what they make of a statement and leave the rest to `arrangeScans`.
 */
import { withStatements } from './builder.ts';
import {
  freshName,
  indexOf,
  indicesIn,
  isPlainIndex,
  reads,
  substituteIndices,
  subtractIndex,
  visitAtoms,
} from './expressions.ts';
import type { IndexExpression, Program, Scan, Statement } from './types.ts';

/** The statements that run together, in order: each plain one alone, the side by side ones of a group as one. */
export function scanUnits(statements: readonly Statement[]): Statement[][] {
  const units: Statement[][] = [];
  for (const statement of statements) {
    const last = units.at(-1);
    const group = last?.[0]?.scan?.group;
    if (last !== undefined && group !== undefined && statement.scan?.group === group) last.push(statement);
    else units.push([statement]);
  }
  return units;
}

/** True if both are plain, or both of one group. */
export function inSameScan(left: Statement, right: Statement): boolean {
  return left.scan?.group === right.scan?.group;
}

/** The statement with its scan index called `name`; another index of that name makes way. */
export function withScanIndex(statement: Statement, name: string): Statement {
  const { scan } = statement;
  if (scan === undefined || scan.index === name) return statement;
  const taken = new Set([...statement.indices.map((index) => index.name), name]);
  const names = new Map([
    [scan.index, name],
    [name, freshName(name, taken)],
  ]);
  const indices = statement.indices.map((index) => ({ ...index, name: names.get(index.name) ?? index.name }));
  const places = new Map([...names].map(([from, to]) => [from, indexOf(to)]));
  const { finish } = statement;
  return {
    ...statement,
    indices,
    write: statement.write.map((index) => substituteIndices(index, places)),
    body: substituteIndices(statement.body, places),
    ...(finish === undefined ? {} : { finish: substituteIndices(finish, places) }),
    scan: { ...scan, index: name },
  };
}

/** The axis of the target that counts the steps; -1 if there is none. */
export function scanAxis({ write, scan }: Statement): number {
  return scan === undefined ? -1 : write.findIndex((index) => isPlainIndex(index) === scan.index);
}

/** Every place at which a statement reads a tensor, also as an index. */
export function accesses(statement: Statement): { tensor: string; at: readonly IndexExpression[] }[] {
  const found: { tensor: string; at: readonly IndexExpression[] }[] = [];
  const look = (index: IndexExpression): void =>
    visitAtoms(index, (atom) => {
      if (atom.kind === 'fetch') found.push(atom);
    });
  for (const expression of [statement.body, ...(statement.finish ? [statement.finish] : [])]) {
    found.push(...reads(expression));
    for (const index of indicesIn(expression)) look(index);
  }
  for (const index of statement.write) look(index);
  return found;
}

/** Which step of its group a statement reads, given the index at the scan axis of what it reads. */
export function stepRead(index: IndexExpression | undefined, scan: Scan): 'same' | 'earlier' | 'other' {
  if (index === undefined) return 'other';
  const { terms, constant } = subtractIndex(index, indexOf(scan.index));
  if (terms.length > 0) return 'other';
  if (constant === 0) return 'same';
  return constant < 0 === scan.reversed ? 'other' : 'earlier';
}

/**
 * The program with its groups made right again after statements were changed, added or dropped: each group is what is
 * strongly connected, the other statements stand before or behind it as they need each other, otherwise as they stood.
 * The very same object if all is right already. Throws where no order is one (a mistake of a pass).
 */
export function arrangeScans(program: Program): Program {
  const statements = arrange(program.statements);
  if (statements.every((statement, place) => statement === program.statements[place])) return program;
  return withStatements(program, statements);
}

/** The same for a list of statements. */
export function arrange(given: readonly Statement[]): readonly Statement[] {
  return given.some(({ scan }) => scan !== undefined) ? inGroups(given) : given;
}

function inGroups(given: readonly Statement[]): Statement[] {
  const byTarget = new Map(given.map((statement) => [statement.target, statement]));
  const sources = new Map(
    given.map((statement) => [
      statement,
      accesses(statement).flatMap(({ tensor, at }) => {
        const source = byTarget.get(tensor);
        return source === undefined ? [] : [{ source, at }];
      }),
    ]),
  );
  const all = (statement: Statement): Statement[] =>
    (sources.get(statement) ?? []).map(({ source }) => source);
  return components(given, all).flatMap((component) => {
    const [first] = component;
    const isRecurrent = component.length > 1 || (first !== undefined && all(first).includes(first));
    if (!isRecurrent) return component.map(withoutScan);
    const members = new Set(component);
    const now = (statement: Statement): Statement[] =>
      (sources.get(statement) ?? []).flatMap(({ source, at }) => {
        const isNow =
          members.has(source) && statement.scan && stepRead(at[scanAxis(source)], statement.scan) === 'same';
        return isNow ? [source] : [];
      });
    const steps = components(component, now);
    const circle = steps.find(({ length }) => length > 1)?.map(({ target }) => target);
    if (circle !== undefined) throw new Error(`${circle.join(', ')} need each other in one step of a scan`);
    const ordered = steps.flat();
    const group = ordered[0]?.target ?? '';
    return ordered.map((statement) => ofGroup(statement, group));
  });
}

function withoutScan(statement: Statement): Statement {
  if (statement.scan === undefined) return statement;
  const { scan: _, ...rest } = statement;
  return rest;
}

function ofGroup(statement: Statement, group: string): Statement {
  const { scan } = statement;
  if (scan === undefined) throw new Error(`${statement.target} is recurrent, but in no scan`);
  return scan.group === group ? statement : { ...statement, scan: { ...scan, group } };
}

/**
 * The strongly connected components, each behind those that it reads, otherwise as their first members stood (Tarjan,
 * Depth-first search and linear graph algorithms, 1972; without recursion). Members stand in their given order.
 */
function components(
  statements: readonly Statement[],
  sourcesOf: (statement: Statement) => readonly Statement[],
): Statement[][] {
  const place = new Map(statements.map((statement, position) => [statement, position]));
  const order = new Map<Statement, number>();
  const lowest = new Map<Statement, number>();
  const open: Statement[] = [];
  const isOpen = new Set<Statement>();
  const found: Statement[][] = [];
  const lower = (statement: Statement, value: number): void => {
    lowest.set(statement, Math.min(lowest.get(statement) ?? value, value));
  };
  const enter = (statement: Statement): { statement: Statement; left: Statement[] } => {
    order.set(statement, order.size);
    lower(statement, order.get(statement) ?? 0);
    open.push(statement);
    isOpen.add(statement);
    const sources = [...new Set(sourcesOf(statement))];
    return { statement, left: sources.toSorted((a, b) => (place.get(b) ?? 0) - (place.get(a) ?? 0)) };
  };
  for (const root of statements) {
    if (order.has(root)) continue;
    const path = [enter(root)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { statement, left } = top;
      const source = left.pop();
      if (source !== undefined) {
        if (!order.has(source)) path.push(enter(source));
        else if (isOpen.has(source)) lower(statement, order.get(source) ?? 0);
        continue;
      }
      path.pop();
      const least = lowest.get(statement) ?? 0;
      const parent = path.at(-1);
      if (parent !== undefined) lower(parent.statement, least);
      if (least !== order.get(statement)) continue;
      const component = open.splice(open.indexOf(statement));
      for (const member of component) isOpen.delete(member);
      found.push(component.toSorted((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0)));
    }
  }
  return found;
}
