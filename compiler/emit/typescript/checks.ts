/**
 * @file What `--checks` adds to a module: a call of `checks.check` after each step with the tensors that it has written, a table of the
 * statements with what computes one of their elements again, and what an update changes.
 */
import { neededFor } from '../../graph/builder.ts';
import { pinned } from '../../graph/results.ts';
import { intendedInfinities } from '../../graph/intended-infinities.ts';
import { isScatter, tensorsReadBy } from '../../graph/expressions.ts';
import type { Program, Statement } from '../../graph/types.ts';
import { ownGradients } from '../../schedule/gradients.ts';
import type { Step } from '../../schedule/types.ts';
import type { ModuleContext } from './functions.ts';
import { printKey, printLiteral } from './literal.ts';
import { fullPlace, printExtents, recomputing, wholeFormula } from './recompute.ts';
import type { EmitRequest } from './request.ts';
import type { Views } from './views.ts';
import { writtenBy } from './written.ts';

/** Names that the runtime gives such a module. */
export const CHECK_NAMES = [
  'Checks',
  'CheckedStatement',
  'CheckedUpdate',
  'CheckOptions',
  'checks',
  'before',
  'checked',
  'updates',
];

export class CheckWriter {
  private readonly request: EmitRequest;
  private readonly program: Program;
  private readonly byTarget: ReadonlyMap<string, Statement>;
  /** The statements whose values are looked at, and those that are computed again where others read them. */
  private readonly described = new Set<string>();
  /** With `--trace`, others are computed for whoever listens. */
  private readonly needed: ReadonlySet<string>;

  constructor(request: EmitRequest) {
    this.request = request;
    this.program = ownGradients(request.program);
    this.byTarget = new Map(this.program.statements.map((statement) => [statement.target, statement]));
    this.needed = neededFor(this.program.statements, pinned(this.program));
  }

  /** The line after a step; none where it writes only integers. */
  after(step: Step): string[] {
    const written = writtenBy(step, this.request.loops, this.byTarget).filter((name) =>
      this.needed.has(name),
    );
    for (const name of written) this.describe(name);
    return written.length === 0 ? [] : [`checks.check(${written.map(printLiteral).join(', ')});`];
  }

  private describe(name: string): void {
    const statement = this.byTarget.get(name);
    if (statement === undefined || this.described.has(name)) return;
    this.described.add(name);
    for (const read of tensorsReadBy(statement)) if (!this.isStored(read)) this.describe(read);
  }

  /** Of what is stored, and of all on the way to it that is not: the statement before formulas were put into others. */
  private before(): Statement[] {
    const { before } = this.request;
    if (before === undefined) return [];
    const byTarget = new Map(before.statements.map((statement) => [statement.target, statement]));
    const isUnstored = (name: string): boolean => !this.isStored(name) && byTarget.has(name);
    const found = new Set<Statement>();
    const visit = (name: string): void => {
      const statement = byTarget.get(name);
      if (statement === undefined || found.has(statement)) return;
      const missing = [...tensorsReadBy(statement)].filter(isUnstored);
      if (missing.length === 0 && this.isStored(name)) return;
      found.add(statement);
      for (const each of missing) visit(each);
    };
    for (const name of this.described) visit(name);
    return before.statements.filter((statement) => found.has(statement));
  }

  private isStored(name: string): boolean {
    return this.request.loops.buffers.has(name);
  }

  /** The statements, once all steps are known. */
  table(module: ModuleContext): string {
    const described = this.program.statements.filter(({ target }) => this.described.has(target));
    return [
      '/** How each statement computes an element, for the message of what is not finite. */',
      'const checked: Readonly<Record<string, CheckedStatement>> = {',
      ...this.entries(described, this.program, module),
      '};',
    ].join('\n');
  }

  tableBefore(module: ModuleContext): string {
    const { before = this.program } = this.request;
    return [
      '/** The statements before some were put into others, as far as their values are not stored. */',
      'const before: Readonly<Record<string, CheckedStatement>> = {',
      ...this.entries(this.before(), before, module),
      '};',
    ].join('\n');
  }

