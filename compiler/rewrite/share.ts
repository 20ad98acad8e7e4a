/**
 * Common subexpressions across statements: a part of a body that an earlier statement computes already, perhaps under other
 * index names, becomes a read of its target; statements that compute the same become one. So the backward pass
 * reads σ(z) where the forward pass kept it.
 */
import { withStatements } from '../graph/builder.ts';
import {
  children,
  constantIndex,
  equalIndices,
  extentsOf,
  foldExpression,
  hasExact,
  indexKey,
  isInside,
  isPlainIndex,
  isScatter,
  mapIndices,
  read,
  renameTensors,
  renameFetches,
  substituteIndices,
  withChildren,
} from '../graph/expressions.ts';
import type { Expression, Extent, IndexExpression, Program, Statement, Tensor } from '../graph/types.ts';
import { pinned } from '../graph/results.ts';
import { statementKey } from '../graph/statement-key.ts';
import { isElementwise, ownPlace, valueOf } from './definitions.ts';
import { shareSums } from './share-sums.ts';

export function share(program: Program): Program {
  const merged = shareSums(mergeEqual(program));
  const known = new Map<string, Statement[]>();
  const statements = merged.statements.map((statement) => {
    const extents = extentsOf(statement.indices);
    const shared = (root: Expression): Expression =>
      readKnown(root, known, statement.target, extents, merged.tensors);
    const body = shared(statement.body);
    const finish = statement.finish && shared(statement.finish);
    if (isElementwise(statement)) {
      const value = valueOf(statement);
      if (children(value).length > 0 && bindsAll(value, statement)) {
        const key = skeleton(value);
        known.set(key, [...(known.get(key) ?? []), statement]);
      }
    }
    if (body === statement.body && finish === statement.finish) return statement;
    const { origin } = statement;
    return {
      ...statement,
      body,
      ...(finish === undefined ? {} : { finish }),
      origin: { ...origin, history: [...origin.history, 'shared'] },
    };
  });
  const changed = statements.some((statement, place) => statement !== merged.statements[place]);
  return changed ? withStatements(merged, statements) : merged;
}

// -------------------------------------------------------------------------------------------------------- subexpressions

/** Replaces what is known, largest parts first. */
function readKnown(
  root: Expression,
  known: ReadonlyMap<string, readonly Statement[]>,
  target: string,
  extents: ReadonlyMap<string, Extent>,
  tensors: ReadonlyMap<string, Tensor>,
): Expression {
  if (known.size === 0) return root;
  const found = new Map<Expression, Expression>();
  const skeletons = skeletonsOf(root);
  const stack = [root];
  const seen = new Set<Expression>();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    const candidates = children(node).length > 0 ? (known.get(skeletons.get(node) ?? '') ?? []) : [];
    const match = candidates
      .filter((statement) => statement.target !== target)
      .map((statement) => ({ statement, at: unify(statement, node, extents, tensors) }))
      .find(({ at }) => at !== undefined);
    if (match?.at) found.set(node, read(match.statement.target, match.at));
    else stack.push(...children(node));
  }
  if (found.size === 0) return root;
  return foldExpression<Expression>(
    root,
    (node, operands) => found.get(node) ?? withChildren(node, operands),
  );
}

/** The structure of an expression without its index expressions. */
function skeleton(root: Expression): string {
  return skeletonsOf(root).get(root) ?? '';
}

export function skeletonsOf(root: Expression): Map<Expression, string> {
  const texts = new Map<Expression, string>();
  foldExpression<string>(root, (node, operands) => {
    const text = node.kind === 'read' ? `${node.tensor} ${node.outside}` : ownText(node);
    const whole = `${text}(${operands.join(',')})`;
    texts.set(node, whole);
    // A hash may say that two differing parts are alike: `unify` compares what it finds.
    return whole.length < 200 ? whole : `${whole.length}~${hash(whole)}`;
  });
  return texts;
}

function ownText(node: Expression): string {
  switch (node.kind) {
    case 'constant':
      return String(node.value);
    case 'extent_value':
      return node.extent;
    case 'unary':
    case 'binary':
      return node.operator;
    default:
      return node.kind;
  }
}

