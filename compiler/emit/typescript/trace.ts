/** @file What `--trace` adds to a module: a call after each step with the named tensors that it has written, and what is known of them. */
import type { Program, Statement } from '../../graph/types.ts';
import { ownGradients } from '../../schedule/gradients.ts';
import type { Step } from '../../schedule/types.ts';
import { printKey, printLiteral } from './literal.ts';
import { fullPlace, printExtents, wholeFormula } from './recompute.ts';
import type { EmitRequest } from './request.ts';
import type { Views } from './views.ts';
import { writtenBy } from './written.ts';

/** Names that the runtime gives such a module. */
export const TRACE_NAMES = ['Tracer', 'TracedTensor', 'TraceOptions', 'TraceName', 'trace', 'traced'];

interface Traced {
  readonly name: string;
  readonly kind: 'value' | 'cotangent' | 'gradient' | 'parameter';
  readonly origin: Pick<Statement, 'origin'>['origin'] | undefined;
  readonly formula: string;
}

export class TraceWriter {
  private readonly request: EmitRequest;
  private readonly program: Program;
  private readonly byTarget: ReadonlyMap<string, Statement>;
  private readonly wanted: ReadonlySet<string>;
  private readonly written = new Set<string>();

  constructor(request: EmitRequest) {
    this.request = request;
    this.program = ownGradients(request.program);
    this.byTarget = new Map(this.program.statements.map((statement) => [statement.target, statement]));
    this.wanted = new Set([...(request.traced ?? []), ...this.program.gradients.values()]);
  }

  after(step: Step): string[] {
    const names = writtenBy(step, this.request.loops, this.byTarget).filter((name) => this.wanted.has(name));
    for (const name of names) this.written.add(name);
    return names.length === 0 ? [] : [`trace.emit(${names.map(printLiteral).join(', ')});`];
  }

  /** After the update; none where nothing is trained. */
  afterUpdate(): string[] {
    const names = this.parameters().map(({ name }) => name);
    return names.length === 0
      ? []
      : [
          `trace.begin('update', ${this.rows()}, step);`,
          `trace.emit(${names.map(printLiteral).join(', ')});`,
        ];
  }

  private rows(): string {
    return this.request.loops.batch === undefined ? '1' : 'undefined';
  }

  private parameters(): Traced[] {
    const groups = this.request.model.training?.groups ?? [];
    if (this.request.inference === true) return [];
    return groups.flatMap(({ parameters, program }) => {
      const statement = program.statements.find(({ target }) => target === "p'");
      const formula = statement === undefined ? '' : wholeFormula(statement, program);
      return parameters.map((name) => ({
        name,
        kind: 'parameter' as const,
        origin: statement?.origin,
        formula,
      }));
    });
  }

  private all(): Traced[] {
    const gradients = new Set(this.program.gradients.values());
    const computed = this.program.statements
      .filter(({ target }) => this.written.has(target))
      .map((statement): Traced => {
        const { target, phase, origin } = statement;
        const kind = gradients.has(target) ? 'gradient' : phase === 'forward' ? 'value' : 'cotangent';
        return { name: target, kind, origin, formula: wholeFormula(statement, this.program) };
      });
    return [...computed, ...this.parameters()];
  }

  /** `'h' | 'dh' | 'dW1' | 'W1'`, and what is known of each. */
  tables(): string[] {
    const all = this.all();
    const names = all.map(({ name }) => JSON.stringify(name)).join(' | ');
    const entries = all.map(({ name, kind, origin, formula }) => {
      const axes = printExtents(this.program.tensors.get(name)?.axes ?? []);
      const place = printLiteral(origin === undefined ? '' : fullPlace(origin));
      return `${printKey(name)}: { kind: '${kind}', axes: ${axes}, place: ${place}, formula: ${printLiteral(formula)} },`;
    });
    return [
      `/** What can be followed: what the model names, its cotangents, gradients and parameters. */\nexport type TraceName = ${names === '' ? 'never' : names};`,
      `const traced: Readonly<Record<TraceName, TracedTensor>> = {\n${entries.join('\n')}\n};`,
    ];
  }

  declaration(views: Views): readonly string[] {
    const fields = this.all().map(({ name }) => {
      const view = views.of(name);
      return view === name ? name : `${printKey(name)}: ${view}`;
    });
    return [`const trace = new Tracer<TraceName>({ traced, tensors: { ${fields.join(', ')} } }, options);`];
  }
}
