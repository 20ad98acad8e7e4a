/**
 * `scan t { ... }`: statements that run together, step by step. Each may read the others' tensors at earlier steps, so all
 * left sides are read first, then all right sides, then the extents of all are settled, and only then is there a tensor.
 * What turns out not to be recurrent leaves the scan (graph/scan.ts).
 */
import { arrange } from '../graph/scan.ts';
import type { Tensor } from '../graph/types.ts';
import type { Assignment, ScanBlock } from '../syntax/tree.ts';
import type { Elaboration } from './elaboration.ts';
import { bareReduction } from './lowering.ts';
import type { Entry, Scope } from './scope.ts';
import { openScatter, readScatter } from './scatter.ts';
import type { OpenScatter } from './scatter.ts';
import { closeStatements, openStatement, readStatement } from './statements.ts';
import type { OpenStatement } from './statements.ts';
import type { Value } from './values.ts';

/** What the tensor of a statement is called, and what its layer calls are named after. */
export interface ScanName {
  readonly target: string;
  readonly instance: string;
}

/**
 * Adds the statements of the block to the program and defines their names in the scope; gives their tensors by these
 * names, or undefined after a report.
 */
export function elaborateScan(
  block: ScanBlock,
  nameOf: (item: Assignment) => ScanName,
  scope: Scope,
  elaboration: Elaboration,
): ReadonlyMap<string, Tensor> | undefined {
  const { items } = block;
  const steps = items.map((item, place) =>
    openStep(item, nameOf(item), { block, place }, scope, elaboration),
  );
  const [first] = steps;
  for (const step of steps) {
    const index = step?.frame.step?.index;
    if (index !== undefined && first?.frame.step) link(first.frame.step.index, index, elaboration);
  }
  const read = steps.map((step, place) => {
    if (step === undefined) return undefined;
    if ('sizes' in step) return readScatter(step, elaboration);
    const statement = readStatement(step, elaboration);
    if (statement.value)
      notePlace(scope.own(items[place]?.name.text ?? ''), step, statement.value, elaboration);
    return statement;
  });
  linkAlike(steps, elaboration);
  const sound = read.filter((each) => each !== undefined);
  const from = elaboration.builder.size;
  const tensors = closeStatements(sound, elaboration);
  const complete = new Map<string, Tensor>();
  for (const [place, { name }] of items.entries()) {
    const tensor = sound.length === items.length ? tensors[place] : undefined;
    const used = scope.own(name.text)?.used ?? false;
    const { span } = name;
    if (tensor) complete.set(name.text, tensor);
    scope.define(name.text, tensor ? { kind: 'tensor', tensor, span, used } : { kind: 'error', span, used });
  }
  if (complete.size < items.length) return undefined;
  elaboration.builder.rearrange(from, arrange);
  return complete;
}

type OpenStep = OpenStatement | OpenScatter;

/** The left side, and the name as the other statements of the block know it. */
function openStep(
  item: Assignment,
  { target, instance }: ScanName,
  { block, place }: { readonly block: ScanBlock; readonly place: number },
  scope: Scope,
  elaboration: Elaboration,
): OpenStep | undefined {
  const { name, bindings, scatter, value, span } = item;
  const request = { target, instance, value, span };
  const open = scatter
    ? openScatter({ ...request, scatter }, scope, elaboration)
    : openStatement({ ...request, ...(bindings ? { bindings } : {}) }, scope, elaboration);
  const left = 'sizes' in open ? axesOf(open, elaboration) : open.left;
  const { text } = block.index;
  const stepAxis = left?.findIndex((variable) => elaboration.variables.nameOf(variable) === text) ?? -1;
  const index = left?.[stepAxis];
  if (left === undefined || index === undefined) {
    if (left !== undefined || !(bindings || scatter)) {
      elaboration.error('E405', name.span, `index \`${text}\` is missing on the left`, {
        notes: [{ span: block.index.span, message: 'the scan runs over it' }],
        hint: scatter
          ? `every statement of a scan has a value at each step: \`${name.text}[..., ${text}, ...] ${scatter.operator} ... for ${text}, ...\``
          : `every statement of a scan has a value at each step: \`${name.text}[..., ${text}, ...] = ...\``,
      });
    }
    scope.define(name.text, { kind: 'error', span: name.span, used: true });
    return undefined;
  }
  open.frame.step = { index, reversed: block.reversed, place, alike: [] };
  const tensor = { name: target, axes: left, stepAxis, place, isWhole: false };
  scope.define(name.text, { kind: 'recurrent', tensor, span: name.span, used: false });
  return open;
}

/** The index variables of a scatter's axes: those that stand there alone, and one for each axis of a given size. */
function axesOf(
  { request, inner, loops, sizes }: OpenScatter,
  elaboration: Elaboration,
): string[] | undefined {
  if (loops === undefined) return undefined;
  return request.scatter.positions.map(({ index, span }, axis) => {
    const entry = index.kind === 'reference' ? inner.own(index.name.text) : undefined;
    const size = sizes[axis];
    const isAlone = entry?.kind === 'index' && size === undefined;
    return isAlone ? entry.variable : elaboration.variables.bound('', span, size);
  });
}

/** Statements further down may read a place as an index. */
function notePlace(
  entry: Entry | undefined,
  { left }: OpenStatement,
  { body }: Value,
  elaboration: Elaboration,
): void {
  if (entry?.kind !== 'recurrent' || left === undefined) return;
  const reduction = bareReduction(left, body, elaboration);
  if (reduction?.combine !== 'argmax' && reduction?.combine !== 'argmin') return;
  entry.tensor.isWhole = true;
  elaboration.stepPlaces.set(entry.tensor.name, reduction.definition);
}

/** All statements of a block have as many steps. */
function link(first: string, other: string, elaboration: Elaboration): void {
  const { variables } = elaboration;
  const conflict = variables.link(first, other);
  if (conflict === undefined) return;
  const [one, two] = conflict;
  const name = variables.nameOf(other);
  elaboration.error(
    'E301',
    variables.spanOf(other),
    `\`${name}\` has both ${one.extent} and ${two.extent} steps`,
    {
      notes: [one, two].map(({ span, what }) => ({ span, message: what })),
    },
  );
}

/** In a read with `else` an index may run over its axis or not; where nothing else says how far, it does. */
function linkAlike(steps: readonly (OpenStep | undefined)[], { variables }: Elaboration): void {
  for (const step of steps) {
    for (const { index, axis } of step?.frame.step?.alike ?? []) {
      const isSettled = [index, axis].every((id) => variables.extentOf(id) !== undefined);
      if (!isSettled) variables.link(axis, index);
    }
  }
}
