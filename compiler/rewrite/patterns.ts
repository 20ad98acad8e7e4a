/**
 * The language of rewrite rules. A rule is one line of mathematics, `log(1 + exp(u)) => softplus(u)`: left of the arrow
 * a pattern, right of it what stands there instead. Single letters are holes; the letter says what fits:
 *
 *     c  a constant              k  a positive constant or a size         t  a truth value (0 or 1)
 *     f  provably finite         q  a sum of squares                      p  provably not negative
 *     any other letter: every expression
 *
 * A hole that occurs twice must be equal both times. `sum(...)` stands for a read of a tensor that is that sum.
 */
import type { BinaryOperator, UnaryOperator } from '../graph/types.ts';
import { unaryOperators } from '../graph/expressions.ts';

export type HoleKind = 'any' | 'constant' | 'size' | 'truth' | 'finite' | 'squares' | 'not_negative';

export type Pattern =
  | { readonly kind: 'hole'; readonly name: string; readonly fits: HoleKind }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Pattern }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Pattern;
      readonly right: Pattern;
    }
  | {
      readonly kind: 'select';
      readonly condition: Pattern;
      readonly then: Pattern;
      readonly otherwise: Pattern;
    }
  | { readonly kind: 'reduction'; readonly combine: 'sum' | 'logsumexp'; readonly body: Pattern };

export interface Rule {
  /** The line as it was written: the mathematics, for people. */
  readonly law: string;
  readonly from: Pattern;
  readonly to: Pattern;
}

const holeKinds: Readonly<Record<string, HoleKind>> = {
  c: 'constant',
  k: 'size',
  t: 'truth',
  f: 'finite',
  q: 'squares',
  p: 'not_negative',
};

const binaryCalls: Readonly<Record<string, BinaryOperator>> = {
  max: 'max',
  min: 'min',
  and: 'and',
  or: 'or',
};

/** Infix operators with their binding strength; `^` binds to the right. */
const infix: Readonly<Record<string, { operator: BinaryOperator; strength: number }>> = {
  '==': { operator: 'equal', strength: 1 },
  '!=': { operator: 'not_equal', strength: 1 },
  '<': { operator: 'less', strength: 1 },
  '<=': { operator: 'less_equal', strength: 1 },
  '>': { operator: 'greater', strength: 1 },
  '>=': { operator: 'greater_equal', strength: 1 },
  '+': { operator: 'add', strength: 2 },
  '-': { operator: 'subtract', strength: 2 },
  '*': { operator: 'multiply', strength: 3 },
  '/': { operator: 'divide', strength: 3 },
  '^': { operator: 'power', strength: 5 },
};
const negationStrength = 4;

/** A table of rules, in the order in which they are tried. */
export function ruleTable(lines: readonly string[]): Rule[] {
  return lines.map((law) => {
    const [from, to] = law.split('=>');
    if (from === undefined || to === undefined) throw new Error(`a rule needs one arrow: ${law}`);
    return { law, from: parsePattern(from), to: parsePattern(to) };
  });
}

function parsePattern(text: string): Pattern {
  const reader = new PatternReader(text);
  const pattern = reader.ternary();
  reader.end();
  return pattern;
}

class PatternReader {
  private readonly text: string;
  private readonly tokens: readonly string[];
  private position = 0;

  constructor(text: string) {
    this.text = text;
    this.tokens = text.match(/\d+(?:\.\d+)?|\w+|[<>=!]=|\S/g) ?? [];
  }

  ternary(): Pattern {
    const condition = this.infix(1);
    if (!this.accept('?')) return condition;
    const then = this.ternary();
    this.expect(':');
    return { kind: 'select', condition, then, otherwise: this.ternary() };
  }

  end(): void {
    if (this.position < this.tokens.length) this.fail();
  }

  private infix(strength: number): Pattern {
    let left = this.prefix();
    for (;;) {
      const found = infix[this.tokens[this.position] ?? ''];
      if (found === undefined || found.strength < strength) return left;
      this.position++;
      const right = this.infix(found.operator === 'power' ? found.strength : found.strength + 1);
      left = { kind: 'binary', operator: found.operator, left, right };
    }
  }

  private prefix(): Pattern {
    if (!this.accept('-')) return this.primary();
    return { kind: 'unary', operator: 'negate', operand: this.infix(negationStrength) };
  }

  private primary(): Pattern {
    const token = this.tokens[this.position++] ?? this.fail();
    if (token === '(') {
      const inner = this.ternary();
      this.expect(')');
      return inner;
    }
    if (/^\d/.test(token)) return { kind: 'number', value: Number(token) };
    if (token === 'inf') return { kind: 'number', value: Infinity };
    if (/^[a-z]$/.test(token)) return { kind: 'hole', name: token, fits: holeKinds[token] ?? 'any' };
    this.expect('(');
    const first = this.ternary();
    const operator = binaryCalls[token];
    if (operator !== undefined) {
      this.expect(',');
      const right = this.ternary();
      this.expect(')');
      return { kind: 'binary', operator, left: first, right };
    }
    this.expect(')');
    if (token === 'sum' || token === 'logsumexp') return { kind: 'reduction', combine: token, body: first };
    if (!isUnary(token)) return this.fail();
    return { kind: 'unary', operator: token, operand: first };
  }

  private accept(token: string): boolean {
    if (this.tokens[this.position] !== token) return false;
    this.position++;
    return true;
  }

  private expect(token: string): void {
    if (!this.accept(token)) this.fail();
  }

  private fail(): never {
    throw new Error(`malformed pattern at token ${this.position}: ${this.text}`);
  }
}

function isUnary(name: string): name is UnaryOperator {
  return Object.hasOwn(unaryOperators, name);
}
