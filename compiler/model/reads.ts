/** Reads: `x[n, i]`, `x[n, i - 1] else 0`. Each says something about the extents of its indices. */
import {
  fetchIndex,
  indexOf,
  isConstantIndex,
  isPlainIndex,
  quotientIndex,
  read,
  remainderIndex,
  visitAtoms,
} from '../graph/expressions.ts';
import type { Expression, Extent, IndexExpression, Tensor } from '../graph/types.ts';
import type { Call, IndexedRead, SyntaxExpression } from '../syntax/tree.ts';
import { checkReach, withBorder } from './borders.ts';
import type { BorderAxis } from './borders.ts';
import { knownOf } from './bounds.ts';
import type { Elaboration, InnerPlace, RangeCheck } from './elaboration.ts';
import { elaborateExpression, onAxes } from './expressions.ts';
import { elaborateIndex } from './indices.ts';
import { collecting, kept, whereInside } from './inner-reads.ts';
import { entryValue } from './names.ts';
import { materialised } from './reductions.ts';
import { elaborateStepRead } from './step-reads.ts';
import { placesOf } from './scope.ts';
import type { Scope } from './scope.ts';
import { errorValue, shapeText } from './values.ts';
import type { Result, Value } from './values.ts';

export interface IndexAt {
  readonly index: IndexExpression | undefined;
  readonly syntax: SyntaxExpression;
  /** True for those of `..i`, of which `i` is checked. */
  readonly isChecked?: true;
}

export function elaborateRead(syntax: IndexedRead, scope: Scope, elaboration: Elaboration): Result {
  const entry = syntax.tensor.kind === 'reference' ? scope.lookupTensor(syntax.tensor.name.text) : undefined;
  if (entry?.kind === 'recurrent') return elaborateStepRead(syntax, entry, scope, elaboration);
  const around = elaboration.frame?.inner;
  const value = collecting(undefined, elaboration, () => elaborateTensor(syntax.tensor, scope, elaboration));
  const inner: InnerPlace[] = [];
  const collected = typeof syntax.outside?.value === 'number' ? inner : syntax.outside ? undefined : around;
  const indices = collecting(collected, elaboration, () =>
    syntax.indices.flatMap((index) => indicesOf(index, scope, elaboration)),
  );
  if (value.kind === 'error') return errorValue;
  // how many axes were meant is not known
  if (syntax.indices.some(isFlatRest) && indices.some(({ index }) => index === undefined)) return errorValue;
  const name = textOf(syntax.tensor);
  if (indices.length !== value.axes.length) {
    const [axes, given] = [value.axes.length, indices.length];
    const found = axes === 0 ? 'is a single number' : `has ${counted(axes, 'axis', 'axes')}`;
    const tensor = value.tensor === undefined ? undefined : elaboration.builder.tensor(value.tensor);
    elaboration.error(
      'E302',
      syntax.span,
      `\`${name}\` ${found}, but is read with ${counted(given, 'index', 'indices')}`,
      {
        notes: tensor ? [{ span: tensor.span, message: `\`${name}\` is declared here` }] : [],
        hint: axes === 0 ? 'leave out the brackets' : 'give one index for each axis',
      },
    );
    return errorValue;
  }
  const integer =
    value.tensor !== undefined && elaboration.builder.tensor(value.tensor)?.element === 'integer';
  const at: IndexExpression[] = [];
  /** The same places as an index, which is never outside. */
  const fetchedAt: IndexExpression[] = [];
  const border = typeof syntax.outside?.value === 'string' ? syntax.outside.value : undefined;
  const beyond: BorderAxis[] = [];
  let outside = typeof syntax.outside?.value === 'number' ? syntax.outside.value : undefined;
  for (const [axis, { index, syntax: indexSyntax, isChecked }] of indices.entries()) {
    if (index === undefined) return errorValue;
    at.push(index);
    fetchedAt.push(index);
    if (isChecked) continue;
    const { extent } = value.axes[axis] ?? { extent: 0 };
    if (typeof syntax.outside?.value !== 'number' && hasExactQuotient(index)) {
      const has = border === undefined ? 'has no `else`' : `goes on with \`${border}\``;
      const message = `an exact quotient may not be whole, and this read ${has}`;
      elaboration.error('E402', indexSyntax.span, message, {
        hint: 'give the value for places between: `x[exact(i / 2)] else 0`',
      });
      return errorValue;
    }
    const what = `axis ${axis + 1} of \`${name}\``;
    const tensor = value.tensor === undefined ? undefined : elaboration.builder.tensor(value.tensor);
    const known = knownOf(index, elaboration);
    const check = { index, extent, span: indexSyntax.span, what, known, ...(tensor ? { tensor } : {}) };
    if (known.length > 0) fetchedAt[axis] = kept(index, extent);
    if (integer && isReached(index, extent, syntax, around, elaboration)) {
      around?.push({ index, extent: Number(extent) });
      fetchedAt[axis] = kept(index, extent);
      elaboration.frame?.paddedArithmetic.push({ index, extent });
      continue;
    }
    // the open dimension has no end that is known
    const isBordered = border !== undefined && typeof extent === 'number';
    const isPadded = border === undefined ? syntax.outside !== undefined : isBordered;
    constrain(check, indexSyntax, isPadded, scope, elaboration);
    if (isBordered) {
      checkReach(border, check, elaboration);
      beyond.push({ axis, extent });
      outside = 0;
    }
    // inside, because a condition around it says so; the graph wants a value all the same
    if (known.length > 0) outside ??= 0;
  }
  const isIndex = integer && syntax.outside === undefined && value.tensor !== undefined;
  const index = isIndex ? { index: fetchIndex(value.tensor, fetchedAt) } : {};
  if (outside === undefined) return { kind: 'value', axes: [], body: onAxes(value, fetchedAt), ...index };
  const element = elementsOf(value, outside, elaboration);
  const body = border === undefined ? element(at) : withBorder(border, beyond, at, element);
  return { kind: 'value', axes: [], body: whereInside(inner, body, outside), ...index };
}

