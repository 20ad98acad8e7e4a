/** @file What `--trace` adds to a module: a call after each step with the named tensors that it has written, and what is known of them. */
import type { Program, Statement } from '../../graph/types.ts';
import type { Followed } from '../../rewrite/named.ts';
import { ownGradients } from '../../schedule/gradients.ts';
import type { Step } from '../../schedule/types.ts';
import { printKey, printLiteral } from './literal.ts';
import { fullPlace, printExtents, wholeFormula } from './recompute.ts';
import type { EmitRequest } from './request.ts';
import type { Views } from './views.ts';
import { writtenBy } from './written.ts';

/** Names that the runtime gives such a module. */
export const TRACE_NAMES = ['Tracer', 'TracedTensor', 'TraceOptions', 'TraceName', 'trace', 'traced'];

/** What is known of a tensor. */
interface Traced {
  readonly tensor: string;
  /** As the model calls it. */
  readonly name: string;
  readonly kind: 'value' | 'cotangent' | 'gradient' | 'parameter';
  readonly origin: Pick<Statement, 'origin'>['origin'] | undefined;
  readonly formula: string;
}

export class TraceWriter {
  private readonly request: EmitRequest;
  private readonly program: Program;
  private readonly byTarget: ReadonlyMap<string, Statement>;
  private readonly wanted: ReadonlyMap<string, Followed>;
  private readonly written = new Set<string>();

  constructor(request: EmitRequest) {
    this.request = request;
    this.program = ownGradients(request.program);
    this.byTarget = new Map(this.program.statements.map((statement) => [statement.target, statement]));
    const gradients = [...this.program.gradients.values()].map((name) => ({ tensor: name, name }));
    const followed: readonly Followed[] = [...(request.traced ?? []), ...gradients];
    this.wanted = new Map(followed.map((each) => [each.tensor, each]));
  }

  after(step: Step, list: 'forward' | 'backward' | 'evaluate' | 'predict'): string[] {
    const other = list === 'forward' || list === 'backward' ? 'inference' : 'training';
    const names = writtenBy(step, this.request.loops, this.byTarget).filter((name) => {
      const followed = this.wanted.get(name);
      return followed !== undefined && followed.only !== other;
    });
    for (const name of names) this.written.add(name);
    return names.length === 0 ? [] : [`trace.emit(${names.map(printLiteral).join(', ')});`];
  }

  /** After the update; none where nothing is trained. */
  afterUpdate(): string[] {
    const names = this.parameters().map(({ tensor }) => tensor);
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
        tensor: name,
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
        const name = this.wanted.get(target)?.name ?? target;
        return { tensor: target, name, kind, origin, formula: wholeFormula(statement, this.program) };
      });
    return [...computed, ...this.parameters()];
  }

  /** `'h' | 'dh' | 'dW1' | 'W1'`, and what is known of each. */
  tables(): string[] {
    const all = this.all();
    const names = [...new Set(all.map(({ name }) => JSON.stringify(name)))].join(' | ');
    const entries = all.map(({ tensor, name, kind, origin, formula }) => {
      const axes = printExtents(this.program.tensors.get(tensor)?.axes ?? []);
      const place = printLiteral(origin === undefined ? '' : fullPlace(origin));
      return `${printKey(tensor)}: { name: ${printLiteral(name)}, kind: '${kind}', axes: ${axes}, place: ${place}, formula: ${printLiteral(formula)} },`;
    });
    return [
      `/** What can be followed: what the model names, its cotangents, gradients and parameters. */\nexport type TraceName = ${names === '' ? 'never' : names};`,
      `const traced: Readonly<Record<string, TracedTensor<TraceName>>> = {\n${entries.join('\n')}\n};`,
    ];
  }

  declaration(views: Views): readonly string[] {
    const fields = this.all().map(({ tensor }) => {
      const view = views.of(tensor);
      return view === tensor ? tensor : `${printKey(tensor)}: ${view}`;
    });
    return [`const trace = new Tracer<TraceName>({ traced, tensors: { ${fields.join(', ')} } }, options);`];
  }
}
