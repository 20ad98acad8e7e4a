/** Statements of the forward pass once more in the backward pass, for what that reads of them. */
import { withStatements } from '../graph/builder.ts';
import { freshName, renameFetches, renameTensors, tensorsReadBy } from '../graph/expressions.ts';
import { scanUnits } from '../graph/scan.ts';
import type { Program, Statement, Tensor } from '../graph/types.ts';

/**
 * The program with the statements of `blocks` (target -> its block) that the backward pass reads, and those of the same map
 * that they are made of, repeated there: each block as a whole, right before it is read first.
 */
export function repeatInBackward(program: Program, blocks: ReadonlyMap<string, string>): Program {
  const read = neededAgain(program, blocks);
  if (read.size === 0) return program;
  const names = new Map<string, string>();
  const tensors = new Map<string, Tensor>();
  const taken = new Set(program.tensors.keys());
  for (const target of read) {
    const tensor = program.tensors.get(target);
    const name = freshName(`${target}_again`, taken);
    taken.add(name);
    names.set(target, name);
    if (tensor) tensors.set(name, { ...tensor, name });
  }
  const waiting = new Map<string, Statement[]>();
  for (const statement of program.statements) {
    const block = blocks.get(statement.target);
    if (block === undefined || !read.has(statement.target)) continue;
    const list = waiting.get(block);
    if (list) list.push(statement);
    else waiting.set(block, [statement]);
  }
  /** What must stand before a statement. */
  const before = (statement: Statement): Statement[] =>
    [...tensorsReadBy(statement)].flatMap((tensor) => {
      const block = names.has(tensor) ? blocks.get(tensor) : undefined;
      const inside = block === undefined ? undefined : waiting.get(block);
      if (block === undefined || inside === undefined) return [];
      waiting.delete(block);
      return [...inside.flatMap(before), ...inside.map((each) => repeated(each, block, names))];
    });
  const statements = scanUnits(program.statements).flatMap((unit) =>
    unit.every(({ phase }) => phase === 'forward')
      ? unit
      : // the statements of a recurrence stay side by side
        [...unit.flatMap(before), ...unit.map((statement) => reading(statement, names))],
  );
  return withStatements(program, statements, tensors);
}

/** What the backward pass reads of the blocks, and what that is made of. */
function neededAgain(program: Program, blocks: ReadonlyMap<string, string>): Set<string> {
  const byTarget = new Map(program.statements.map((statement) => [statement.target, statement]));
  const needed = new Set<string>();
  const queue = program.statements.flatMap((statement) =>
    statement.phase === 'forward' ? [] : [...tensorsReadBy(statement)],
  );
  for (let tensor = queue.pop(); tensor !== undefined; tensor = queue.pop()) {
    const statement = blocks.has(tensor) ? byTarget.get(tensor) : undefined;
    if (statement === undefined || needed.has(tensor)) continue;
    needed.add(tensor);
    queue.push(...tensorsReadBy(statement));
  }
  return needed;
}

function repeated(statement: Statement, block: string, names: ReadonlyMap<string, string>): Statement {
  const { target, scan, origin } = statement;
  return {
    ...reading(statement, names),
    target: names.get(target) ?? target,
    phase: 'backward',
    origin: { ...origin, history: [...origin.history, 'computed again'] },
    checkpoint: { block, again: true },
    ...(scan ? { scan: { ...scan, group: names.get(scan.group) ?? `${scan.group}, again` } } : {}),
  };
}

function reading(statement: Statement, names: ReadonlyMap<string, string>): Statement {
  if (![...tensorsReadBy(statement)].some((tensor) => names.has(tensor))) return statement;
  const { body, finish, write } = statement;
  return {
    ...statement,
    body: renameTensors(body, names),
    write: write.map((index) => renameFetches(index, names)),
    ...(finish === undefined ? {} : { finish: renameTensors(finish, names) }),
  };
}
