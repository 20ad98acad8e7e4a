/** From values to statements: reductions are hoisted, and indices and tensors get their final names. */
import {
  expressionKey,
  freshName,
  indexNames,
  indexOf,
  indexValue,
  isPlainIndex,
  mapExpression,
  renameTensors,
  substituteIndices,
  tensorsIn,
  visitExpression,
} from '../graph/expressions.ts';
import { countOf, elementOf } from '../graph/builder.ts';
import type {
  Checkpoint,
  Combine,
  Expression,
  Extent,
  IndexExpression,
  LoopIndex,
  Origin,
  Scan,
  Statement,
  Tensor,
} from '../graph/types.ts';
import type { Definition, Elaboration, Frame } from './elaboration.ts';
import { placeRange } from './ranges.ts';
import { orderedIndices } from './reductions.ts';

/**
 * Adds `target[variables] = body` after the reductions in it. A body that is nothing but a reduction becomes the
 * statement itself. Undefined if the extent of an index is unknown (E306).
 */
export function lowerStatement(
  target: string,
  variables: readonly string[],
  body: Expression,
  elaboration: Elaboration,
  options: { readonly real?: boolean } = {},
): Tensor | undefined {
  if (!extentsKnown(variables, body, elaboration)) return undefined;
  const derivative = bareDerivative(variables, body, elaboration);
  if (derivative) return addStatement(target, 'assign', variables, [], derivative, elaboration);
  const whole = options.real ? undefined : bareReduction(variables, body, elaboration);
  if (whole === undefined) return addStatement(target, 'assign', variables, [], body, elaboration);
  return addStatement(target, whole.combine, whole.write, whole.definition.bound, whole.body, elaboration);
}

/** What a scatter writes: `target[at] ⊕= body`. */
export interface ScatterRequest {
  readonly target: string;
  readonly combine: Combine;
  readonly loops: readonly string[];
  /** The places, with the sizes of their axes. */
  readonly at: readonly { readonly index: IndexExpression; readonly extent: Extent }[];
  readonly body: Expression;
}

/** Adds the scatter after the reductions in its body and its places. Undefined if an extent is unknown (E306). */
export function lowerScatter(request: ScatterRequest, elaboration: Elaboration): Tensor | undefined {
  const { target, combine, loops, at, body } = request;
  const { builder, frame } = elaboration;
  const placed = at.map(({ index }) => indexValue(index));
  const sound = [body, ...placed].map((part) => extentsKnown(loops, part, elaboration));
  if (frame === undefined || sound.includes(false)) return undefined;
  const [lowered = body, ...places] = [body, ...placed].map((part) =>
    resolveCounts(hoistAll(part, elaboration), elaboration),
  );
  // first the indices that the write uses
  const written = new Set(at.flatMap(({ index }) => [...indexNames(index)]));
  const order = [...loops.filter((id) => written.has(id)), ...loops.filter((id) => !written.has(id))];
  const indices = finalIndices(order, lowered, elaboration);
  const names = new Map([...indices].map(([id, { name }]) => [id, indexOf(name)]));
  const statement: Statement = {
    target,
    indices: [...indices.values()],
    write: places.map((place) => indexOfValue(substituteIndices(place, names))),
    combine,
    body: substituteIndices(lowered, names),
    phase: builder.phase,
    origin: originOf(frame, elaboration),
    ...checkpointOf(target, elaboration),
    ...scanOf(
      frame,
      at.flatMap(({ index }) => isPlainIndex(index) ?? []),
      names,
    ),
  };
  builder.add(statement, {
    element: elementOf(combine, at.length),
    axes: at.map(({ extent }) => extent),
    axisNames: statement.write.map((index) => isPlainIndex(index) ?? ''),
  });
  elaboration.release(target);
  return builder.tensor(target);
}

function originOf({ span }: Frame, { history, calling, site }: Elaboration): Origin {
  const inLayers = calling.flatMap(({ definition, call }) =>
    definition.kind === 'layer' ? [call.callee.span] : [],
  );
  const calls = site && span.source !== site.source ? [site, ...inLayers] : inLayers;
  return { span, calls, history };
}

/** An index expression that was carried as a number. */
function indexOfValue(value: Expression): IndexExpression {
  if (value.kind === 'index_value') return value.index;
  if (value.kind === 'constant') return { terms: [], constant: value.value };
  throw new Error(`a place became ${value.kind}`);
}

/** The tensor of a definition, made a statement if it is not one yet. All extents in it must be known. */
export function hoist(definition: Definition, elaboration: Elaboration, reservedName?: string): string {
  if (definition.tensor !== undefined) return definition.tensor;
  const { combine, free, bound, body, label } = definition;
  const name = reservedName ?? elaboration.freshTensor(`${elaboration.frame?.target ?? 'value'}_${label}`);
  const lowered = hoistAll(body, elaboration);
  const key = definitionKey(definition, lowered, elaboration);
  const known = elaboration.hoisted.get(key);
  if (known === undefined) {
    elaboration.hoisted.set(key, name);
    addStatement(name, combine, free, bound, lowered, elaboration, true);
  } else {
    elaboration.release(name);
  }
  definition.tensor = known ?? name;
  return definition.tensor;
}

