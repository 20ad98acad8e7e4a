/** Scatters: `dE[token[n, t]: 96, d] += dy[n, t, d] for n, t, d`. */
import { textOf } from '../diagnostics/source.ts';
import { indexNames, isPlainIndex } from '../graph/expressions.ts';
import type { Combine, Extent, IndexExpression, Tensor } from '../graph/types.ts';
import type { Position, Scatter, ScatterOperator, SyntaxExpression } from '../syntax/tree.ts';
import type { Elaboration, Frame } from './elaboration.ts';
import { elaborateExpression } from './expressions.ts';
import { countLayerCalls } from './layer-calls.ts';
import { lowerScatter } from './lowering.ts';
import { constrain, hasExactQuotient, indicesOf } from './reads.ts';
import { Scope } from './scope.ts';
import { elaborateSize } from './sizes.ts';
import { bindIndices, closeStatements, isOneElement, plainFrame } from './statements.ts';
import type { ReadStatement, StatementRequest } from './statements.ts';

type ScatterStatement = Omit<StatementRequest, 'bindings' | 'axes' | 'real'> & { readonly scatter: Scatter };

const combines: Readonly<Record<ScatterOperator, Combine>> = {
  '+=': 'sum',
  '*=': 'product',
  'max=': 'max',
  'min=': 'min',
  'logsumexp=': 'logsumexp',
};

/** How the same is written with one index for each axis. */
const reductionOf: Readonly<Record<ScatterOperator, string>> = {
  '+=': 'sum',
  '*=': 'prod',
  'max=': 'max',
  'min=': 'min',
  'logsumexp=': 'logsumexp',
};

/** A place that is written, with the size of its axis if it is given. */
interface WrittenPlace {
  readonly index: IndexExpression;
  readonly extent?: Extent;
  readonly syntax: SyntaxExpression;
}

/** A scatter of which the indices after `for` and the sizes have been read. */
export interface OpenScatter {
  readonly request: ScatterStatement;
  readonly frame: Frame;
  readonly scope: Scope;
  /** The scope of places and value: with the indices after `for`. */
  readonly inner: Scope;
  /** These indices; absent after a report. */
  readonly loops?: readonly string[];
  /** Of each axis; undefined where it is not given, or wrong and reported. */
  readonly sizes: readonly (Extent | undefined)[];
}

/** Adds the statements of a scatter to the program. Undefined after a report. */
export function elaborateScatter(
  request: ScatterStatement,
  scope: Scope,
  elaboration: Elaboration,
): Tensor | undefined {
  const open = openScatter(request, scope, elaboration);
  return closeStatements([readScatter(open, elaboration)], elaboration)[0];
}

export function openScatter(request: ScatterStatement, scope: Scope, elaboration: Elaboration): OpenScatter {
  const { target, value, scatter } = request;
  const frame: Frame = {
    ...plainFrame(target, request.span),
    instance: request.instance ?? target,
    value,
    scattered: true,
    layerCalls: countLayerCalls(value, scope),
  };
  const inner = new Scope(scope);
  // after a report its indices may be missing
  if (value.kind === 'error') return { request, frame, scope, inner, sizes: [] };
  return elaboration.within(frame, () => {
    const sizes = scatter.positions.map(({ extent }) => extent && elaborateSize(extent, scope, elaboration));
    const loops = bindIndices(scatter.loops, inner, elaboration);
    const isSound = loops !== undefined && !isPlainLeft(scatter, target, elaboration);
    return { request, frame, scope, inner, sizes, ...(isSound ? { loops } : {}) };
  });
}

