/** Cuts an update program down to what its results need. */
import {
  mapExpression,
  reducedIndices,
  renameTensors,
  substituteIndices,
  tensorsReadBy,
} from '../../graph/expressions.ts';
import { withStatements } from '../../graph/builder.ts';
import type { Expression, Program, Statement, Tensor } from '../../graph/types.ts';
import { foldConstants } from './fold.ts';

/** The next value of a state or of the parameter is the target of the same name with a prime. */
export const nextOf = (name: string): string => `${name}'`;

/**
 * The program with constants folded and without what `results` do not need: a state is kept if its present value is
 * read on the way to a result. The next value of a state that is not kept is put where it is read; if it is a reduction,
 * it becomes an intermediate under the name of the state.
 */
export function livePart(program: Program, results: readonly string[]): Program {
  const statements = new Map(
    program.statements.map((statement) => [
      statement.target,
      { ...statement, body: foldConstants(statement.body) },
    ]),
  );
  const live = reachable(program, statements, results);
  const inlined = new Map<string, Statement>();
  const renamed = new Map<string, string>();
  const added = new Map<string, Tensor>();
  const kept: Statement[] = [];
  for (const statement of statements.values()) {
    if (!live.has(statement.target)) continue;
    const body = foldConstants(renameTensors(inline(statement.body, inlined), renamed));
    const state = orphaned(program, live, statement.target);
    const tensor = program.tensors.get(statement.target);
    if (state === undefined || tensor === undefined) kept.push({ ...statement, body });
    else if (reducedIndices(statement).length === 0) inlined.set(statement.target, { ...statement, body });
    else {
      renamed.set(statement.target, state);
      added.set(state, { ...tensor, name: state });
      kept.push({ ...statement, target: state, body });
    }
  }
  const isKept = ({ name, role }: Tensor): boolean =>
    live.has(name) || role === 'parameter' || role === 'input';
  const tensors = new Map([...program.tensors].filter(([, tensor]) => isKept(tensor)));
  return withStatements({ ...program, tensors }, kept, added);
}

/** All tensors that the results depend on; a state that is read needs its next value too. */
function reachable(
  program: Program,
  statements: ReadonlyMap<string, Statement>,
  results: readonly string[],
): ReadonlySet<string> {
  const live = new Set<string>();
  const open = [...results];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (live.has(name)) continue;
    live.add(name);
    const statement = statements.get(name);
    if (statement !== undefined) open.push(...tensorsReadBy(statement));
    if (program.tensors.get(name)?.role === 'state' && statements.has(nextOf(name))) open.push(nextOf(name));
  }
  return live;
}

/** The state whose next value this target is, if that state is not kept. */
function orphaned(program: Program, live: ReadonlySet<string>, target: string): string | undefined {
  const state = target.slice(0, -1);
  const isNext = target === nextOf(state) && program.tensors.get(state)?.role === 'state';
  return isNext && !live.has(state) ? state : undefined;
}

function inline(root: Expression, bodies: ReadonlyMap<string, Statement>): Expression {
  return mapExpression(root, (node) => {
    const source = node.kind === 'read' ? bodies.get(node.tensor) : undefined;
    if (node.kind !== 'read' || source === undefined) return node;
    const places = new Map(
      source.indices.flatMap(({ name }, axis) => {
        const place = node.at[axis];
        return place === undefined ? [] : [[name, place] as const];
      }),
    );
    return substituteIndices(source.body, places);
  });
}
