/** Extents of indices that occur only in arithmetic, and the proof that every read stays inside its tensor. */
import { fetchedTensors, indexBounds, indexNames, isInside } from '../graph/expressions.ts';
import type { Extent, Tensor } from '../graph/types.ts';
import { narrow } from './bounds.ts';
import type { Elaboration, Frame, RangeCheck } from './elaboration.ts';

const greatestExtent = 2 ** 31 - 1;

/**
 * Settles all extents that can be settled, of statements that are elaborated together, then reports E403 for every read
 * that may leave its tensor.
 */
export function settleExtents(frames: readonly Frame[], elaboration: Elaboration): void {
  for (const frame of frames) settlePadded(frame, elaboration);
  while (frames.some((frame) => settleOne(frame, elaboration)));
  for (const frame of frames) for (const check of frame.checks) verify(check, elaboration);
}

function settlePadded(frame: Frame, elaboration: Elaboration): void {
  const { variables } = elaboration;
  for (const id of frame.padded) {
    const [first, ...others] = variables.suggestionsFor(id);
    if (first === undefined || variables.extentOf(id) !== undefined) continue;
    const other = others.find(({ extent }) => extent !== first.extent);
    if (other) {
      const name = variables.nameOf(id);
      const message = `index \`${name}\` runs over ${first.extent} places in one read and over ${other.extent} in another, both with \`else\``;
      elaboration.error('E301', other.span, message, {
        notes: [{ span: first.span, message: first.what }],
        hint: `say which is meant on the left side: \`${name}: ${first.extent}\``,
      });
    }
    variables.require(id, first);
  }
}

/**
 * An index that is alone unknown in all reads it occurs in gets the largest extent that keeps them inside. True if there
 * was one.
 */
function settleOne(frame: Frame, elaboration: Elaboration): boolean {
  const { variables } = elaboration;
  const byVariable = new Map<object, { id: string; checks: RangeCheck[]; alone: boolean }>();
  for (const check of frame.checks) {
    if (check.late) continue;
    const unknown = unknownIn(check, elaboration);
    for (const [root, id] of unknown) {
      const entry = byVariable.get(root) ?? { id, checks: [], alone: true };
      entry.checks.push(check);
      entry.alone &&= unknown.size === 1;
      byVariable.set(root, entry);
    }
  }
  let settled = false;
  for (const { id, checks, alone } of byVariable.values()) {
    if (!alone) continue;
    const limits = checks.flatMap((check) => {
      const extent = largestExtent(check, id, elaboration);
      return extent === undefined ? [] : [{ extent, check }];
    });
    // a read that is outside at every place will be reported; the others say how far the index runs
    const possible = limits.filter(({ extent }) => extent > 0);
    const [least] = (possible.length > 0 ? possible : limits).toSorted((a, b) => a.extent - b.extent);
    if (least === undefined) continue;
    const { extent, check } = least;
    const what = `${check.what} has ${check.extent} places`;
    variables.require(id, { extent: Math.max(1, extent), span: check.span, what });
    settled = true;
  }
  return settled;
}

function unknownIn({ index }: RangeCheck, { variables }: Elaboration): Map<object, string> {
  const unknown = new Map<object, string>();
  for (const id of indexNames(index)) {
    if (variables.extentOf(id) === undefined) unknown.set(variables.same(id), id);
  }
  return unknown;
}

/** 0 if no place is inside, undefined if the read does not limit the index. */
function largestExtent(check: RangeCheck, id: string, elaboration: Elaboration): number | undefined {
  const root = elaboration.variables.same(id);
  const fits = (extent: number) => inside(check, elaboration, { root, extent });
  if (typeof check.extent === 'string' || fits(greatestExtent)) return undefined;
  let [below, above] = [0, greatestExtent];
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2);
    if (fits(middle)) below = middle;
    else above = middle;
  }
  return below;
}

