/** What stands after `~`: how the first value of a parameter or a state is made. */
import type { DiagnosticCode } from '../../diagnostics/codes.ts';
import type { Span } from '../../diagnostics/source.ts';
import { printNumber } from '../../graph/print-expression.ts';
import type { Extent, Initializer } from '../../graph/types.ts';
import type { Call, ListLiteral, SyntaxExpression } from '../../syntax/tree.ts';
import { knownNames } from './hints.ts';

export interface InitializerContext {
  /** The value of a compile-time constant expression; reports what is wrong with another and gives undefined. */
  readonly evaluate: (expression: SyntaxExpression) => number | undefined;
  readonly diagnostics: Reporter;
}

/** Takes errors: the diagnostics themselves, or an elaboration, which adds the call of a layer. */
interface Reporter {
  readonly error: (code: DiagnosticCode, span: Span, message: string, more?: { hint?: string }) => void;
}

/** Connections into and out of one unit, counted as Keras does. */
interface Fans {
  readonly in: number;
  readonly out: number;
}

interface Rule {
  /** Names of the arguments, in order; a number is the default, `undefined` means it must be given. */
  readonly parameters: Readonly<Record<string, number | undefined>>;
  readonly needsFans?: true;
  readonly make: (argument: (name: string) => number, fans: Fans) => Initializer;
}

const constantOf = (value: number): Initializer => ({ kind: 'constant', value });
const normalOf = (deviation: number): Initializer => ({ kind: 'normal', mean: 0, deviation });
/** The uniform distribution around 0 with a given deviation: its half width is √3 times that. */
const uniformOf = (deviation: number): Initializer => ({
  kind: 'uniform',
  low: -Math.sqrt(3) * deviation,
  high: Math.sqrt(3) * deviation,
});

/** deviation = gain · √(2 / (in + out)): Glorot & Bengio 2010, equation 16 */
const glorot = (gain: number, fans: Fans): number => gain * Math.sqrt(2 / (fans.in + fans.out));
/** deviation = gain · √(2 / in): He et al. 2015, equation 10 */
const he = (gain: number, fans: Fans): number => gain * Math.sqrt(2 / fans.in);
/** deviation = gain · √(1 / in): LeCun et al. 1998, equation 16 */
const lecun = (gain: number, fans: Fans): number => gain * Math.sqrt(1 / fans.in);

const scaled = (
  distribution: (deviation: number) => Initializer,
  deviation: (gain: number, fans: Fans) => number,
): Rule => ({
  parameters: { gain: 1 },
  needsFans: true,
  make: (argument, fans) => distribution(deviation(argument('gain'), fans)),
});

const rules: Readonly<Record<string, Rule>> = {
  zeros: { parameters: {}, make: () => constantOf(0) },
  ones: { parameters: {}, make: () => constantOf(1) },
  constant: { parameters: { value: undefined }, make: (argument) => constantOf(argument('value')) },
  uniform: {
    parameters: { low: undefined, high: undefined },
    make: (argument) => ({ kind: 'uniform', low: argument('low'), high: argument('high') }),
  },
  normal: {
    parameters: { mean: undefined, deviation: undefined },
    make: (argument) => ({ kind: 'normal', mean: argument('mean'), deviation: argument('deviation') }),
  },
  glorot_uniform: scaled(uniformOf, glorot),
  xavier_uniform: scaled(uniformOf, glorot),
  glorot_normal: scaled(normalOf, glorot),
  xavier_normal: scaled(normalOf, glorot),
  he_uniform: scaled(uniformOf, he),
  kaiming_uniform: scaled(uniformOf, he),
  he_normal: scaled(normalOf, he),
  kaiming_normal: scaled(normalOf, he),
  lecun_uniform: scaled(uniformOf, lecun),
  lecun_normal: scaled(normalOf, lecun),
  orthogonal: {
    parameters: { gain: 1 },
    make: (argument) => ({ kind: 'orthogonal', gain: argument('gain') }),
  },
};

/** The names that may stand after `~`. */
export const initializerNames: readonly string[] = Object.keys(rules);

/**
 * The initialiser of a tensor with these axes, with its fans and limits worked out.
 * Reports E503 (unknown name, arguments, shape of a list) and E205 (wrong arguments) and then gives zeros.
 */
export function elaborateInitializer(
  initializer: SyntaxExpression,
  axes: readonly Extent[],
  context: InitializerContext,
): Initializer {
  switch (initializer.kind) {
    case 'list':
      return valuesOf(initializer, axes, context);
    case 'reference':
      return apply(initializer.name.text, undefined, initializer, axes, context);
    case 'call':
      return apply(initializer.callee.text, initializer, initializer, axes, context);
    case 'error':
      return constantOf(0);
    default:
      return constantOf(context.evaluate(initializer) ?? 0);
  }
}