  private entries(statements: readonly Statement[], program: Program, module: ModuleContext): string[] {
    const intended = intendedInfinities(program);
    return statements.map((statement) => {
      const { target, origin, scan, indices, write } = statement;
      const tensor = program.tensors.get(target);
      const { above = false, below = false } = intended.get(target) ?? {};
      const allows = [...(above ? ["'inf'"] : []), ...(below ? ["'-inf'"] : [])];
      // a scatter's indices are not those of what it writes
      const names = isScatter(statement)
        ? write.map((_, axis) => `i${axis}`)
        : indices.slice(0, write.length).map(({ name }) => name);
      const fields = [
        `formula: ${printLiteral(wholeFormula(statement, program))}`,
        `place: ${printLiteral(fullPlace(origin))}`,
        `axes: ${printExtents(tensor?.axes ?? [])}`,
        `indices: ${printLiteral(names)}`,
        ...(scan === undefined
          ? []
          : [
              `steps: { axis: ${indices.findIndex(({ name }) => name === scan.index)}, reversed: ${scan.reversed} }`,
            ]),
        ...(allows.length === 0 ? [] : [`allows: [${allows.join(', ')}]`]),
        ...recomputing(statement, module),
      ];
      return `${printKey(target)}: {\n${fields.join(',\n')},\n},`;
    });
  }

  /** What the optimizer computes for each group of parameters. */
  updates(): string {
    const groups = (this.request.model.training?.groups ?? []).map(({ parameters, program }) => {
      const statements = program.statements
        .filter(({ target }) => isNextValue(target))
        .map((statement) => [statement.target.slice(0, -1), updateStatement(statement, program)] as const);
      return { parameters, statements: Object.fromEntries(statements) };
    });
    return `const updates: readonly CheckedUpdate[] = [\n${groups.map((group) => `${printLiteral(group)},`).join('\n')}\n];`;
  }

  /** In createProgram: the tensors by name, and what is made of them. Asks for their views, so before these are declared. */
  declaration(views: Views): readonly string[] {
    const named = new Set<string>();
    const needed = [...this.described].flatMap((name) => {
      const statement = this.byTarget.get(name);
      return statement === undefined ? [] : [name, ...tensorsReadBy(statement)];
    });
    for (const name of needed) if (this.isStored(name)) named.add(name);
    for (const statement of this.before())
      for (const name of tensorsReadBy(statement)) if (this.isStored(name)) named.add(name);
    const order = [...this.program.tensors.keys()].filter((name) => named.has(name));
    const fields = order.map((name) => {
      const view = views.of(name);
      return view === name ? name : `${printKey(name)}: ${view}`;
    });
    const shapes = order
      .filter((name) => !this.byTarget.has(name))
      .map((name) => `${printKey(name)}: ${printExtents(this.program.tensors.get(name)?.axes ?? [])}`);
    const memory =
      this.request.inference === true
        ? ''
        : ', { description, parameters, gradients, state, scalars, updates }';
    return [
      `const checkedTensors = { ${fields.join(', ')} };`,
      `const shapes = { ${shapes.join(', ')} } as const;`,
      `const checks = new Checks({ statements: checked, before, tensors: checkedTensors, shapes }, options${memory});`,
    ];
  }
}

const isNextValue = (target: string): boolean => target.endsWith("'");

/** As the optimizer has it: without the index that runs through all elements, which nobody wrote. */
function updateStatement(statement: Statement, program: Program) {
  const [index] = statement.indices;
  const formula = wholeFormula(statement, program);
  return {
    formula: index === undefined ? formula : formula.replaceAll(`[${index.name}]`, ''),
    place: fullPlace(statement.origin),
    reads: readsOfUpdate(statement, program),
  };
}

/** What is there when the step is over, in the order of the formula: through intermediates, to parameters, gradients and states. */
function readsOfUpdate(statement: Statement, { statements, tensors }: Program): string[] {
  const byTarget = new Map(statements.map((each) => [each.target, each]));
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (current: Statement): void => {
    for (const name of tensorsReadBy(current)) {
      if (seen.has(name)) continue;
      seen.add(name);
      const maker = byTarget.get(name);
      if (isNextValue(name) || (maker === undefined && tensors.get(name)?.role !== 'scalar')) found.add(name);
      else if (maker !== undefined) visit(maker);
    }
  };
  visit(statement);
  return [...found];
}