function verify(check: RangeCheck, elaboration: Elaboration): void {
  if (unknownIn(check, elaboration).size > 0 || inside(check, elaboration)) return;
  if (check.border) {
    reportReach(check, check.border, elaboration);
    return;
  }
  const { index, extent, span, what, hint, tensor } = check;
  const sources = fetched(check, elaboration);
  const bounds = indexBounds(index, extentsFor(check, elaboration), sources);
  const places = typeof extent === 'number' ? `0 to ${extent - 1}` : `0 to \`${extent}\` - 1`;
  const runs =
    bounds === undefined
      ? 'has no known bounds'
      : bounds.least === bounds.greatest
        ? `is ${bounds.least}`
        : `runs from ${bounds.least} to ${bounds.greatest === Infinity ? 'the end of the batch' : bounds.greatest}`;
  const open = `${what} is open (\`${extent}\`) and can only be read at one index that runs over all of it`;
  const message = typeof extent === 'string' ? open : `this index ${runs}, but ${what} has places ${places}`;
  const values = [...sources.values()].flatMap(({ name, range, span: declared }) =>
    range === undefined || elaboration.definitions.has(name) || elaboration.stepPlaces.has(name)
      ? []
      : [{ span: declared, message: `\`${name}\` holds ${range.least} to ${range.greatest}` }],
  );
  elaboration.error('E403', span, message, {
    notes: [
      ...values,
      ...(tensor && values.length > 0
        ? [{ span: tensor.span, message: `\`${tensor.name}\` is declared here` }]
        : []),
    ],
    hint:
      typeof extent === 'string'
        ? (hint ??
          `read it at the index of the rows, or choose by a comparison: \`sum[m](m == i[n] ? x[m] : 0)\``)
        : values.length > 0
          ? 'the axis needs a place for every value: make it longer, or the range smaller'
          : (hint ?? 'give places outside a value, `x[...] else 0`, or make the index stay inside'),
  });
}

/** Of a read that goes on beyond its axis further than the axis is long. */
function reportReach(
  check: RangeCheck,
  { border, reach, extent }: NonNullable<RangeCheck['border']>,
  elaboration: Elaboration,
): void {
  const { index, span, what, tensor } = check;
  const bounds = indexBounds(index, extentsFor(check, elaboration), fetched(check, elaboration));
  const runs =
    bounds === undefined
      ? ''
      : `, but this index runs from ${bounds.least - reach} to ${bounds.greatest - reach}`;
  const places = `${what} has ${extent === 1 ? 'one place' : `${extent} places`}`;
  const message = `${places}, so \`${border}\` reaches from ${-reach} to ${extent - 1 + reach}${runs}`;
  elaboration.error('E407', span, message, {
    notes: tensor ? [{ span: tensor.span, message: `\`${tensor.name}\` is declared here` }] : [],
    hint: `\`else edge\` and \`else 0\` go on for ever; \`${border}\` has ${extent === 1 && border === 'reflect' ? 'nothing to mirror' : `${reach} places to give on either side`}`,
  });
}

function inside(
  check: RangeCheck,
  elaboration: Elaboration,
  assumed?: { root: object; extent: number },
): boolean {
  const extents = extentsFor(check, elaboration, assumed);
  const narrowed = narrow(check.index, extents, check.known);
  return narrowed === undefined || isInside(narrowed, check.extent, extents, fetched(check, elaboration));
}

function extentsFor(
  { index }: RangeCheck,
  { variables }: Elaboration,
  assumed?: { root: object; extent: number },
): Map<string, Extent> {
  const extents = new Map<string, Extent>();
  for (const id of indexNames(index)) {
    const extent = variables.same(id) === assumed?.root ? assumed.extent : variables.extentOf(id);
    if (extent !== undefined) extents.set(id, extent);
  }
  return extents;
}

/** The integer tensors that an index expression uses, also those that are not yet statements. */
function fetched({ index, span }: RangeCheck, elaboration: Elaboration): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const name of fetchedTensors(index)) {
    const definition = elaboration.definitions.get(name) ?? elaboration.stepPlaces.get(name);
    const tensor = elaboration.builder.tensor(definition?.tensor ?? name);
    if (tensor) tensors.set(name, tensor);
    else if (definition) {
      const range = placeRange(definition.bound, elaboration);
      const made = { name, role: 'intermediate', axes: [], axisNames: [], element: 'integer', span } as const;
      tensors.set(name, { ...made, range });
    }
  }
  return tensors;
}

/** The values of an argmax over some indices; over a run-time size any int32 that is not negative. */
export function placeRange(
  bound: readonly string[],
  { variables }: Elaboration,
): { readonly least: number; readonly greatest: number } {
  let count = 1;
  for (const id of bound) {
    const extent = variables.extentOf(id);
    count *= typeof extent === 'number' ? extent : greatestExtent + 1;
  }
  return { least: 0, greatest: Math.min(count - 1, greatestExtent) };
}
