/** Statements: `h[n, j] = ...`, `h = ...`. */
import { textOf } from '../diagnostics/source.ts';
import type { Span } from '../diagnostics/source.ts';
import { freeIndices, reads } from '../graph/expressions.ts';
import type { Extent, Tensor } from '../graph/types.ts';
import type { Binding, SyntaxExpression } from '../syntax/tree.ts';
import type { Elaboration, Frame } from './elaboration.ts';
import { elaborateExpression } from './expressions.ts';
import { childrenOf, countLayerCalls } from './layer-calls.ts';
import { lowerStatement } from './lowering.ts';
import { settleExtents } from './ranges.ts';
import { reductionNames } from './reductions.ts';
import { Scope } from './scope.ts';
import { elaborateSize } from './sizes.ts';
import { shapeText } from './values.ts';
import type { Result, Value } from './values.ts';

export interface StatementRequest {
  /** The name of the tensor it defines. */
  readonly target: string;
  /** What hoisted reductions are named after; default: the target. */
  readonly stem?: string;
  /** What layer calls in it are named after; default: the stem. */
  readonly instance?: string;
  readonly bindings?: readonly Binding[];
  readonly value: SyntaxExpression;
  readonly span: Span;
  /** The axes that the target must have; a scalar is then broadcast to them. For optimizers: `p'` has the axes of `p`. */
  readonly axes?: readonly { readonly name: string; readonly extent: Extent }[];
  /** True: of scalars only numbers are broadcast, no tensors. */
  readonly numbersOnly?: boolean;
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
  const open = openStatement(request, scope, elaboration);
  return closeStatements([readStatement(open, elaboration)], elaboration)[0];
}

/** A statement of which both sides have been read. */
export interface ReadStatement {
  readonly frame: Frame;
  /** Reports what no other statement can put right. */
  readonly check?: () => void;
  /** Adds it to the program, once all extents are settled; absent after a report. */
  readonly lower?: () => Tensor | undefined;
}

/** A statement of which the left side has been read. */
export interface OpenStatement {
  readonly request: StatementRequest;
  readonly frame: Frame;
  readonly scope: Scope;
  /** The scope of the right side: with the indices of the left. */
  readonly inner: Scope;
  /** The index variables of the left side; absent if it has none, or after a report. */
  readonly left?: readonly string[];
}

export function openStatement(
  request: StatementRequest,
  scope: Scope,
  elaboration: Elaboration,
): OpenStatement {
  const { target, stem = target, value, bindings } = request;
  const frame: Frame = {
    ...plainFrame(stem, request.span),
    instance: request.instance ?? stem,
    value,
    indexed: bindings !== undefined,
    layerCalls: countLayerCalls(value, scope),
  };
  const inner = new Scope(scope);
  const left = elaboration.within(frame, () => bindings && bindIndices(bindings, inner, elaboration));
  return { request, frame, scope, inner, ...(left ? { left } : {}) };
}

/** Reads the right side; without a value after a report. */
export function readStatement(
  { request, frame, scope, inner, left }: OpenStatement,
  elaboration: Elaboration,
): ReadStatement & { readonly value?: Value } {
  const value = elaboration.within(frame, () => {
    if (request.bindings && left === undefined) return undefined;
    const found = elaborateExpression(request.value, inner, elaboration);
    const isSound =
      found.kind === 'value' &&
      (left
        ? isOneElement(found, request, left, inner, elaboration)
        : hasFittingAxes(found, request, elaboration));
    return isSound ? found : undefined;
  });
  if (value === undefined) return { frame };
  return {
    frame,
    value,
    check: () => left && warnOfUnused(left, value, request.target, scope, elaboration),
    lower: () => lowerValue(request, value, left, elaboration),
  };
}

/**
 * Settles the extents of statements that are elaborated together, and adds them to the program: each that is sound, and
 * none of several if one is not.
 */
