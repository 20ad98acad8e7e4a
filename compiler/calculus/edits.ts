/**
 * Edits of cotangents in the reverse sweep. What arrives at an edited tensor is summed up under a name of its own, `dh_in`;
 * the statements of the edit follow, and the last of them gives `dh`, which is what the sweep goes on with.
 */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import { accesses, scanAxis } from '../graph/scan.ts';
import { isPlainIndex, isScatter, renameTensors } from '../graph/expressions.ts';
import type { CotangentEdit, Program, Scan, Statement } from '../graph/types.ts';
import type { TensorTable } from './names.ts';

/** An edit with names that no other tensor of the gradient has. */
export interface NamedEdit {
  /** What arrives. */
  readonly arriving: string;
  /** In order; the last one writes the cotangent. */
  readonly statements: readonly Statement[];
  readonly edit: CotangentEdit;
}

/** Gives the edit its place in the gradient program. `cotangent` is what the sweep reads. */
export function nameEdit(edit: CotangentEdit, cotangent: string, tensors: TensorTable): NamedEdit {
  const names = new Map([[edit.arriving.name, tensors.reserve(edit.arriving.name)]]);
  for (const [place, { target }] of edit.statements.entries())
    names.set(target, place === edit.statements.length - 1 ? cotangent : tensors.reserve(target));
  const nameOf = (name: string): string => names.get(name) ?? name;
  const statements = edit.statements.map((statement) => ({
    ...statement,
    target: nameOf(statement.target),
    body: renameTensors(statement.body, names),
  }));
  return { arriving: nameOf(edit.arriving.name), statements, edit };
}

/** Declares the targets of the edit's own statements; the last one has the axes of its tensor. */
export function declareEdit({ statements, edit }: NamedEdit, tensors: TensorTable): void {
  for (const [place, { target }] of statements.entries()) {
    const own = edit.statements[place]?.target ?? '';
    const tensor = edit.tensors.get(own);
    if (tensor === undefined) throw new Error(`${own} is not declared`);
    if (place === statements.length - 1) tensors.declareLike(tensors.get(edit.tensor), target);
    else tensors.declare({ ...tensor, name: target });
  }
}

/**
 * The statements as steps of a scan that runs the other way than that of the tensor: each reads what arrives, and what was
 * made of it, at its own step. Undefined where one does not.
 */
export function editInScan(
  { arriving, statements }: NamedEdit,
  source: Statement & { readonly scan: Scan },
): readonly Statement[] | undefined {
  /** Tensor that depends on the step -> the axis that counts the steps. */
  const axes = new Map([[arriving, scanAxis(source)]]);
  const steps: Statement[] = [];
  for (const statement of statements) {
    const indices = accesses(statement).flatMap(({ tensor, at }) => {
      const axis = axes.get(tensor);
      return axis === undefined ? [] : [isPlainAt(at[axis])];
    });
    if (indices.length === 0) {
      steps.push(statement);
      continue;
    }
    const [index] = indices;
    const axis = statement.write.findIndex((each) => isPlainIndex(each) === index);
    const isStepwise = index !== undefined && indices.every((each) => each === index) && axis >= 0;
    if (!isStepwise || isScatter(statement)) return undefined;
    axes.set(statement.target, axis);
    const { group, reversed } = source.scan;
    steps.push({ ...statement, scan: { group: `${group}, adjoint`, index, reversed: !reversed } });
  }
  const last = steps.at(-1);
  return last !== undefined && (last.scan === undefined || scanAxis(last) === scanAxis(source))
    ? steps
    : undefined;
}

const isPlainAt = (index: Parameters<typeof isPlainIndex>[0] | undefined): string | undefined =>
  index && isPlainIndex(index);

export function reportNoSteps({ tensor, span }: CotangentEdit, diagnostics: Diagnostics): void {
  diagnostics.error(
    'E608',
    span,
    `the cotangent of \`${tensor}\`, a tensor of a scan, arrives step by step`,
    {
      hint: 'what flows on at a step can depend on what arrives at this step alone: read and write it at the index of the scan',
    },
  );
}

/** E608 for an edit at whose tensor nothing arrives. */
export function reportNotArriving(
  { tensor, span }: CotangentEdit,
  program: Program,
  reached: ReadonlySet<string>,
  active: ReadonlySet<string>,
  diagnostics: Diagnostics,
): void {
  const declared = program.tensors.get(tensor);
  const why = !reached.has(tensor)
    ? `the loss does not depend on \`${tensor}\``
    : declared?.frozen === true
      ? `\`${tensor}\` is frozen: it has no gradient`
      : active.has(tensor)
        ? `only functions without a derivative lead from \`${tensor}\` to the loss`
        : `nothing that is trained leads to \`${tensor}\``;
  diagnostics.error('E608', span, `no cotangent arrives at \`${tensor}\`, so there is none to edit`, {
    hint: `${why}; remove the statement, or edit the cotangent of another tensor`,
  });
}
