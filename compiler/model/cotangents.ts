/** `cotangent h[n, j] -> clip(dh[n, j], -1, 1)`: statements of the backward pass, kept beside the program until it has one. */
import type { Span } from '../diagnostics/source.ts';
import type { Statement, Tensor } from '../graph/types.ts';
import type { CotangentEdit } from '../syntax/tree.ts';
import type { Elaboration } from './elaboration.ts';
import { reportUnknown } from './names.ts';
import { Scope } from './scope.ts';
import { isNext } from './states.ts';
import { closeStatements, openStatement, readStatement } from './statements.ts';
import { shapeText } from './values.ts';

/** What there is instead of a tensor that is computed or trained. */
const otherRoles: Readonly<Record<Exclude<Tensor['role'], 'intermediate' | 'parameter'>, string>> = {
  input: 'an input',
  state: 'a state',
  random: 'drawn at random',
  scalar: 'given',
};

/** Adds the edit. False after a report. @param isOwn whether the block itself makes what has this name */
export function elaborateEdit(
  item: CotangentEdit,
  isOwn: (name: string) => boolean,
  scope: Scope,
  elaboration: Elaboration,
): boolean {
  // in inference the next value of a state is the state; what is edited is that of training
  if (elaboration.training === false && isNext(item.name.text)) return true;
  const tensor = editedTensor(item, isOwn, scope, elaboration);
  if (tensor === undefined) return false;
  const { name, span } = item;
  // the gradient is taken in training alone
  if (elaboration.training === false) return true;
  const base = `d${tensor.name}`;
  const arriving: Tensor = {
    name: elaboration.freshTensor(`${base}_in`),
    role: 'intermediate',
    axes: tensor.axes,
    axisNames: tensor.axisNames,
    element: tensor.element,
    span: name.span,
  };
  const inner = new Scope(scope);
  inner.define(`d${name.text}`, { kind: 'tensor', tensor: arriving, span: name.span, used: true });
  const { builder } = elaboration;
  const from = builder.size;
  const target = elaboration.freshTensor(`${base}_out`);
  const made = statementsOf(item, { target, stem: arriving.name, tensor }, inner, elaboration);
  const { statements, tensors } = builder.takeBack(from);
  forget(new Set(tensors.keys()), elaboration);
  if (made === undefined) return false;
  const whole = [...tensors.values()].find(({ element }) => element === 'integer');
  if (whole) {
    elaboration.error('E608', item.value.span, 'the place of an extreme cannot be taken of a cotangent', {
      hint: 'compute it in a statement before, of what the model computes',
    });
    return false;
  }
  if (statements.some(({ body }) => body.kind === 'derivative')) {
    elaboration.error('E608', item.value.span, 'a derivative cannot be taken inside of an edit', {
      hint: 'give it a statement of its own before',
    });
    return false;
  }
  const backward = statements.map(asBackward);
  elaboration.edits.push({ tensor: tensor.name, arriving, statements: backward, tensors, span });
  return true;
}

/** It is computed in the backward pass, so nothing is kept or computed again for it. */
function asBackward(statement: Statement): Statement {
  const { checkpoint, ...rest } = statement;
  return checkpoint ? { ...rest, phase: 'backward' } : { ...statement, phase: 'backward' };
}

interface Edited {
  readonly target: string;
  /** What hoisted reductions are named after. */
  readonly stem: string;
  readonly tensor: Tensor;
}