/** True for an index inside a read with `else` that may be outside its axis: the `else` is for that too. */
function isReached(
  index: IndexExpression,
  extent: Extent,
  { outside }: IndexedRead,
  around: InnerPlace[] | undefined,
  { variables }: Elaboration,
): boolean {
  if (around === undefined || outside !== undefined || typeof extent === 'string') return false;
  const fixed = isConstantIndex(index);
  if (fixed !== undefined) return fixed < 0 || fixed >= extent;
  // an index alone runs over the axis, unless its extent is written
  const alone = isPlainIndex(index);
  return alone === undefined || (variables.isGiven(alone) && variables.extentOf(alone) !== extent);
}

/** How an element of a value is read where it may be outside: a value that is no tensor becomes one. */
function elementsOf(
  value: Value,
  outside: number,
  elaboration: Elaboration,
): (at: readonly IndexExpression[]) => Expression {
  const { tensor } = value;
  if (tensor !== undefined) return (at) => read(tensor, at, outside);
  const { definition } = materialised(value, 'value', elaboration);
  const frees = definition.free.slice(0, -value.axes.length).map((variable) => indexOf(variable));
  return (at) => read(definition.id, [...frees, ...at], outside);
}

export function hasExactQuotient(index: IndexExpression): boolean {
  let found = false;
  visitAtoms(index, (atom) => {
    found ||= atom.kind === 'quotient' && atom.exact;
  });
  return found;
}

function elaborateTensor(syntax: SyntaxExpression, scope: Scope, elaboration: Elaboration): Result {
  const entry = syntax.kind === 'reference' ? scope.lookupTensor(syntax.name.text) : undefined;
  return entry
    ? entryValue(entry, scope, syntax.span, elaboration)
    : elaborateExpression(syntax, scope, elaboration);
}

