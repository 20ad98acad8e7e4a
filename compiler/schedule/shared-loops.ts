/** Elementwise statements of one box in one loop: values go from one to the next through constants. */
import {
  isConstant,
  replaceAccumulated,
  substituteInIndex,
  substituteIndices,
  tensorsIn,
} from '../graph/expressions.ts';
import type { Expression, IndexExpression, Statement, Tensor } from '../graph/types.ts';
import { flatten, storedAs } from './access.ts';
import type { FunctionScope } from './function-scope.ts';
import { emitLoops, flatsOf, joinLoops, namesInUse } from './loop-order.ts';
import { store } from './loops.ts';
import { Lowering } from './lowering.ts';
import { unitIndices } from './nest.ts';
import type { LoopStatement, Value } from './types.ts';
import { indexWord } from './value-names.ts';

/** What the statements of a shared loop leave in memory. */
export interface Sharing {
  /** Targets that no other function reads: only a constant in the loop. */
  readonly inside: ReadonlySet<string>;
  /** Targets to be written at the end of the body: next values in place of old ones, which must be read before. */
  readonly last: { has(target: string): boolean };
  /** See `Lowering`. */
  readonly viaReciprocals?: boolean;
}

/** The loop of the last statement's box; scalars among the statements come before it. */
export function sharedLoops(
  statements: readonly Statement[],
  scope: FunctionScope,
  tensors: ReadonlyMap<string, Tensor>,
  sharing: Sharing,
): LoopStatement[] {
  const main = statements.at(-1);
  if (!main) return [];
  const scalars = main.indices.length === 0 ? [] : statements.filter(({ indices }) => indices.length === 0);
  const inLoop = statements.filter((statement) => !scalars.includes(statement));
  const names = main.indices.map((index) => index.name);
  const units = unitIndices(main.indices);
  const bodies = new Map(statements.map((statement) => [statement, wholeBody(statement, names, units)]));
  const all = [...bodies.values()];
  const box = { extents: new Map(main.indices.map((index) => [index.name, index.extent])), tensors };
  const lowering = new Lowering(scope, tensors, box.extents, sharing);
  lowering.count(...all);
  const place = main.write.map((index) => substituteInIndex(index, units));
  const compute = (statement: Statement, position: string): void => {
    const body = bodies.get(statement);
    if (!body) return;
    let value: Value = lowering.value(body);
    const later = statements.slice(statements.indexOf(statement) + 1);
    const readLater = later.some((other) => tensorsIn(bodies.get(other) ?? body).has(statement.target));
    const named = readLater || (sharing.last.has(statement.target) && later.length > 0);
    if (!isConstant(body) && value.kind !== 'variable' && named) {
      const name = scope.declare(position === '' ? statement.target : `${statement.target}_${position}`);
      lowering.innermost.push({ kind: 'constant', name, value });
      value = { kind: 'variable', name };
    }
    lowering.forward(statement.target, value);
    values.set(statement, value);
    if (!sharing.last.has(statement.target)) write(statement);
  };
  const within = (statement: Statement, emit: () => void): void =>
    lowering.inStatement(statement.target, emit);
  const values = new Map<Statement, Value>();
  const write = (statement: Statement): void => {
    const value = values.get(statement);
    if (!value || sharing.inside.has(statement.target)) return;
    const at = place.slice(0, statement.write.length);
    store(lowering, statement.target, flatten(storedAs(tensors, statement.target), at), value, false);
  };
  for (const statement of scalars) within(statement, () => compute(statement, ''));
  const flats = [...flatsOf(all, tensors), flatten(storedAs(tensors, main.target), place)];
  const loops = joinLoops(
    main.indices
      .filter(({ name }) => !units.has(name) && name !== main.scan?.index)
      .map((index) => ({ ...index, reduced: false })),
    flats,
    namesInUse(all, flats, [], names),
  );
  emitLoops(lowering, loops, [], box, () => {
    for (const statement of inLoop) within(statement, () => compute(statement, indexWord(names)));
    for (const statement of inLoop)
      if (sharing.last.has(statement.target)) within(statement, () => write(statement));
  });
  return lowering.innermost;
}

/** What the statement gives, with the indices called `names`. */
function wholeBody(
  statement: Statement,
  names: readonly string[],
  units: ReadonlyMap<string, IndexExpression>,
): Expression {
  const renaming = new Map<string, IndexExpression>();
  statement.indices.forEach(({ name }, position) => {
    const main = names[position] ?? name;
    const atom = { kind: 'index' as const, name: main };
    renaming.set(name, units.get(main) ?? { terms: [{ coefficient: 1, atom }], constant: 0 });
  });
  const { finish, body } = statement;
  return substituteIndices(finish ? replaceAccumulated(finish, body) : body, renaming);
}
