/** The arguments of optimizers and schedules, and what their values may be. */
import type { Diagnostics } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import type {
  Call,
  OptimizerDefinition,
  Reference,
  ScheduleDefinition,
  SyntaxExpression,
} from '../../syntax/tree.ts';
import { knownNames } from './hints.ts';

/** `adam(rate = 0.1)`, or `adam` alone. */
export type Use = Call | Reference;

/** A hyper-parameter and the expression that gives it: the caller's, or the default of the definition. */
export interface Bound {
  readonly name: string;
  readonly expression: SyntaxExpression;
  readonly given: boolean;
  /** Where an error about its value belongs. */
  readonly span: Span;
}

/** Pairs arguments with parameters, positions first. Reports E205; leaves out what has neither argument nor default. */
export function bindArguments(
  definition: OptimizerDefinition | ScheduleDefinition,
  use: Use,
  diagnostics: Diagnostics,
): Bound[] {
  const { name, parameters, kind } = definition;
  const names = parameters.map((parameter) => parameter.name.text);
  const given = new Map<string, SyntaxExpression>();
  for (const [place, argument] of (use.kind === 'call' ? use.arguments : []).entries()) {
    const { span } = argument.name ?? argument.value;
    const parameter = argument.name?.text ?? names[place];
    if (parameter === undefined) {
      diagnostics.error(
        'E205',
        span,
        `${kind} \`${name.text}\` takes ${names.length} arguments, this is one more`,
        {
          hint: `\`${signatureOf(definition)}\``,
        },
      );
    } else if (!names.includes(parameter)) {
      diagnostics.error(
        'E205',
        span,
        `${kind} \`${name.text}\` has no hyper-parameter \`${parameter}\``,
        knownNames(parameter, names),
      );
    } else if (given.has(parameter)) {
      diagnostics.error('E205', span, `\`${parameter}\` is given twice`);
    } else {
      given.set(parameter, argument.value);
    }
  }
  return parameters.flatMap((parameter): Bound[] => {
    const own = given.get(parameter.name.text);
    if (own !== undefined)
      return [{ name: parameter.name.text, expression: own, given: true, span: own.span }];
    if (parameter.default !== undefined)
      return [
        { name: parameter.name.text, expression: parameter.default, given: false, span: parameter.span },
      ];
    diagnostics.error('E205', use.span, `${kind} \`${name.text}\` needs \`${parameter.name.text}\``, {
      hint: `\`${signatureOf(definition)}\``,
    });
    return [];
  });
}

/** Reports E209 for a hyper-parameter that is called like something the definition is given anyway. */
export function namesAreFree(
  { parameters, kind }: OptimizerDefinition | ScheduleDefinition,
  given: readonly string[],
  diagnostics: Diagnostics,
): boolean {
  const taken = parameters.filter(({ name }) => given.includes(name.text));
  for (const { name } of taken) {
    diagnostics.error('E209', name.span, `\`${name.text}\` already means something in every ${kind}`, {
      hint: `${given.map((each) => `\`${each}\``).join(', ')} are given: call the hyper-parameter something else`,
    });
  }
  return taken.length === 0;
}

/** `cosine(rate, period, floor = ...)` */
function signatureOf(definition: OptimizerDefinition | ScheduleDefinition): string {
  const parameters = definition.parameters.map(({ name, default: fallback }) =>
    fallback === undefined ? name.text : `${name.text} = ...`,
  );
  return `${definition.name.text}(${parameters.join(', ')})`;
}

interface Rule {
  readonly must: string;
  readonly test: (value: number) => boolean;
}

const positive: Rule = { must: 'greater than 0', test: (value) => value > 0 };
const notNegative: Rule = { must: '0 or more', test: (value) => value >= 0 };
/** What a moving average may keep: all of it would never learn. */
const decay: Rule = { must: 'at least 0 and less than 1', test: (value) => value >= 0 && value < 1 };
const fraction: Rule = { must: 'between 0 and 1', test: (value) => value >= 0 && value <= 1 };
const truth: Rule = { must: '`true` or `false`', test: (value) => value === 0 || value === 1 };
const atLeastOne: Rule = { must: '1 or more', test: (value) => value >= 1 };

/** By name, whoever defines the optimizer or schedule: these words mean the same everywhere. */
const common: Readonly<Record<string, Rule>> = {
  rate: positive,
  eps: positive,
  beta1: decay,
  beta2: decay,
  momentum: decay,
  weight_decay: notNegative,
  nesterov: truth,
  amsgrad: truth,
  centered: truth,
};

/** Of the prelude's definitions only: elsewhere these words may mean something else. */
const ofPrelude: Readonly<Record<string, Rule>> = {
  alpha: decay, // rmsprop
  rho: decay, // adadelta
  dampening: fraction,
  rate_decay: notNegative,
  initial: notNegative,
  momentum_decay: notNegative,
  period: atLeastOne,
  total: { must: '2 or more', test: (value) => value >= 2 },
  warmup: atLeastOne,
  factor: positive,
  ratio: fraction,
  floor: notNegative,
  warm: { must: 'greater than 0 and less than 1', test: (value) => value > 0 && value < 1 },
  start: positive,
  end: notNegative,
  low: decay,
  high: decay,
  patience: notNegative,
  cooldown: notNegative,
  threshold: notNegative,
  linear: truth,
  three_phase: truth,
  maximize: truth,
  relative: truth,
};

/** Reports E501 for a value that cannot be right; true if it may. */
export function checkHyperParameter(
  definition: OptimizerDefinition | ScheduleDefinition,
  { name, span }: Bound,
  value: number,
  diagnostics: Diagnostics,
): boolean {
  const isPrelude = definition.span.source.path.startsWith('prelude/');
  const rule = rulesFor(name, isPrelude);
  if (rule === undefined ? !Number.isNaN(value) : rule.test(value)) return true;
  const must = rule?.must ?? 'a number';
  diagnostics.error(
    'E501',
    span,
    `\`${name}\` of \`${definition.name.text}\` must be ${must}, found ${value}`,
  );
  return false;
}

function rulesFor(name: string, isPrelude: boolean): Rule | undefined {
  if (Object.hasOwn(common, name)) return common[name];
  return isPrelude && Object.hasOwn(ofPrelude, name) ? ofPrelude[name] : undefined;
}
