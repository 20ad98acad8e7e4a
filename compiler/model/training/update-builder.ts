/** Collects the tensors and statements of one update program: what optimizers and schedules have in common. */
import type { Diagnostics } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import { ProgramBuilder } from '../../graph/builder.ts';
import { freshName, renameTensors } from '../../graph/expressions.ts';
import type { Extent, Initializer, Program, Tensor } from '../../graph/types.ts';
import type { Assignment, StateDeclaration, SyntaxExpression } from '../../syntax/tree.ts';
import { evaluateConstant } from '../constants.ts';
import { Elaboration } from '../elaboration.ts';
import { Scope } from '../scope.ts';
import { elaborateStatement } from '../statements.ts';
import { shapeText } from '../values.ts';
import type { Result, Value } from '../values.ts';
import { knownNames } from './hints.ts';

export class UpdateBuilder {
  readonly elaboration: Elaboration;
  readonly diagnostics: Diagnostics;
  private readonly errorsBefore: number;

  /** `site`: where the model calls it. `reserved`: names of results, which no state and no local may take. */
  constructor(name: string, site: Span, diagnostics: Diagnostics, reserved: readonly string[] = []) {
    const builder = new ProgramBuilder(name, 'update');
    builder.reserve(...reserved);
    this.diagnostics = diagnostics;
    this.elaboration = new Elaboration(diagnostics, builder);
    this.elaboration.site = site;
    this.errorsBefore = diagnostics.list.length;
  }

  /** What evaluates constants in a scope. */
  evaluator(scope: Scope, what: string): (expression: SyntaxExpression) => number | undefined {
    return (expression) => evaluateConstant(expression, scope, this.elaboration, { what });
  }

  // ---------------------------------------------------------------------------------------------------------- tensors

  /** A run of the parameter or of its gradient. */
  parameter(name: string, role: 'parameter' | 'input', extent: Extent, scope: Scope, span: Span): void {
    const tensor: Tensor = { name, role, axes: [extent], axisNames: ['i'], element: 'real', span };
    // the first values of `p` are those of the model's parameters
    const initializer = { kind: 'constant', value: 0 } as const;
    this.declare(name, role === 'parameter' ? { ...tensor, initializer } : tensor, scope);
  }

  /** A number that the runtime sets before each step. In one program it is declared once. */
  scalar(name: string, scope: Scope, span: Span): void {
    const known = this.elaboration.builder.tensor(name);
    const tensor: Tensor = known ?? {
      name,
      role: 'scalar',
      axes: [],
      axisNames: [],
      element: 'double',
      span,
    };
    if (known === undefined) this.elaboration.builder.declare(tensor);
    scope.define(name, { kind: 'tensor', tensor, span, used: true });
  }

  /** A state; gives the name of its tensor, which differs from its own if another schedule has one of that name. */
  state(item: StateDeclaration, axes: readonly Extent[], initializer: Initializer, scope: Scope): string {
    const { text } = item.name;
    if (!this.isNew(text, item, scope)) return text;
    const name = this.elaboration.builder.freshName(text);
    this.declare(
      text,
      {
        name,
        role: 'state',
        axes,
        axisNames: axes.map(() => 'i'),
        element: axes.length === 0 ? 'double' : 'real',
        initializer,
        span: item.span,
      },
      scope,
    );
    return name;
  }

  private declare(name: string, tensor: Tensor, scope: Scope): void {
    this.elaboration.builder.declare(tensor);
    scope.define(name, { kind: 'tensor', tensor, span: tensor.span, used: true });
  }

  // ------------------------------------------------------------------------------------------------------ assignments

  /** A name for a value. One number that the step decides is computed once, as a statement; the rest is put in place. */
  local(name: string, value: Result, item: Assignment, scope: Scope): void {
    if (!this.isNew(name, item, scope)) return;
    const isNumber = value.kind === 'value' && value.axes.length === 0;
    const isKnown = isNumber && (value.constant !== undefined || value.tensor !== undefined);
    if (isNumber && !isKnown) {
      const tensor = this.assign(this.elaboration.builder.freshName(name), value, item.span);
      if (tensor !== undefined) scope.define(name, { kind: 'tensor', tensor, span: item.span, used: true });
      return;
    }
    scope.define(name, { kind: 'value', value, span: item.span, used: true });
  }

