/** What a derivative is taken of, and what is put in its place: shared by both ways of taking it. */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import { neededFor } from '../graph/builder.ts';
import { freshName, indexOf, isScatter, read } from '../graph/expressions.ts';
import type { Derivative, Expression, Program, Statement, Tensor } from '../graph/types.ts';
import { activeTensors } from './active.ts';
import { pushForwardAll, type PushRequest } from './tangent.ts';

/** Statements to stand before the first that wants them, and what it then reads. */
export interface Expansion {
  readonly statements: readonly Statement[];
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly valueOf: (term: Derivative) => Expression | undefined;
}

/** What is differentiated: a tensor, and the statements that it is computed by. */
export class Subject {
  readonly name: string;
  readonly program: Program;
  /** All that it depends on, itself included. */
  readonly reached: ReadonlySet<string>;
  /** The statements that it needs. */
  readonly statements: readonly Statement[];

  constructor(program: Program, name: string) {
    this.program = program;
    this.name = name;
    this.reached = neededFor(program.statements, [name]);
    this.statements = program.statements.filter(({ target }) => this.reached.has(target));
  }

  get tensor(): Tensor {
    return tensorOf(this.program, this.name);
  }

  /** The real tensors between these and the subject. */
  activeFor(by: ReadonlySet<string>): ReadonlySet<string> {
    return activeTensors(this.program, by, this.reached);
  }

  /** The statement that computes it and nothing else reads, of which one element is one run; else a copy of it. */
  get root(): Statement {
    const own = this.statements.find(({ target }) => target === this.name);
    if (own !== undefined && own.scan === undefined && !isScatter(own)) return own;
    const { name, axes, axisNames, span } = this.tensor;
    const taken = new Set<string>();
    const indices = axes.map((extent, axis) => {
      const index = freshName(axisNames[axis] || 'i', taken);
      taken.add(index);
      return { name: index, extent };
    });
    const at = indices.map((index) => indexOf(index.name));
    const origin = own?.origin ?? { span, calls: [], history: [] };
    const body = read(name, at);
    return { target: ROOT, indices, write: at, combine: 'assign', body, phase: 'forward', origin };
  }
}

/** No name of the language. */
export const ROOT = '~root';

export function tensorOf({ tensors }: Program, name: string): Tensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`no tensor is named ${name}`);
  return tensor;
}

/** Forward mode over statements; undefined after a report. */
export function pushAll(
  all: readonly Statement[],
  request: PushRequest,
  diagnostics: Diagnostics,
): { statements: readonly Statement[]; tangents: ReadonlyMap<string, string> } | undefined {
  let sound = true;
  const missing = ({ target, combine, origin }: Statement): void => {
    sound = false;
    if (diagnostics.hasOther('E603', origin.span)) return;
    const message = `a scattered ${combine} (\`${target}\`) has no derivative`;
    diagnostics.error('E603', origin.span, message, {
      hint: 'only `+=` and `logsumexp=` have one; take the gradient off what is written: `stop_gradient(...)`',
    });
  };
  const { made, tangents } = pushForwardAll(all, { ...request, missing });
  return sound ? { statements: [...made.values()].flat(), tangents } : undefined;
}

/** The statement with a further word on where it comes from. */
export const within = (statement: Statement, what: string): Statement => ({
  ...statement,
  origin: { ...statement.origin, history: [...statement.origin.history, what] },
});
