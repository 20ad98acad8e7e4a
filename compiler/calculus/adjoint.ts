/** The gradient of a program: the sweep over its statements (sweep.ts), and what becomes of every trained parameter. */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { Span } from '../diagnostics/source.ts';
import { neededFor } from '../graph/builder.ts';
import { one, zero } from '../graph/expressions.ts';
import { arrangeScans } from '../graph/scan.ts';
import type { Program, Statement } from '../graph/types.ts';
import { reportNotArriving } from './edits.ts';
import { TensorTable } from './names.ts';
import { ReverseSweep, reserveCotangents, type forms, type SweepRequest, type SweepResult } from './sweep.ts';

export interface DifferentiateOptions {
  /** `scatter` takes the scattered form everywhere: right by construction, the oracle of the inverted one. */
  readonly form?: keyof typeof forms;
  /**
   * What the loss depended on before derivatives in it were expanded: what it depends on no more (a bias that a derivative
   * does not see) has the gradient 0, with W702.
   */
  readonly dependsOn?: ReadonlySet<string>;
}

/**
 * Adds the backward statements of `program.loss` and fills `gradients`: parameter -> tensor of the same axes. Without a
 * loss the program comes back as it is. Reported: E601 (a parameter that the loss does not depend on: it gets no gradient),
 * W702 (a gradient that is zero everywhere), E602, E603, E608 (an edit of a cotangent that does not arrive).
 */
export function differentiate(
  program: Program,
  diagnostics: Diagnostics,
  options: DifferentiateOptions = {},
): Program {
  const loss = program.loss === undefined ? undefined : program.tensors.get(program.loss);
  if (loss === undefined) return program;
  if (loss.axes.length > 0) {
    diagnostics.error(
      'E602',
      loss.span,
      `the loss \`${loss.name}\` has ${loss.axes.length} axes, expected none`,
    );
    return program;
  }
  const { edits = [], ...rest } = program;
  const { form = 'inverted', dependsOn = new Set() } = options;
  const request: SweepRequest = { ...trainingOf(program, loss.name), phase: 'backward', form, edits };
  const sweep = new ReverseSweep(request, diagnostics).sweep();
  const { gradients, definitions } = gradientsOf(program, loss.name, sweep, { dependsOn, diagnostics });
  if (!sweep.isComplete) return program;
  const reached = neededFor(program.statements, [loss.name]);
  for (const edit of edits.filter(({ tensor }) => sweep.cotangentOf(tensor) === undefined))
    reportNotArriving(edit, program, reached, new Set(sweep.reserved.keys()), diagnostics);
  const forward = program.statements.flatMap((statement) => {
    const companion = sweep.companions.get(statement.target);
    return companion === undefined ? [statement] : [statement, companion];
  });
  return arrangeScans({
    ...rest,
    ...(sweep.edited.length === 0 ? {} : { editedCotangents: sweep.edited }),
    tensors: sweep.tensors.ordered(program.tensors),
    statements: [...forward, ...sweep.statements, ...definitions],
    gradients,
  });
}

/** What `differentiate` calls the cotangents of the loss: tensor -> its cotangent, if it is not zero everywhere. */
export function cotangentNames(program: Program): Map<string, string> {
  const { loss } = program;
  if (loss === undefined) return new Map();
  return reserveCotangents(trainingOf(program, loss), new TensorTable(program.tensors));
}

/** The loss by all trained parameters. */
export function trainingOf(
  program: Program,
  loss: string,
): Pick<SweepRequest, 'program' | 'root' | 'by' | 'nameOf'> {
  const trained = [...program.tensors.values()].filter(
    ({ role, frozen }) => role === 'parameter' && frozen !== true,
  );
  const by = new Set(trained.map(({ name }) => name));
  return { program, root: loss, by, nameOf: (tensor) => `d${tensor}` };
}

interface Gradients {
  /** Every trained parameter's, in the order of declaration. */
  readonly gradients: Map<string, string>;
  /** Of those that the sweep has not: 0 everywhere, or 1 of a loss that is itself a parameter. */
  readonly definitions: readonly Statement[];
}

function gradientsOf(
  program: Program,
  loss: string,
  sweep: SweepResult,
  { dependsOn, diagnostics }: { dependsOn: ReadonlySet<string>; diagnostics: Diagnostics },
): Gradients {
  const gradients = new Map<string, string>();
  const definitions: Statement[] = [];
  const zeroEverywhere = (name: string, cotangent: string, span: Span, hint: string): void => {
    diagnostics.warning('W702', span, `the gradient of the parameter \`${name}\` is zero everywhere`, {
      hint,
    });
    definitions.push(sweep.define(name, cotangent, zero));
  };
  for (const { name, span, role, frozen } of program.tensors.values()) {
    if (role !== 'parameter' || frozen === true) continue;
    let cotangent = name === loss ? sweep.tensors.reserve(`d${name}`) : sweep.reserved.get(name);
    if (cotangent === undefined && dependsOn.has(name)) {
      cotangent = sweep.tensors.reserve(`d${name}`);
      zeroEverywhere(name, cotangent, span, 'the derivatives in the loss do not depend on it');
    } else if (cotangent === undefined) {
      diagnostics.error('E601', span, `the loss does not depend on the parameter \`${name}\``, {
        hint: 'use it, remove it, or freeze it in the train block',
      });
      continue;
    } else if (name === loss) definitions.push(sweep.define(name, cotangent, one));
    else if (sweep.cotangentOf(name) === undefined)
      zeroEverywhere(
        name,
        cotangent,
        span,
        'only operators without a derivative (floor, comparisons, stop_gradient) lead to the loss',
      );
    gradients.set(name, cotangent);
  }
  return { gradients, definitions };
}