function apply(
  name: string,
  call: Call | undefined,
  at: SyntaxExpression,
  axes: readonly Extent[],
  context: InitializerContext,
): Initializer {
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
  const { diagnostics } = context;
  if (rule === undefined) {
    diagnostics.error(
      'E503',
      at.span,
      `there is no initialiser \`${name}\``,
      knownNames(name, initializerNames),
    );
    return constantOf(0);
  }
  const values = argumentsOf(name, rule, call, at, context);
  if (values === undefined) return constantOf(0);
  const fans = fansOf(axes);
  if (rule.needsFans === true && fans === undefined) {
    diagnostics.error(
      'E503',
      at.span,
      `\`${name}\` needs a parameter whose sizes are known at compile time`,
      {
        hint: 'use `zeros`, `ones` or `constant(value)`',
      },
    );
    return constantOf(0);
  }
  const made = rule.make((parameter) => values.get(parameter) ?? 0, fans ?? { in: 1, out: 1 });
  const problem = problemOf(made, axes);
  if (problem === undefined) return rule.needsFans ? { ...made, name: writtenWith(name, values) } : made;
  diagnostics.error('E503', at.span, problem);
  return constantOf(0);
}

/** `he_normal`, `he_normal(gain = 2)` */
function writtenWith(name: string, values: ReadonlyMap<string, number>): string {
  const gain = values.get('gain') ?? 1;
  return gain === 1 ? name : `${name}(gain = ${printNumber(gain)})`;
}

function problemOf(made: Initializer, axes: readonly Extent[]): string | undefined {
  switch (made.kind) {
    case 'uniform':
      return made.low <= made.high
        ? undefined
        : `\`uniform\` needs low ≤ high, found ${made.low} and ${made.high}`;
    case 'normal':
      return made.deviation >= 0 ? undefined : `\`normal\` needs a deviation ≥ 0, found ${made.deviation}`;
    case 'orthogonal':
      return axes.length >= 2
        ? undefined
        : `\`orthogonal\` needs two axes or more, found ${axes.length}: only a matrix can be orthogonal`;
    default:
      return undefined;
  }
}

/** The arguments by name, with defaults; undefined if something is wrong with them (it has been reported). */
export function argumentsOf(
  name: string,
  rule: Pick<Rule, 'parameters'>,
  call: Call | undefined,
  at: SyntaxExpression,
  { evaluate, diagnostics }: InitializerContext,
): ReadonlyMap<string, number> | undefined {
  const parameters = Object.keys(rule.parameters);
  const values = new Map<string, number>();
  let sound = true;
  const wrong = (message: string, hint?: string): void => {
    sound = false;
    diagnostics.error('E205', at.span, message, hint === undefined ? {} : { hint });
  };
  for (const [place, argument] of (call?.arguments ?? []).entries()) {
    const parameter = argument.name?.text ?? parameters[place];
    if (parameter === undefined) {
      wrong(`\`${name}\` takes ${parameters.length} arguments, found ${call?.arguments.length ?? 0}`);
      return undefined;
    }
    if (!parameters.includes(parameter)) {
      wrong(`\`${name}\` has no argument \`${parameter}\``, knownNames(parameter, parameters).hint);
    } else if (values.has(parameter)) {
      wrong(`\`${name}\` is given \`${parameter}\` twice`);
    } else {
      const value = evaluate(argument.value);
      if (value === undefined) sound = false;
      else values.set(parameter, value);
    }
  }
  for (const [parameter, fallback] of Object.entries(rule.parameters)) {
    if (values.has(parameter) || !sound) continue;
    if (fallback === undefined)
      wrong(`\`${name}\` needs \`${parameter}\``, `write \`${name}(${parameters.join(', ')})\``);
    else values.set(parameter, fallback);
  }
  return sound ? values : undefined;
}

/**
 * As in Keras: [in, out] for a matrix; one axis counts as both; with more axes all but the last two are the receptive
 * field, which multiplies both. Undefined if a size is bound at run time.
 */
function fansOf(axes: readonly Extent[]): Fans | undefined {
  const sizes = axes.filter((axis) => typeof axis === 'number');
  if (sizes.length !== axes.length) return undefined;
  const last = sizes.at(-1) ?? 1;
  const field = sizes.slice(0, -2).reduce((product, size) => product * size, 1);
  return { in: field * (sizes.at(-2) ?? last), out: field * last };
}

/** `[[1, 2], [3, 4]]`: every value, row by row; the nesting must be the shape. */
function valuesOf(list: ListLiteral, axes: readonly Extent[], context: InitializerContext): Initializer {
  const values: number[] = [];
  const { diagnostics } = context;
  const shape = `[${axes.join(', ')}]`;
  const visit = (expression: SyntaxExpression, depth: number): boolean => {
    const size = axes[depth];
    if (expression.kind === 'error') return false;
    if (size === undefined) {
      if (expression.kind === 'list') {
        diagnostics.error('E503', expression.span, `this list is nested too deeply for the shape ${shape}`);
        return false;
      }
      const value = context.evaluate(expression);
      if (value !== undefined) values.push(value);
      return value !== undefined;
    }
    if (expression.kind !== 'list') {
      diagnostics.error(
        'E503',
        expression.span,
        `expected a list of ${size} values here, for the shape ${shape}`,
      );
      return false;
    }
    if (expression.items.length !== size) {
      diagnostics.error(
        'E503',
        expression.span,
        `${expression.items.length} ${expression.items.length === 1 ? 'value' : 'values'} where axis ${depth + 1} of the shape ${shape} has ${size}`,
      );
      return false;
    }
    return expression.items.every((item) => visit(item, depth + 1));
  };
  return visit(list, 0) ? { kind: 'values', values } : constantOf(0);
}