/** Hoists what a body reads; outer reductions are named before those inside them. */
function hoistAll(body: Expression, elaboration: Elaboration): Expression {
  const pending: { readonly definition: Definition; readonly name: string | undefined }[] = [];
  for (const id of tensorsIn(body)) {
    const definition = elaboration.definitions.get(id);
    if (definition === undefined) continue;
    const base = `${elaboration.frame?.target ?? 'value'}_${definition.label}`;
    const name = definition.tensor === undefined ? elaboration.freshTensor(base) : undefined;
    pending.push({ definition, name });
  }
  const names = new Map<string, string>();
  for (const { definition, name } of pending) names.set(definition.id, hoist(definition, elaboration, name));
  return names.size === 0 ? body : renameTensors(body, names);
}

/** Equal for definitions that differ only in the names of their indices. */
function definitionKey(definition: Definition, body: Expression, elaboration: Elaboration): string {
  const { combine, free, bound } = definition;
  const ids = [...free, ...bound];
  const places = new Map(ids.map((id, place) => [id, indexOf(`#${place}`)]));
  const extents = ids.map((id) => elaboration.variables.extentOf(id));
  const counted = resolveCounts(substituteIndices(body, places), elaboration);
  return [combine, free.length, extents.join(','), expressionKey(counted)].join(' ');
}

// ------------------------------------------------------------------------------------------------------------ extents

/** Reports E306 for every index without an extent, in the body and in the definitions that it reads. */
function extentsKnown(variables: readonly string[], body: Expression, elaboration: Elaboration): boolean {
  const ids = new Set([...variables, ...orderedIndices(body, elaboration)]);
  const seen = new Set<string>();
  const counted = (of: Expression) =>
    visitExpression(of, (node) => {
      if (node.kind === 'extent_value' && isPlaceholder(node.extent))
        node.extent.split('*').forEach((id) => ids.add(id));
    });
  counted(body);
  const queue = [...tensorsIn(body)];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const definition = elaboration.definitions.get(name);
    if (definition === undefined || definition.tensor !== undefined || seen.has(name)) continue;
    seen.add(name);
    for (const id of [...definition.free, ...definition.bound]) ids.add(id);
    counted(definition.body);
    queue.push(...tensorsIn(definition.body));
  }
  let sound = true;
  for (const id of ids) {
    if (elaboration.variables.extentOf(id) !== undefined) continue;
    const name = elaboration.variables.nameOf(id);
    const span = elaboration.variables.spanOf(id);
    const example = lengthNear(id, elaboration);
    elaboration.error('E306', span, `it is not known how far index \`${name}\` runs`, {
      hint:
        elaboration.frame?.scattered && variables.includes(id)
          ? `give its extent after \`for\`: \`${name}: ${example ?? 10}\``
          : variables.includes(id)
            ? `give its extent on the left side: \`${name}: ${example ?? 10}\``
            : `read a tensor at \`${name}\` alone, or say how far it runs: \`sum[${name}: ${example ?? 10}](...)\``,
    });
    sound = false;
  }
  return sound;
}

/** The length of an axis that is read with arithmetic on an index, as in `x[i - 1] else 0`: what may be meant for it; of the batch its name. */
function lengthNear(id: string, { frame, batch, variables }: Elaboration): Extent | undefined {
  if (variables.nameOf(id) === batch) return batch;
  return frame?.paddedArithmetic.find(({ index }) => indexNames(index).has(id))?.extent;
}

/** Is this a `count` placeholder (reductions.ts)? */
const isPlaceholder = (extent: string): boolean => extent.includes('#');

/** Puts sizes in the place of `count` placeholders (reductions.ts), now that all extents are known. */
function resolveCounts(body: Expression, elaboration: Elaboration): Expression {
  return mapExpression(body, (node) => {
    if (node.kind !== 'extent_value' || !isPlaceholder(node.extent)) return node;
    const indices = node.extent.split('*').map((id) => ({ name: id, extent: extentOf(id, elaboration) }));
    return countOf(indices);
  });
}

function extentOf(id: string, elaboration: Elaboration): Extent {
  const extent = elaboration.variables.extentOf(id);
  if (extent === undefined) throw new Error(`index ${id} has no extent`);
  return extent;
}

// --------------------------------------------------------------------------------------------------------- statements

