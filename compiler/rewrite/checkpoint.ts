/**
 * `checkpoint h = x |> block`: of what lies inside the block nothing is kept for the backward pass. What that reads is
 * computed again there from the block's inputs, with the same random numbers, right before it is needed first (Chen, Xu,
 * Zhang and Guestrin 2016, Training Deep Nets with Sublinear Memory Cost). It stands last of all passes, so that nothing
 * takes a statement and its repetition for one.
 */
import { freshName, renameFetches, renameTensors, tensorsReadBy } from '../graph/expressions.ts';
import { withStatements } from '../graph/builder.ts';
import { pinned } from '../graph/results.ts';
import { scanUnits } from '../graph/scan.ts';
import type { Program, Statement, Tensor } from '../graph/types.ts';

export function recomputeCheckpoints(program: Program): Program {
  const inner = innerStatements(program);
  if (inner.size === 0) return program;
  const read = neededAgain(program, inner);
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
    const block = statement.checkpoint?.block;
    if (block === undefined || !read.has(statement.target)) continue;
    const list = waiting.get(block);
    const again = repeated(statement, names);
    if (list) list.push(again);
    else waiting.set(block, [again]);
  }
  const statements = scanUnits(program.statements).flatMap((unit) => {
    if (unit.every(({ phase }) => phase === 'forward')) return unit;
    // the statements of a recurrence stay side by side
    const before = unit.flatMap((statement) =>
      [...tensorsReadBy(statement)].flatMap((tensor) => {
        const block = names.has(tensor) ? inner.get(tensor)?.checkpoint?.block : undefined;
        const blocks = block === undefined ? undefined : waiting.get(block);
        if (block === undefined || blocks === undefined) return [];
        waiting.delete(block);
        return blocks;
      }),
    );
    return [...before, ...unit.map((statement) => reading(statement, names))];
  });
  return withStatements(program, statements, tensors);
}

/**
 * The statements of blocks whose values are not kept, by target: none that is a result, and none that another block reads
 * (a pass may have seen through a block's result), which would have to repeat the one for the other.
 */
function innerStatements(program: Program): Map<string, Statement> {
  const keep = pinned(program);
  const inner = new Map<string, Statement>();
  for (const statement of program.statements)
    if (statement.phase === 'forward' && statement.checkpoint && !keep.has(statement.target))
      inner.set(statement.target, statement);
  for (const statement of program.statements) {
    const { phase, checkpoint } = statement;
    if (phase !== 'forward' || checkpoint === undefined) continue;
    for (const tensor of tensorsReadBy(statement))
      if (inner.get(tensor)?.checkpoint?.block !== checkpoint.block) inner.delete(tensor);
  }
  // all of a recurrence, or nothing
  for (const unit of scanUnits(program.statements))
    if (unit.length > 1 && unit.some(({ target }) => !inner.has(target)))
      for (const { target } of unit) inner.delete(target);
  return inner;
}

/** What the backward pass reads of the blocks, and what that is made of. */
function neededAgain(program: Program, inner: ReadonlyMap<string, Statement>): Set<string> {
  const needed = new Set<string>();
  const queue = program.statements.flatMap((statement) =>
    statement.phase === 'forward' ? [] : [...tensorsReadBy(statement)],
  );
  for (let tensor = queue.pop(); tensor !== undefined; tensor = queue.pop()) {
    const statement = inner.get(tensor);
    if (statement === undefined || needed.has(tensor)) continue;
    needed.add(tensor);
    queue.push(...tensorsReadBy(statement));
  }
  return needed;
}

/** The statement once more, in the backward pass. */
function repeated(statement: Statement, names: ReadonlyMap<string, string>): Statement {
  const { target, checkpoint, scan, origin } = statement;
  return {
    ...reading(statement, names),
    target: names.get(target) ?? target,
    phase: 'backward',
    origin: { ...origin, history: [...origin.history, 'computed again'] },
    ...(checkpoint ? { checkpoint: { ...checkpoint, again: true } } : {}),
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