function hash(text: string): number {
  let value = 0;
  for (let place = 0; place < text.length; place++) value = (value * 31 + text.charCodeAt(place)) | 0;
  return value;
}

/** Only a body that has each of its indices alone somewhere says where it is to be read. */
export function bindsAll(value: Expression, statement: Statement): boolean {
  const alone = new Set<string>();
  mapIndices(value, (index) => {
    const name = isPlainIndex(index);
    if (name !== undefined) alone.add(name);
    return index;
  });
  return statement.indices.every(({ name }) => alone.has(name));
}

/** The place to read the statement's target at to get the value of `node`; undefined if there is none. */
export function unify(
  statement: Statement,
  node: Expression,
  extents: ReadonlyMap<string, Extent>,
  tensors: ReadonlyMap<string, Tensor>,
): IndexExpression[] | undefined {
  const places = new Map<string, IndexExpression>();
  const pairs: [IndexExpression, IndexExpression][] = [];
  const stack: [Expression, Expression][] = [[valueOf(statement), node]];
  for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
    const [own, other] = pair;
    if (own.kind !== other.kind || ownText(own) !== ownText(other)) return undefined;
    if (own.kind === 'read' && other.kind === 'read') {
      if (own.tensor !== other.tensor || own.outside !== other.outside) return undefined;
      for (const [axis, index] of own.at.entries()) {
        const against = other.at[axis];
        if (against === undefined) return undefined;
        pairs.push([index, against]);
      }
    }
    if (own.kind === 'index_value' && other.kind === 'index_value') pairs.push([own.index, other.index]);
    const right = children(other);
    for (const [place, child] of children(own).entries()) {
      const against = right[place];
      if (against !== undefined) stack.push([child, against]);
    }
  }
  for (const [index, against] of pairs) {
    const name = isPlainIndex(index);
    const known = name === undefined ? undefined : places.get(name);
    if (name !== undefined && known === undefined) places.set(name, against);
  }
  const equal = pairs.every(([index, against]) => equalIndices(substituteIndices(index, places), against));
  if (!equal) return undefined;
  const at = statement.indices.map(({ name }) => places.get(name));
  const inside = statement.indices.every(({ extent }, axis) => {
    const index = at[axis];
    // where a quotient is not whole the value is that of a read outside, and stands nowhere
    return index !== undefined && !hasExact(index) && isInside(index, extent, extents, tensors);
  });
  return inside ? at.filter((index) => index !== undefined) : undefined;
}

// ------------------------------------------------------------------------------------------------------ whole statements

/** One statement for all that compute the same. Of pinned ones that are equal, the later becomes a copy of the first. */
function mergeEqual(program: Program): Program {
  const keep = pinned(program);
  const first = new Map<string, Statement>();
  const names = new Map<string, string>();
  const statements: Statement[] = [];
  for (const original of program.statements) {
    const statement = names.size === 0 ? original : renamed(original, names);
    const key = statementKey(statement, program.tensors);
    const same = first.get(key);
    if (same === undefined) {
      first.set(key, statement);
      statements.push(statement);
    } else if (!keep.has(statement.target)) {
      names.set(statement.target, same.target);
    } else statements.push(isScatter(statement) ? statement : copyOf(same, statement));
  }
  // in a recurrence what is gone may have been read before it stood
  const all = names.size === 0 ? statements : statements.map((statement) => renamed(statement, names));
  return names.size === 0 && statements.every((statement, place) => statement === program.statements[place])
    ? program
    : withStatements(program, all);
}

function copyOf(same: Statement, statement: Statement): Statement {
  const indices = statement.indices.slice(0, statement.write.length);
  const { finish: _, ...rest } = statement;
  return { ...rest, indices, combine: 'assign', body: read(same.target, ownPlace(statement)) };
}

function renamed(statement: Statement, names: ReadonlyMap<string, string>): Statement {
  const body = renameTensors(statement.body, names);
  const finish = statement.finish && renameTensors(statement.finish, names);
  const write = statement.write.map((index) => renameFetches(index, names));
  const same =
    body === statement.body &&
    finish === statement.finish &&
    write.every((index, axis) => indexKey(index) === indexKey(statement.write[axis] ?? constantIndex(0)));
  if (same) return statement;
  return { ...statement, body, write, ...(finish === undefined ? {} : { finish }) };
}
