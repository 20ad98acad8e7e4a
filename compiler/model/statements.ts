/** Statements: `h[n, j] = ...`, `h = ...`. */
import type { Span } from '../diagnostics/source.ts';
import { freeIndices } from '../graph/expressions.ts';
import type { Extent, Tensor } from '../graph/types.ts';
import type { Binding, SyntaxExpression } from '../syntax/tree.ts';
import type { Elaboration, Frame } from './elaboration.ts';
import { elaborateExpression } from './expressions.ts';
import { countLayerCalls } from './layer-calls.ts';
import { lowerStatement } from './lowering.ts';
import { settleExtents } from './ranges.ts';
import { Scope } from './scope.ts';
import { elaborateSize } from './sizes.ts';
import { shapeText } from './values.ts';
import type { Result, Value } from './values.ts';

export interface StatementRequest {
  /** The name of the tensor it defines. */
  readonly target: string;
  /** What layer calls in it are named after; default: the target. */
  readonly instance?: string;
  readonly bindings?: readonly Binding[];
  readonly value: SyntaxExpression;
  readonly span: Span;
  /** The axes that the target must have; a scalar is then broadcast to them. For optimizers: `p'` has the axes of `p`. */
  readonly axes?: readonly { readonly name: string; readonly extent: Extent }[];
  /** True: the target is a number with a fraction even if the value is an argmax. */
  readonly real?: boolean;
}

/**
 * Adds the statements of `target[bindings] = value` to the program: hoisted reductions, those of layer calls, and its
 * own. Undefined after a report. The name is not defined in `scope`: that is for the caller.
 */
export function elaborateStatement(
  request: StatementRequest,
  scope: Scope,
  elaboration: Elaboration,
): Tensor | undefined {
  const { target, value: syntax, bindings } = request;
  const frame: Frame = {
    ...plainFrame(target, request.span),
    instance: request.instance ?? target,
    value: syntax,
    indexed: bindings !== undefined,
    layerCalls: countLayerCalls(syntax, scope),
  };
  return elaboration.within(frame, () => {
    const inner = new Scope(scope);
    const left = bindings && bindIndices(bindings, inner, elaboration);
    const value = elaborateExpression(syntax, inner, elaboration);
    const sound = value.kind === 'value' && hasFittingAxes(value, request, elaboration);
    if (sound && left) warnOfUnused(left, value, target, elaboration);
    settleExtents(frame, elaboration);
    if (!sound || (bindings && left === undefined)) return undefined;
    return lowerValue(request, value, left, elaboration);
  });
}

/** The same for a value that has been elaborated before, whole-tensor: `m'` of an optimizer. */
export function assignValue(
  request: Omit<StatementRequest, 'value' | 'bindings' | 'instance'>,
  value: Result,
  elaboration: Elaboration,
): Tensor | undefined {
  const { target, span } = request;
  if (value.kind === 'error' || !hasFittingAxes(value, request, elaboration)) return undefined;
  return elaboration.within(plainFrame(target, span), () =>
    lowerValue(request, value, undefined, elaboration),
  );
}

function plainFrame(target: string, span: Span): Frame {
  const shared = { target, instance: target, span, indexed: false, checks: [], padded: [] };
  return { ...shared, layerCalls: new Map(), layersMet: new Map() };
}

function lowerValue(
  request: Omit<StatementRequest, 'value'>,
  value: Value,
  left: readonly string[] | undefined,
  elaboration: Elaboration,
): Tensor | undefined {
  const { target, real = false } = request;
  // a layer call that is the whole statement has made the target itself
  if (value.tensor === target) return elaboration.builder.tensor(target);
  const variables = left ?? targetVariables(value, request, elaboration);
  return lowerStatement(target, variables, value.body, elaboration, { real });
}

/** Makes the indices of a left side; undefined after E404. */
function bindIndices(
  bindings: readonly Binding[],
  inner: Scope,
  elaboration: Elaboration,
): readonly string[] | undefined {
  const left: string[] = [];
  let sound = true;
  for (const binding of bindings) {
    if (binding.kind === 'rest') {
      const rest = inner.lookupRest();
      if (rest === undefined || inner.rest) {
        const message = rest ? '`..` stands twice on the left' : '`..` stands for nothing here';
        elaboration.error(rest ? 'E404' : 'E401', binding.span, message, {
          hint: '`..` is for the statements of a layer whose tensors are declared with `..`',
        });
        sound = false;
        continue;
      }
      const made = rest.extents.map((extent) => {
        const name = typeof extent === 'string' ? extent : '';
        return elaboration.variables.fresh(name, binding.span, extent, `\`..\` has ${extent} places`);
      });
      inner.rest = { extents: rest.extents, variables: made };
      left.push(...made);
      continue;
    }
    const { text, span } = binding.name;
    const earlier = inner.own(text);
    if (earlier) {
      elaboration.error('E404', span, `index ${text} stands twice on the left`, {
        notes: [{ span: earlier.span, message: 'first here' }],
        hint: 'each axis of the result needs an index of its own',
      });
      sound = false;
      continue;
    }
    const extent = binding.extent && elaborateSize(binding.extent, inner, elaboration);
    if (binding.extent && extent === undefined) sound = false;
    const variable = elaboration.variables.bound(text, binding.span, extent);
    inner.define(text, { kind: 'index', variable, span, used: false });
    left.push(variable);
  }
  return sound ? left : undefined;
}

function hasFittingAxes(
  value: Value,
  request: Omit<StatementRequest, 'value'> & { readonly value?: SyntaxExpression },
  elaboration: Elaboration,
): boolean {
  const { target, bindings, axes } = request;
  const span = request.value?.span ?? request.span;
  const found = shapeText(value.axes);
  if (bindings && value.axes.length > 0) {
    elaboration.error('E302', span, `the right side still has axes of its own, ${found}`, {
      hint: `read every tensor with indices, or leave out those of the left side: ${target} = ...`,
    });
    return false;
  }
  if (axes === undefined || value.axes.length === 0) return true;
  const same =
    axes.length === value.axes.length &&
    axes.every(({ extent }, place) => extent === value.axes[place]?.extent);
  if (!same) {
    elaboration.error('E307', span, `${target} must have the shape ${shapeText(axes)}, but this is ${found}`);
  }
  return same;
}

/** E306 for an index of the left side that nothing on the right gives an extent. */
function warnOfUnused(left: readonly string[], value: Value, target: string, elaboration: Elaboration): void {
  const { variables } = elaboration;
  const free = freeIndices(value.body);
  for (const id of left) {
    if (free.has(id) || variables.extentOf(id) !== undefined) continue;
    const name = variables.nameOf(id);
    elaboration.error('E306', variables.spanOf(id), `index ${name} does not occur on the right`, {
      hint: `to repeat the value along ${name} give its extent, ${target}[..., ${name}: 10]; else leave ${name} out`,
    });
  }
}

function targetVariables(
  value: Value,
  { axes, span }: Omit<StatementRequest, 'value'>,
  { variables }: Elaboration,
): readonly string[] {
  if (axes === undefined || value.axes.length > 0) return value.axes.map(({ variable }) => variable);
  return axes.map(({ name, extent }) => variables.fresh(name, span, extent));
}
