/**
 * Puts statements in the place of the derivatives that a model asks for: `grad(y[n], x[n, i])`, `jvp(y, x = v)`.
 *
 * One call expands the first of them, and all others of the same tensor; the program must have been prepared, so that what is
 * differentiated is in its stable form, and is prepared again before the next. What was put in is plain statements, so that a
 * derivative may be part of what another one is taken of, to any order.
 *
 * Names: the derivative of `D` by `h` is `dD_dh`, a cotangent in reverse mode and a tangent in forward mode.
 */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import { withStatements } from '../graph/builder.ts';
import { read, zero } from '../graph/expressions.ts';
import { arrangeScans } from '../graph/scan.ts';
import { INFERENCE_HISTORY } from '../graph/variants.ts';
import type { Derivative, Expression, Program, Statement } from '../graph/types.ts';
import { TensorTable } from './names.ts';
import { partialDerivatives } from './partial.ts';
import { pushAll, Subject, within, type Expansion } from './subject.ts';
import type { Direction } from './tangent.ts';

/** A statement whose whole body is a derivative. */
interface Wanted {
  readonly statement: Statement;
  readonly term: Derivative;
}

export interface ExpandOptions {
  /** Instead of what is cheaper by shape; the results are the same. */
  readonly mode?: 'forward' | 'reverse';
}

/** True if the program still asks for a derivative. */
export function hasDerivatives({ statements }: Program): boolean {
  return statements.some(({ body }) => body.kind === 'derivative');
}

/**
 * The program with the first derivative that it asks for expanded, and all others of the same tensor. Reported: E612 (it does
 * not depend on what it is differentiated by), E603 (an operation without a derivative is on the way), W702 (the derivative is
 * zero everywhere); after an error the derivative is left as it is.
 */
export function expandDerivatives(
  program: Program,
  diagnostics: Diagnostics,
  { mode }: ExpandOptions = {},
): Program {
  const [first, ...others] = program.statements.flatMap((statement): Wanted[] =>
    statement.body.kind === 'derivative' ? [{ statement, term: statement.body }] : [],
  );
  if (first === undefined) return program;
  const isAlong = first.term.along !== undefined;
  const alike = others.filter(
    ({ term }) => !isAlong && term.along === undefined && term.of.tensor === first.term.of.tensor,
  );
  const group = [first, ...alike];
  const of = new Subject(program, first.term.of.tensor);
  const sound = group.map((wanted) => isSound(wanted, of, diagnostics));
  if (sound.includes(false)) return program;
  const expansion = isAlong
    ? alongDirection(first.term, of, diagnostics)
    : partialDerivatives(
        group.map(({ term }) => term),
        of,
        diagnostics,
        mode,
      );
  if (expansion === undefined) return program;

  const bodies = new Map<Statement, Expression>();
  for (const { statement, term } of group) {
    const value = expansion.valueOf(term);
    if (value === undefined) warnOfZero(term, diagnostics);
    bodies.set(statement, value ?? zero);
  }
  const statements = program.statements.flatMap((statement) => {
    const body = bodies.get(statement);
    if (body === undefined) return [statement];
    const made = statement === first.statement ? expansion.statements : [];
    return [...made, { ...statement, body }];
  });
  if (new Set(statements.map(({ target }) => target)).size < statements.length)
    throw new Error(`the derivatives of ${of.name} define a tensor twice`);
  return arrangeScans(withStatements(program, statements, expansion.tensors));
}

// ------------------------------------------------------------------------------------------------------------- reports

function isSound({ term, statement }: Wanted, of: Subject, diagnostics: Diagnostics): boolean {
  for (const { tensor } of term.by) {
    const isRecurrent = of.statements.some(({ target, scan }) => target === tensor && scan !== undefined);
    if (term.along !== undefined && isRecurrent) {
      if (isKnown('E611', term, diagnostics)) return false;
      const message = `\`${tensor}\` is computed step by step, so it cannot vary by itself`;
      diagnostics.error('E611', term.span, message, {
        hint: 'let what it is computed from vary, or take `grad` by an element of it',
      });
      return false;
    }
    if (of.reached.has(tensor)) continue;
    if (isOfInferenceAlone(statement)) {
      if (isKnown('W702', term, diagnostics)) continue;
      const message = `in inference what is differentiated here does not depend on \`${tensor}\``;
      diagnostics.warning('W702', term.span, message, { hint: 'the derivative is zero there' });
      continue;
    }
    if (isKnown('E612', term, diagnostics)) return false;
    const message = `what is differentiated here does not depend on \`${tensor}\``;
    diagnostics.error('E612', term.span, message, {
      hint: 'its derivative would be zero everywhere; differentiate by what it is computed from',
    });
    return false;
  }
  return true;
}

/** Inference has it in a form of its own: the next value of a state is the state. What training asks for is looked at by itself. */
const isOfInferenceAlone = ({ origin }: Statement): boolean => origin.history.includes(INFERENCE_HISTORY);

/** Both variants of a model may have it. */
const isKnown = (code: DiagnosticCode, { span }: Derivative, { list }: Diagnostics): boolean =>
  list.some((known) => known.code === code && known.span === span);

function warnOfZero(term: Derivative, diagnostics: Diagnostics): void {
  if (isKnown('W702', term, diagnostics)) return;
  diagnostics.warning('W702', term.span, 'this derivative is zero everywhere', {
    hint: 'only operators without a derivative (floor, comparisons, stop_gradient) lead to it',
  });
}

// ------------------------------------------------------------------------------------------------------ along a direction

function alongDirection(
  { by, along = [] }: Derivative,
  of: Subject,
  diagnostics: Diagnostics,
): Expansion | undefined {
  const tensors = new TensorTable(of.program.tensors);
  const directions = new Map(
    by.map(({ tensor }, place): [string, Direction] => [
      tensor,
      { kind: 'tensor', name: along[place]?.tensor ?? '' },
    ]),
  );
  const names = by.map(({ tensor }) => tensor).join(', ');
  const pushed = pushAll(
    of.statements,
    { tensors, directions, nameOf: (tensor) => `t${tensor}`, phase: 'forward' },
    diagnostics,
  );
  if (pushed === undefined) return undefined;
  const result = pushed.tangents.get(of.name);
  return {
    statements: pushed.statements.map((each) => within(each, `derivative of ${of.name} along ${names}`)),
    tensors: tensors.all,
    valueOf: (term) => (result === undefined ? undefined : read(result, term.of.at)),
  };
}