  /** A number that is computed once a step from others, under a name that is new. */
  computed(name: string, tensorName: string, value: Result, span: Span, scope: Scope): void {
    const tensor = this.assign(this.elaboration.builder.freshName(tensorName), value, span);
    if (tensor !== undefined) scope.define(name, { kind: 'tensor', tensor, span, used: true });
  }

  /** The next value of a state or of the parameter, which has these axes. Reports E307 if it has others. */
  assignNext(target: string, axes: readonly Extent[], value: Result, item: Assignment, scope: Scope): void {
    const name = item.name.text;
    if (!this.isNew(name, item, scope)) return;
    if (value.kind === 'error') {
      scope.define(name, { kind: 'error', span: item.span, used: true });
      return;
    }
    if (value.axes.length > axes.length) {
      this.reportShape(value, item);
      scope.define(name, { kind: 'error', span: item.span, used: true });
      return;
    }
    const tensor = this.assign(target, value, item.span, axes);
    if (tensor !== undefined) scope.define(name, { kind: 'tensor', tensor, span: item.span, used: true });
  }

  /** target = value; one number is the value of every element. */
  assign(target: string, value: Result, span: Span, axes: readonly Extent[] = []): Tensor | undefined {
    const scope = new Scope();
    scope.define(target, { kind: 'value', value, span, used: true });
    const reference: SyntaxExpression = { kind: 'reference', name: { text: target, span }, span };
    const named = axes.map((extent) => ({ name: 'i', extent }));
    return elaborateStatement({ target, value: reference, span, axes: named }, scope, this.elaboration);
  }

  /** False if the name is taken in this very definition; it has been reported (E202). */
  private isNew(name: string, item: Assignment | StateDeclaration, scope: Scope): boolean {
    const known = scope.own(name);
    if (known === undefined || known.kind === 'callable') return true;
    this.diagnostics.error('E202', item.name.span, `\`${name}\` is defined already`, {
      notes: [{ span: known.span, message: 'first here' }],
      hint: "a name is given one value; the next value of a state `m` is written `m'`",
    });
    return false;
  }

  // ---------------------------------------------------------------------------------------------------------- reports

  reportNoState(item: Assignment, states: readonly string[]): void {
    const state = item.name.text.slice(0, -1);
    this.diagnostics.error('E201', item.name.span, `there is no state \`${state}\``, {
      ...(states.length === 0
        ? { hint: `declare it: \`state ${state} ~ zeros\`` }
        : knownNames(state, states)),
    });
  }

  private reportShape(value: Value, item: Assignment): void {
    const state = item.name.text.slice(0, -1);
    const message = `\`${state}\` is one number, but its next value has the shape ${shapeText(value.axes)}`;
    this.diagnostics.error('E307', item.value.span, message, {
      hint: `reduce it, as in \`mean(...)\`, or declare \`state ${state}\` without []`,
    });
  }

  // ----------------------------------------------------------------------------------------------------------- result

  /** Undefined if something was reported. */
  program(outputs: readonly string[]): Program | undefined {
    if (this.diagnostics.list.slice(this.errorsBefore).some(({ severity }) => severity === 'error'))
      return undefined;
    for (const output of outputs) this.elaboration.builder.output(output);
    return withPlainNames(this.elaboration.builder.build());
  }
}

/** Reductions hoisted from the statement of m' are called m_sum, not m'_sum: only a next value has a prime. */
function withPlainNames(program: Program): Program {
  const taken = new Set(program.tensors.keys());
  const names = new Map<string, string>();
  for (const name of program.tensors.keys()) {
    if (!name.includes("'") || name.endsWith("'")) continue;
    const plain = freshName(name.replaceAll("'", ''), taken);
    taken.add(plain);
    names.set(name, plain);
  }
  if (names.size === 0) return program;
  const plainOf = (name: string): string => names.get(name) ?? name;
  const statements = program.statements.map((statement) => ({
    ...statement,
    target: plainOf(statement.target),
    body: renameTensors(statement.body, names),
  }));
  const tensors = [...program.tensors.values()].map((tensor): [string, Tensor] => {
    const name = plainOf(tensor.name);
    return [name, { ...tensor, name }];
  });
  return { ...program, tensors: new Map(tensors), statements };
}
