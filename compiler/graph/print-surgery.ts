/** What a printed model has beside its statements: functions with derivatives of their own, edits of cotangents. */
import {
  constant,
  freeIndices,
  freshName,
  indexOf,
  isPlainIndex,
  mapExpression,
  reads,
  reducedIndices,
  substituteIndices,
} from './expressions.ts';
import { ownFunctionsIn } from './own-functions.ts';
import { printExpression } from './print-expression.ts';
import { reductionNames } from './print.ts';
import type {
  CotangentEdit,
  Expression,
  LoopIndex,
  OwnFunction,
  Program,
  Read,
  Statement,
  Tensor,
} from './types.ts';

/** `fn f(x) = ...` and `derivative f(x) = ...` for each function that the statements call, and an empty line. */
export function ownFunctionLines({ statements }: Pick<Program, 'statements'>): string[] {
  const lines = ownFunctionsIn(statements.map(({ body }) => body)).flatMap((own) => {
    const head = `${own.name}(${own.parameters.join(', ')})`;
    const partials = own.partials().map((partial) => printIn(own, partial));
    return [`fn ${head} = ${printIn(own, own.value)}`, `derivative ${head} = ${partials.join(', ')}`];
  });
  return lines.length === 0 ? [] : [...lines, ''];
}

/** A constant that is called as a parameter, `e`, is printed as a number. */
function printIn({ parameters }: OwnFunction, expression: Expression): string {
  const plain = mapExpression(expression, (node) =>
    node.kind === 'constant' && node.name !== undefined && parameters.includes(node.name.replace('-', ''))
      ? constant(node.value)
      : node,
  );
  return printExpression(plain, { standalone: true });
}

/** `cotangent h[n, j] -> clip(dh[n, j], -1, 1)` for each edit, the reductions of its own inside of it. */
export function editLines({ edits = [], tensors }: Program): string[] {
  return edits.map((edit) => new EditPrinter(edit, tensors).line());
}

class EditPrinter {
  private readonly edit: CotangentEdit;
  private readonly parts: ReadonlyMap<string, Statement>;
  private readonly tensors: ReadonlyMap<string, Tensor>;

  constructor(edit: CotangentEdit, tensors: ReadonlyMap<string, Tensor>) {
    this.edit = edit;
    this.parts = new Map(edit.statements.map((statement) => [statement.target, statement]));
    this.tensors = new Map([...tensors, ...edit.tensors, [edit.arriving.name, edit.arriving]]);
  }

  line(): string {
    const { statements, tensor } = this.edit;
    const last = statements.at(-1);
    if (last === undefined) throw new Error(`the edit of the cotangent of ${tensor} is empty`);
    const names = last.write.map((index) => isPlainIndex(index) ?? '');
    const left = names.length === 0 ? '' : `[${names.join(', ')}]`;
    return `cotangent ${tensor}${left} -> ${this.text(last.body, new Set(names))}`;
  }

  /** @param bound the indices around the expression */
  private text(expression: Expression, bound: ReadonlySet<string>): string {
    const own = (node: Expression) => (node.kind === 'read' ? this.ownRead(node, bound) : undefined);
    return printExpression(expression, { standalone: true, bound, own });
  }

  private ownRead(node: Read, bound: ReadonlySet<string>): string | undefined {
    const { tensor, arriving } = this.edit;
    if (node.tensor === arriving.name) {
      const text = printExpression({ ...node, tensor: `d${tensor}` });
      return node.outside === undefined ? text : `(${text})`;
    }
    const part = this.parts.get(node.tensor);
    return part && this.partText(part, node, bound);
  }

  /** A statement in the place of a read of its target. */
  private partText(part: Statement, { at }: Read, bound: ReadonlySet<string>): string {
    const taken = new Set([
      ...bound,
      ...at.flatMap((index) => [...freeIndices({ kind: 'index_value', index })]),
    ]);
    const places = new Map(part.write.map((index, axis) => [isPlainIndex(index) ?? '', at[axis] ?? index]));
    const inner = reducedIndices(part).map(({ name, extent }): LoopIndex => {
      const free = freshName(name, taken);
      taken.add(free);
      places.set(name, indexOf(free));
      return { name: free, extent };
    });
    const body = substituteIndices(part.body, places);
    const text = this.text(body, taken);
    if (inner.length === 0) return `(${text})`;
    const over = inner.map((index) =>
      this.isShown(index, body) ? index.name : `${index.name}: ${index.extent}`,
    );
    return `${reductionNames[part.combine].call}[${over.join(', ')}](${text})`;
  }

  /** Does the text show how far an index runs: does it stand alone in a read, and only over axes of that length? */
  private isShown({ name, extent }: LoopIndex, body: Expression): boolean {
    const axes = reads(body).flatMap(({ tensor, at, outside }) =>
      at.flatMap((index, axis) =>
        isPlainIndex(index) === name ? [{ outside, extent: this.tensors.get(tensor)?.axes[axis] }] : [],
      ),
    );
    return axes.some((axis) => axis.outside === undefined) && axes.every((axis) => axis.extent === extent);
  }
}
