/**
 * @file Cuts expressions that are too large to print in one piece into named parts.
 *
 * Prettier's recursion overflows the stack on a sum of 1,000 terms and on a nesting of 500, and an expression that
 * shares a node many times would be printed many times. A part is computed once, before the statement; that is
 * allowed because values have no effects (a part of an unchosen branch is computed and thrown away).
 */
import type { Condition, Value } from '../../schedule/types.ts';

/** Nodes of one printed expression, at most; far above anything a person writes. */
const WEIGHT_LIMIT = 120;

export interface Part {
  readonly name: string;
  readonly value: Value;
}

/** @param fresh gives a new variable name of the function */
export function splitValue(
  value: Value,
  fresh: () => string,
): { readonly parts: readonly Part[]; readonly value: Value } {
  const splitter = new Splitter(fresh);
  return { value: splitter.value(value), parts: splitter.parts };
}

/** The same for the values inside a condition. */
export function splitCondition(
  condition: Condition,
  fresh: () => string,
): { readonly parts: readonly Part[]; readonly condition: Condition } {
  const splitter = new Splitter(fresh);
  return { condition: splitter.condition(condition), parts: splitter.parts };
}

class Splitter {
  readonly parts: Part[] = [];
  private readonly fresh: () => string;
  /** Original node -> the node that stands for it, after its own operands were cut. */
  private readonly done = new Map<Value, Value>();
  private readonly weights = new Map<Value, number>();
  private readonly names = new Map<Value, Value>();

  constructor(fresh: () => string) {
    this.fresh = fresh;
  }

  value(value: Value): Value {
    const before = this.done.get(value);
    if (before !== undefined) return before;
    const after = this.cut(value);
    this.done.set(value, after);
    return after;
  }

  private cut(value: Value): Value {
    switch (value.kind) {
      case 'number':
      case 'variable':
      case 'load':
      case 'from_integer':
        return value;
      case 'unary': {
        const [operand] = this.shortened([this.value(value.operand)], 1);
        return this.weighed({ ...value, operand: operand! }, [operand!]);
      }
      case 'binary': {
        const [left, right] = this.shortened([this.value(value.left), this.value(value.right)], 1);
        return this.weighed({ ...value, left: left!, right: right! }, [left!, right!]);
      }
      case 'select': {
        const condition = this.condition(value.condition);
        const room = this.conditionWeight(condition);
        const [then, otherwise] = this.shortened([this.value(value.then), this.value(value.otherwise)], room);
        return this.weighed(
          { ...value, condition, then: then!, otherwise: otherwise! },
          [then!, otherwise!],
          room,
        );
      }
      case 'truth': {
        const condition = this.condition(value.condition);
        return this.weighed({ ...value, condition }, [], this.conditionWeight(condition));
      }
    }
  }

  condition(condition: Condition): Condition {
    switch (condition.kind) {
      case 'compare_integer':
        return condition;
      case 'compare': {
        const [left, right] = this.shortened([this.value(condition.left), this.value(condition.right)], 1);
        return { ...condition, left: left!, right: right! };
      }
      case 'nonzero': {
        const [value] = this.shortened([this.value(condition.value)], 1);
        return { ...condition, value: value! };
      }
      case 'all':
      case 'any':
        return { ...condition, of: condition.of.map((part) => this.condition(part)) };
      case 'not':
        return { ...condition, of: this.condition(condition.of) };
    }
  }

  /** The operands, the heaviest of them replaced by named parts until all together are light enough. */
  private shortened(operands: readonly Value[], others: number): Value[] {
    const result = [...operands];
    for (;;) {
      const weights = result.map((operand) => this.weightOf(operand));
      const total = weights.reduce((sum, weight) => sum + weight, others);
      const heaviest = Math.max(...weights);
      if (total <= WEIGHT_LIMIT || heaviest <= 1) return result;
      const place = weights.indexOf(heaviest);
      result[place] = this.named(result[place]!);
    }
  }

  private named(value: Value): Value {
    const known = this.names.get(value);
    if (known !== undefined) return known;
    const name = this.fresh();
    this.parts.push({ name, value });
    const variable: Value = { kind: 'variable', name };
    this.names.set(value, variable);
    return variable;
  }

  private weighed(value: Value, operands: readonly Value[], others = 1): Value {
    this.weights.set(
      value,
      operands.reduce((sum, operand) => sum + this.weightOf(operand), others),
    );
    return value;
  }

  private weightOf(value: Value): number {
    return this.weights.get(value) ?? 1;
  }

  private conditionWeight(condition: Condition): number {
    switch (condition.kind) {
      case 'compare_integer':
        return 1;
      case 'compare':
        return 1 + this.weightOf(condition.left) + this.weightOf(condition.right);
      case 'nonzero':
        return 1 + this.weightOf(condition.value);
      case 'all':
      case 'any':
        return condition.of.reduce((sum, part) => sum + this.conditionWeight(part), 1);
      case 'not':
        return 1 + this.conditionWeight(condition.of);
    }
  }
}