/** One index, or those that `..` stands for. */
export function indicesOf(syntax: SyntaxExpression, scope: Scope, elaboration: Elaboration): IndexAt[] {
  const [argument] = isFlatRest(syntax) ? syntax.arguments : [];
  if (isFlatRest(syntax) && argument)
    return flatIndices(syntax, scope, elaboration).map((index) => ({
      index,
      syntax: argument.value,
      isChecked: true,
    }));
  if (syntax.kind !== 'reference' || syntax.name.text !== '..')
    return [{ index: elaborateIndex(syntax, scope, elaboration), syntax }];
  const rest = scope.lookupRest();
  if (rest?.variables) return rest.variables.map((variable) => ({ index: indexOf(variable), syntax }));
  if (rest) {
    elaboration.error('E405', syntax.span, '`..` is free on the right but missing on the left', {
      hint: 'write `..` among the indices of the left side too',
    });
  } else {
    elaboration.error('E401', syntax.span, '`..` stands for nothing here', {
      hint: 'it is for layers whose tensors are declared with `..`',
    });
  }
  return [{ index: undefined, syntax }];
}

const isFlatRest = (syntax: SyntaxExpression): syntax is Call =>
  syntax.kind === 'call' && syntax.callee.text === '..';

/** `..i`: the places of all axes of `..`, counted by one index, the last axis fastest. */
function flatIndices(
  { callee: { span }, arguments: [argument] }: Call,
  scope: Scope,
  elaboration: Elaboration,
): readonly (IndexExpression | undefined)[] {
  const index = argument && elaborateIndex(argument.value, scope, elaboration);
  const rest = scope.lookupRest();
  if (index === undefined || argument === undefined) return [undefined];
  if (rest === undefined) {
    elaboration.error('E401', span, '`..` stands for nothing here', {
      hint: 'it is for layers whose tensors are declared with `..`',
    });
    return [undefined];
  }
  const open = rest.extents.find((extent) => typeof extent === 'string');
  if (open !== undefined) {
    elaboration.error('E304', span, `\`..\` has the open dimension \`${open}\` among its axes here`, {
      hint: 'only axes whose sizes are known can be counted as one: declare the first axis by itself, `x[n, ..]`',
    });
    return [undefined];
  }
  const extent = placesOf(rest);
  const check = { index, extent, span: argument.value.span, what: 'what `..` stands for', known: [] };
  constrain(check, argument.value, false, scope, elaboration);
  let stride = extent;
  return rest.extents.map((each, axis) => {
    stride /= Number(each);
    const row = quotientIndex(index, stride);
    return axis === 0 ? row : remainderIndex(row, Number(each));
  });
}

const shapeOf = ({ axes }: Tensor): string => shapeText(axes.map((extent) => ({ extent })));

/** Records what a read says: an index that stands alone runs over the axis, other arithmetic must stay inside it. */
export function constrain(
  check: RangeCheck,
  syntax: SyntaxExpression,
  padded: boolean,
  scope: Scope,
  elaboration: Elaboration,
): void {
  const { variables, frame } = elaboration;
  const { index, extent, span, what, tensor } = check;
  const alone = isPlainIndex(index);
  const source = { extent, span, what: `${what} has ${extent} places` };
  if (alone !== undefined && padded) {
    variables.suggest(alone, source);
    frame?.padded.push(alone);
  } else if (alone !== undefined && !variables.isGiven(alone)) {
    const other = variables.require(alone, source);
    if (other === undefined) return;
    const name = variables.nameOf(alone);
    elaboration.error(
      'E301',
      span,
      `index \`${name}\` runs over ${extent} places of ${what}, but over ${other.extent} elsewhere`,
      {
        notes: [
          { span: other.span, message: other.what },
          ...(tensor
            ? [{ span: tensor.span, message: `\`${tensor.name}\` has the shape ${shapeOf(tensor)}` }]
            : []),
        ],
        hint: `axes that one index runs over have the same size; if other places are meant, use another index than \`${name}\``,
      },
    );
  } else if (padded) {
    frame?.paddedArithmetic.push({ index, extent });
  } else {
    const size = syntax.kind === 'reference' ? scope.lookup(syntax.name.text) : undefined;
    const hint =
      size?.kind === 'size'
        ? `\`${textOf(syntax)}\` is a size (${size.extent}); use an index such as \`i\``
        : check.hint;
    frame?.checks.push({ ...check, ...(hint === undefined ? {} : { hint }) });
  }
}

/** The text of a short expression, for messages. */
export function textOf({ span, kind }: SyntaxExpression): string {
  const text = span.source.text.slice(span.start, span.end);
  return kind === 'reference' || text.length <= 24 ? text : 'this';
}

export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
