/** fns and layers are put in the place of their calls, so none may contain itself. */
import type { Calling, Elaboration } from './elaboration.ts';
import { errorValue } from './values.ts';
import type { ErrorValue } from './values.ts';

/** How much of the stack a call takes, in levels of expressions. */
const levels = { fn: 2, layer: 10 } as const;

/** Elaborates the body of a definition for a call, its arguments already done. Reports E206 for a circle. */
export function insideCall<T>(made: Calling, elaboration: Elaboration, body: () => T): T | ErrorValue {
  const { calling } = elaboration;
  const { call, definition } = made;
  const circle = calling.slice(calling.findIndex((outer) => outer.definition === definition));
  if (calling.some((outer) => outer.definition === definition)) {
    elaboration.error('E206', call.callee.span, `\`${definition.name.text}\` calls itself`, {
      notes: circle
        .slice(0, 3)
        .map((outer) => ({ span: outer.call.callee.span, message: 'called from here' })),
      hint: `a ${definition.kind} is put in the place of its call and so cannot contain itself`,
    });
    return errorValue;
  }
  const depth = levels[definition.kind];
  if (!elaboration.enter(call.span, depth)) return errorValue;
  calling.push(made);
  const result = body();
  calling.pop();
  elaboration.leave(depth);
  return result;
}

/**
 * The call to blame for an index that its fn reduces over and nothing depends on: the outermost of the calls that hand the
 * index on, `f` in `f[k](z)` with `fn f[i](z) = softmax[i](z)`. Undefined outside of fns that bind the index `name`.
 */
export function callThatBinds(name: string, { calling }: Elaboration): Calling | undefined {
  let found: Calling | undefined;
  let binder = name;
  for (const each of calling.toReversed()) {
    const { definition, call } = each;
    const [given] = call.binders ?? [];
    if (definition.kind !== 'fn' || definition.binder?.text !== binder || given === undefined) break;
    found = each;
    binder = given.text;
  }
  return found;
}