/** Elaborates what flows on. Undefined after a report. */
function statementsOf(
  item: CotangentEdit,
  { target, stem, tensor }: Edited,
  inner: Scope,
  elaboration: Elaboration,
): Tensor | undefined {
  const { name, bindings, value, span } = item;
  const shape = shapeText(tensor.axes.map((extent) => ({ extent })));
  const axes = tensor.axes.map((extent, axis) => ({ extent, name: tensor.axisNames[axis] ?? '' }));
  const open = openStatement(
    { target, stem, value, span, axes, real: true, numbersOnly: true, ...(bindings ? { bindings } : {}) },
    inner,
    elaboration,
  );
  const { left } = open;
  if (left && left.length !== axes.length) {
    elaboration.error(
      'E302',
      name.span,
      `\`${name.text}\` has the shape ${shape}, but ${left.length} ${left.length === 1 ? 'index is' : 'indices are'} given`,
      {
        notes: [{ span: tensor.span, message: `\`${name.text}\` is declared here` }],
        hint: 'one index for each axis, in their order',
      },
    );
    return undefined;
  }
  for (const [axis, extent] of left ? tensor.axes.entries() : []) {
    const variable = left?.[axis];
    if (variable === undefined || elaboration.variables.isGiven(variable)) continue;
    const what = `\`${name.text}\` has ${extent} places here`;
    elaboration.variables.require(variable, { extent, span: name.span, what });
  }
  const [made] = closeStatements([readStatement(open, elaboration)], elaboration);
  if (made === undefined) return undefined;
  if (made.axes.join() === tensor.axes.join()) return made;
  const found = shapeText(made.axes.map((extent) => ({ extent })));
  elaboration.error('E307', span, `what flows on has the shape ${found}, but \`${name.text}\` has ${shape}`, {
    notes: [{ span: tensor.span, message: `\`${name.text}\` is declared here` }],
  });
  return undefined;
}

/** What was hoisted here is not there for the statements of the model. */
function forget(targets: ReadonlySet<string>, { hoisted, definitions }: Elaboration): void {
  for (const [key, tensor] of hoisted) if (targets.has(tensor)) hoisted.delete(key);
  for (const definition of definitions.values())
    if (definition.tensor !== undefined && targets.has(definition.tensor)) delete definition.tensor;
}

/** The tensor whose cotangent can be edited; undefined after a report. */
function editedTensor(
  { name }: CotangentEdit,
  isOwn: (name: string) => boolean,
  scope: Scope,
  elaboration: Elaboration,
): Tensor | undefined {
  const { text, span } = name;
  const entry = scope.lookupTensor(text);
  if (entry === undefined) {
    reportUnknown(text, span, scope, elaboration);
    return undefined;
  }
  entry.used = true;
  if (entry.kind === 'error') return undefined;
  const refuse = (message: string, hint: string, place: Span = entry.span): undefined => {
    elaboration.error('E608', span, message, { notes: [{ span: place, message: 'declared here' }], hint });
  };
  if (entry.kind !== 'tensor') return refuse(`\`${text}\` is no tensor`, 'only tensors have a cotangent');
  const { tensor } = entry;
  if (!isOwn(text))
    return refuse(
      `\`${text}\` is given to this layer`,
      `name it in a statement of the layer, \`own = ${text}\`, and edit the cotangent of that`,
    );
  if (tensor.role !== 'intermediate' && tensor.role !== 'parameter')
    return refuse(
      `\`${text}\` is ${otherRoles[tensor.role]}, so no cotangent arrives at it`,
      'the gradient is taken with respect to parameters, by way of what is computed of them',
    );
  if (tensor.element === 'integer')
    return refuse(
      `\`${text}\` holds integers, which have no cotangent`,
      'edit that of a tensor of real numbers',
    );
  const earlier = elaboration.edits.find((edit) => edit.tensor === tensor.name);
  if (earlier)
    return refuse(
      `the cotangent of \`${text}\` is edited twice`,
      'put both into one statement',
      earlier.span,
    );
  return tensor;
}

/** Reports E608 for the edits of a model without a loss, which has no backward pass. */
export function refuseEdits(model: string, elaboration: Elaboration): void {
  for (const { span } of elaboration.edits) {
    elaboration.error('E608', span, `model \`${model}\` has no loss, so no cotangent flows`, {
      hint: 'leave out the statement, or add `loss = ...`',
    });
  }
}
