/**
 * `scan t { ... }`: statements that run together, step by step. Each may read the others' tensors at earlier steps, so all
 * left sides are read first, then all right sides, then the extents of all are settled, and only then is there a tensor.
 * What turns out not to be recurrent leaves the scan (graph/scan.ts).
 */
import { arrange } from '../graph/scan.ts';
import type { Tensor } from '../graph/types.ts';
import type { Assignment, ScanBlock } from '../syntax/tree.ts';
import type { Elaboration } from './elaboration.ts';
import type { Scope } from './scope.ts';
import { closeStatements, evaluateStatement, openStatement } from './statements.ts';
import type { OpenStatement } from './statements.ts';

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
  const values = steps.map((open) => open && { open, value: evaluateStatement(open, elaboration) });
  linkAlike(steps, elaboration);
  const sound = values.filter((each) => each !== undefined);
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

/** The left side, and the name as the other statements of the block know it. */
function openStep(
  item: Assignment,
  { target, instance }: ScanName,
  { block, place }: { readonly block: ScanBlock; readonly place: number },
  scope: Scope,
  elaboration: Elaboration,
): OpenStatement | undefined {
  const { name, bindings, value, span } = item;
  const request = { target, instance, value, span, ...(bindings ? { bindings } : {}) };
  const open = openStatement(request, scope, elaboration);
  const { left = [] } = open;
  const { text } = block.index;
  const stepAxis = left.findIndex((variable) => elaboration.variables.nameOf(variable) === text);
  const index = left[stepAxis];
  if (index === undefined) {
    if (open.left || !bindings) {
      elaboration.error('E405', name.span, `index \`${text}\` is missing on the left`, {
        notes: [{ span: block.index.span, message: 'the scan runs over it' }],
        hint: `every statement of a scan has a value at each step: \`${name.text}[..., ${text}, ...] = ...\``,
      });
    }
    scope.define(name.text, { kind: 'error', span: name.span, used: true });
    return undefined;
  }
  open.frame.step = { index, reversed: block.reversed, place, alike: [] };
  const tensor = { name: target, axes: left, stepAxis, place };
  scope.define(name.text, { kind: 'recurrent', tensor, span: name.span, used: false });
  return open;
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
function linkAlike(steps: readonly (OpenStatement | undefined)[], { variables }: Elaboration): void {
  for (const step of steps) {
    for (const { index, axis } of step?.frame.step?.alike ?? []) {
      const isSettled = [index, axis].every((id) => variables.extentOf(id) !== undefined);
      if (!isSettled) variables.link(axis, index);
    }
  }
}