function addStatement(
  target: string,
  combine: Combine,
  write: readonly string[],
  bound: readonly string[],
  body: Expression,
  elaboration: Elaboration,
  isPart = false,
): Tensor | undefined {
  const { builder, frame } = elaboration;
  if (frame === undefined) return undefined;
  const lowered = resolveCounts(hoistAll(body, elaboration), elaboration);
  const indices = finalIndices([...write, ...bound], lowered, elaboration);
  const names = new Map([...indices].map(([id, { name }]) => [id, indexOf(name)]));
  const statement: Statement = {
    target,
    indices: [...indices.values()],
    write: write.map((id) => names.get(id) ?? indexOf(id)),
    combine,
    body: substituteIndices(lowered, names),
    phase: builder.phase,
    origin: originOf(frame, elaboration),
    ...checkpointOf(target, elaboration),
    ...scanOf(frame, write, names),
  };
  const element = elementOf(combine, write.length);
  builder.add(statement, {
    element,
    ...(isPart && combine !== 'assign' ? { partOf: frame.target } : {}),
    ...(element === 'integer' ? { range: placeRange(bound, elaboration) } : {}),
  });
  elaboration.release(target);
  return builder.tensor(target);
}

/** In a `scan` block, for what has a value of its own at each step: `group` stands for the block until it is complete. */
function scanOf(
  { step }: Frame,
  write: readonly string[],
  names: ReadonlyMap<string, IndexExpression>,
): { scan?: Scan } {
  const index = step && write.includes(step.index) ? names.get(step.index) : undefined;
  const name = index && isPlainIndex(index);
  return step && name !== undefined ? { scan: { group: 'scan', index: name, reversed: step.reversed } } : {};
}

/** The mark of what lies inside of a `checkpoint`; its result does not. */
function checkpointOf(target: string, { checkpoint }: Elaboration): { checkpoint?: Checkpoint } {
  return checkpoint === undefined || target === checkpoint ? {} : { checkpoint: { block: checkpoint } };
}

/** Names as the user wrote them, made unique in the statement; the axes of whole tensors are called i, j, k, ... */
function finalIndices(
  ids: readonly string[],
  body: Expression,
  elaboration: Elaboration,
): Map<string, LoopIndex> {
  const { variables } = elaboration;
  const tensors = tensorsIn(body);
  const taken = new Set<string>();
  const chosen = new Map<string, string>();
  for (const id of ids) {
    const wanted = variables.nameOf(id);
    if (wanted === '') continue;
    const name = freshName(wanted, taken);
    taken.add(name);
    chosen.set(id, name);
  }
  const letters = [...'ijklmpqrstuvw'].filter((letter) => !taken.has(letter) && !tensors.has(letter));
  return new Map(
    ids.map((id) => {
      const name = chosen.get(id) ?? letters.shift() ?? freshName('i', taken);
      taken.add(name);
      return [id, { name, extent: extentOf(id, elaboration) }];
    }),
  );
}

/** The derivative, if the body is nothing but one: it needs no tensor beside the target. */
function bareDerivative(
  variables: readonly string[],
  body: Expression,
  elaboration: Elaboration,
): Expression | undefined {
  if (body.kind !== 'read' || body.outside !== undefined) return undefined;
  const definition = elaboration.definitions.get(body.tensor);
  if (definition?.tensor !== undefined || definition?.body.kind !== 'derivative') return undefined;
  const at = body.at.map(isPlainIndex);
  if (at.some((id) => id === undefined || !variables.includes(id))) return undefined;
  const places = new Map(definition.free.map((id, place) => [id, body.at[place] ?? indexOf(id)]));
  return substituteIndices(definition.body, places);
}

/** The reduction, if the body is nothing but one, with the indices of the left side in any order. */
export function bareReduction(
  variables: readonly string[],
  body: Expression,
  elaboration: Elaboration,
): { definition: Definition; combine: Combine; write: readonly string[]; body: Expression } | undefined {
  if (body.kind !== 'read' || body.outside !== undefined) return undefined;
  const definition = elaboration.definitions.get(body.tensor);
  if (definition === undefined || definition.tensor !== undefined || definition.combine === 'assign')
    return undefined;
  const at = body.at.map(isPlainIndex);
  // a place that is repeated along further indices stays one statement, so that its target holds integers
  const isPlace = definition.combine === 'argmax' || definition.combine === 'argmin';
  const isWhole = at.length === variables.length && variables.every((id) => at.includes(id));
  if (!isWhole && !(isPlace && at.every((id) => id !== undefined && variables.includes(id))))
    return undefined;
  const toTarget = new Map<string, ReturnType<typeof indexOf>>();
  for (const [place, id] of definition.free.entries()) {
    const outer = at[place];
    if (outer !== undefined) toTarget.set(id, indexOf(outer));
  }
  const { combine } = definition;
  return { definition, combine, write: variables, body: substituteIndices(definition.body, toTarget) };
}