/** Reads the places and the value. */
export function readScatter(
  { request, frame, inner, loops, sizes }: OpenScatter,
  elaboration: Elaboration,
): ReadStatement {
  const { target, value: syntax, scatter } = request;
  if (loops === undefined) return { frame };
  return elaboration.within(frame, () => {
    const places = scatter.positions.map((position, axis) => {
      const around = { what: `axis ${axis + 1} of \`${target}\``, inner };
      return elaboratePosition(position, sizes[axis], around, elaboration);
    });
    const value = elaborateExpression(syntax, inner, elaboration);
    const sound = value.kind === 'value' && isOneElement(value, request, loops, inner, elaboration);
    if (!sound) return { frame };
    const combine = combines[scatter.operator];
    return {
      frame,
      lower: () => {
        const at = places.map((place) => place && withExtent(place, elaboration));
        const known = at.filter((place) => place !== undefined);
        if (known.length < at.length) return undefined;
        return lowerScatter({ target, combine, loops, at: known, body: value.body }, elaboration);
      },
    };
  });
}

/** Reports a left side with an index of its own for each axis: nothing is computed there, so it is an assignment. */
function isPlainLeft(
  { positions, loops, operator, span }: Scatter,
  target: string,
  elaboration: Elaboration,
): boolean {
  const names = positions.map(({ index }) => (index.kind === 'reference' ? index.name.text : undefined));
  const bound = loops.flatMap((loop) => (loop.kind === 'index' ? [loop.name.text] : []));
  const isPlain =
    new Set(names).size === names.length &&
    positions.every(({ extent }) => extent === undefined) &&
    names.every((name) => name !== undefined && (loops.length === 0 || bound.includes(name)));
  if (!isPlain) return false;
  const others = bound.filter((name) => !names.includes(name));
  const over = others.length > 0 ? others.join(', ') : 'i';
  const { text } = span.source;
  const written = text.slice(positions[0]?.span.start, positions.at(-1)?.span.end);
  elaboration.error('E404', span, `\`${operator}\` is for places that are computed`, {
    hint: `where the left side has an index for each axis write \`=\`, and \`${reductionOf[operator]}[${over}](...)\` on the right: \`${target}[${written}] = ...\``,
  });
  return true;
}

function elaboratePosition(
  { index: syntax, extent: size }: Position,
  extent: Extent | undefined,
  { what, inner }: { readonly what: string; readonly inner: Scope },
  elaboration: Elaboration,
): WrittenPlace | undefined {
  const [place] = indicesOf(syntax, inner, elaboration);
  if (place?.index === undefined || (size && extent === undefined)) return undefined;
  const { index } = place;
  if (hasExactQuotient(index)) {
    elaboration.error(
      'E402',
      syntax.span,
      'an exact quotient may not be whole, and nothing is written between',
      {
        hint: 'write at a place that is always whole, and put a condition into the value',
      },
    );
    return undefined;
  }
  if (extent === undefined) return { index, syntax };
  const hint =
    typeof extent === 'string'
      ? `give the axis a size of its own: \`${textOf(syntax.span)}: 10\``
      : 'make the axis longer, or let the place stay inside';
  constrain({ index, extent, span: syntax.span, what, known: [], hint }, syntax, false, inner, elaboration);
  return { index, extent, syntax };
}

/** An axis that is written at an index alone has its extent; of others it must be given. */
function withExtent(
  { index, extent, syntax }: WrittenPlace,
  elaboration: Elaboration,
): { readonly index: IndexExpression; readonly extent: Extent } | undefined {
  if (extent !== undefined) return { index, extent };
  const { variables } = elaboration;
  const alone = isPlainIndex(index);
  const inferred = alone === undefined ? undefined : variables.extentOf(alone);
  if (inferred !== undefined) return { index, extent: inferred };
  const text = textOf(syntax.span);
  const names = [...indexNames(index)].map((id) => variables.nameOf(id));
  elaboration.error('E306', syntax.span, 'it is not known how long this axis is', {
    hint:
      alone === undefined
        ? `give its size: \`${text}: 10\``
        : `read a tensor at \`${names[0]}\` alone, or give the size: \`${text}: 10\``,
  });
  return undefined;
}
