/**
 * Where a gradient flows: the tensors between a trained parameter and the loss, and the parts of a formula that pass it on.
 * Comparisons, `floor`, `stop_gradient` and the condition of a choice do not.
 */
import { binaryDerivatives } from '../calculus/binary.ts';
import { unaryDerivatives } from '../calculus/unary.ts';
import type { Expression, Program, Statement } from '../graph/types.ts';
import type { Choice } from './values.ts';

/** A part of a formula that passes a gradient on, and the choices that it lies behind. */
export interface Passing {
  readonly part: Expression;
  readonly choices: readonly Choice[];
}

/** Every part of a formula that passes a gradient on, each once. */
export function passingParts(root: Expression): Passing[] {
  const found: Passing[] = [];
  const seen = new Set<Expression>();
  const visit = (part: Expression, choices: readonly Choice[]): void => {
    if (seen.has(part)) return;
    seen.add(part);
    found.push({ part, choices });
    if (part.kind === 'unary') {
      if (unaryDerivatives[part.operator] !== 'zero') visit(part.operand, choices);
    } else if (part.kind === 'binary') {
      if (binaryDerivatives[part.operator] === 'zero') return;
      visit(part.left, choices);
      visit(part.right, choices);
    } else if (part.kind === 'select') {
      visit(part.then, [...choices, { condition: part.condition, isMet: true }]);
      visit(part.otherwise, [...choices, { condition: part.condition, isMet: false }]);
    } else if (part.kind === 'call') {
      // what is inside has a derivative of its own
      for (const operand of part.operands) visit(operand, choices);
    }
  };
  visit(root, []);
  return found;
}

/** The tensors that a statement passes a gradient on to. */
export function passingReads({ body, finish }: Statement): Set<string> {
  const roots = finish === undefined ? [body] : [body, finish];
  const parts = roots.flatMap(passingParts);
  return new Set(parts.flatMap(({ part }) => (part.kind === 'read' ? [part.tensor] : [])));
}

export class GradientPaths {
  private readonly varied = new Set<string>();
  private readonly reached = new Set<string>();

  constructor({ tensors, statements, loss }: Program) {
    const sources = new Map(statements.map((statement) => [statement.target, passingReads(statement)]));
    for (const { name, role, frozen } of tensors.values())
      if (role === 'parameter' && frozen !== true) this.varied.add(name);
    // in a recurrence what varies may be read before it is written
    for (let size = -1; size !== this.varied.size;) {
      size = this.varied.size;
      for (const [target, read] of sources)
        if (tensors.get(target)?.element !== 'integer' && [...read].some((name) => this.varied.has(name)))
          this.varied.add(target);
    }
    const waiting = loss === undefined ? [] : [loss];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (this.reached.has(name)) continue;
      this.reached.add(name);
      waiting.push(...(sources.get(name) ?? []));
    }
  }

  /** A trained parameter changes this tensor, and this tensor the loss. */
  has(tensor: string): boolean {
    return this.varied.has(tensor) && this.reached.has(tensor);
  }

  /** A trained parameter changes this part of a formula. */
  varies(part: Expression): boolean {
    return passingParts(part).some(({ part: each }) => each.kind === 'read' && this.varied.has(each.tensor));
  }
}