export function closeStatements(
  statements: readonly ReadStatement[],
  elaboration: Elaboration,
): (Tensor | undefined)[] {
  for (const { check } of statements) check?.();
  const frames = statements.map(({ frame }) => frame);
  settleExtents(frames, elaboration);
  if (statements.some(({ lower }) => lower === undefined)) return [];
  return statements.map(({ frame, lower }) => elaboration.within(frame, () => lower?.()));
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

export function plainFrame(target: string, span: Span): Frame {
  const shared = {
    target,
    instance: target,
    span,
    indexed: false,
    checks: [],
    padded: [],
    paddedArithmetic: [],
    unbound: new Set<string>(),
    known: [],
  };
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
export function bindIndices(
  bindings: readonly Binding[],
  inner: Scope,
  elaboration: Elaboration,
): readonly string[] | undefined {
  const left: string[] = [];
  let sound = true;
  for (const binding of bindings) {
    if (binding.kind === 'rest') {
      const made = bindRest(binding.span, inner, elaboration);
      if (made === undefined) {
        sound = false;
        continue;
      }
      left.push(...made);
      continue;
    }
    const { text, span } = binding.name;
    const earlier = inner.own(text);
    if (earlier) {
      elaboration.error('E404', span, `index \`${text}\` stands twice on the left`, {
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

/** Makes the indices that `..` stands for from here on; undefined after E401, E404. */
export function bindRest(span: Span, inner: Scope, elaboration: Elaboration): readonly string[] | undefined {
  const rest = inner.lookupRest();
  if (rest === undefined || inner.rest) {
    const message = rest ? '`..` stands twice here' : '`..` stands for nothing here';
    elaboration.error(rest ? 'E404' : 'E401', span, message, {
      hint: '`..` is for the statements of a layer whose tensors are declared with `..`',
    });
    return undefined;
  }
  const made = rest.extents.map((extent) => {
    const name = typeof extent === 'string' ? extent : '';
    return elaboration.variables.fresh(name, span, extent, `\`..\` has ${extent} places`);
  });
  inner.rest = { extents: rest.extents, variables: made };
  return made;
}

function hasFittingAxes(
  value: Value,
  request: Omit<StatementRequest, 'value'> & { readonly value?: SyntaxExpression },
  elaboration: Elaboration,
): boolean {
  const { target, axes, numbersOnly = false } = request;
  const span = request.value?.span ?? request.span;
  const found = shapeText(value.axes);
  if (axes === undefined) return true;
  const isTensor = numbersOnly && axes.length > 0 && reads(value.body).length > 0;
  if (value.axes.length === 0 && !isTensor) return true;
  const same =
    axes.length === value.axes.length &&
    axes.every(({ extent }, place) => extent === value.axes[place]?.extent);
  if (!same) {
    elaboration.error(
      'E307',
      span,
      `\`${target}\` must have the shape ${shapeText(axes)}, but this is ${found}`,
      isTensor ? { hint: 'give each element its value: write the indices of both sides' } : {},
    );
  }
  return same;
}

/** In a statement with indices the right side is one element. Reports E302, at the tensor that is read without indices. */
export function isOneElement(
  value: Value,
  { target, value: syntax }: StatementRequest,
  left: readonly string[],
  scope: Scope,
  elaboration: Elaboration,
): boolean {
  if (value.axes.length === 0) return true;
  const bare = bareTensor(syntax, scope);
  if (bare === undefined) {
    elaboration.error(
      'E302',
      syntax.span,
      `the right side still has axes of its own, ${shapeText(value.axes)}`,
      {
        hint: `read every tensor with indices, or leave out those of the left side: \`${target} = ...\``,
      },
    );
    return false;
  }
  const { tensor, span } = bare;
  const { variables } = elaboration;
  const unused = left.filter((id) => variables.nameOf(id) !== '');
  const guesses = tensor.axes.map((extent) => {
    const place = unused.findIndex((id) => variables.extentOf(id) === extent);
    return variables.nameOf(unused.splice(place < 0 ? 0 : place, 1)[0] ?? left[0] ?? '');
  });
  elaboration.error('E302', span, `\`${textOf(span)}\` is read without indices in a statement with indices`, {
    notes: [
      {
        span: tensor.span,
        message: `it has the shape ${shapeText(tensor.axes.map((extent) => ({ extent })))}`,
      },
    ],
    hint: `write \`${textOf(span)}[${guesses.join(', ')}]\``,
  });
  return false;
}

/** The first tensor with axes that stands without indices where one element is meant. */
function bareTensor(
  root: SyntaxExpression,
  scope: Scope,
): { readonly tensor: Tensor; readonly span: Span } | undefined {
  if (root.kind === 'reference') {
    const entry = scope.lookup(root.name.text);
    const isBare = entry?.kind === 'tensor' && entry.tensor.axes.length > 0;
    return isBare ? { tensor: entry.tensor, span: root.span } : undefined;
  }
  // `sum(W)` and `dense(x, 3)` take tensors whole
  if (root.kind === 'call') {
    const entry = scope.lookupCallable(root.callee.text);
    const isWhole = entry ? entry.definition.kind === 'layer' : reductionNames.includes(root.callee.text);
    if (isWhole && root.binders === undefined) return undefined;
  }
  for (const child of root.kind === 'read' ? [] : childrenOf(root)) {
    const found = bareTensor(child, scope);
    if (found) return found;
  }
  return undefined;
}

/** E306 for an index of the left side that nothing on the right gives an extent. */
function warnOfUnused(
  left: readonly string[],
  value: Value,
  target: string,
  scope: Scope,
  elaboration: Elaboration,
): void {
  const { variables } = elaboration;
  const free = freeIndices(value.body);
  for (const id of left) {
    if (free.has(id) || variables.extentOf(id) !== undefined) continue;
    const name = variables.nameOf(id);
    // of the batch the name itself is the extent
    const example = scope.lookup(name)?.kind === 'size' ? name : 10;
    elaboration.error('E306', variables.spanOf(id), `index \`${name}\` does not occur on the right`, {
      hint: `to repeat the value along \`${name}\` give its extent, \`${target}[${left.length > 1 ? '..., ' : ''}${name}: ${example}]\`; else leave \`${name}\` out`,
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
