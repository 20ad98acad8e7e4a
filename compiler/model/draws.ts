/** `random u[n, j] ~ uniform(0, 1)`: tensors that are drawn anew for every step. */
import type { Span } from '../diagnostics/source.ts';
import type { Distribution, Extent, Tensor } from '../graph/types.ts';
import type { RandomDeclaration, SyntaxExpression } from '../syntax/tree.ts';
import { axisName } from './declarations.ts';
import type { Elaboration } from './elaboration.ts';
import { elaborateExpression } from './expressions.ts';
import type { Scope } from './scope.ts';
import { elaborateSize } from './sizes.ts';
import { knownNames } from './training/hints.ts';
import { argumentsOf } from './training/initializers.ts';

interface Rule {
  readonly parameters: Readonly<Record<string, number | undefined>>;
  readonly make: (argument: (name: string) => number) => Distribution;
  /** What must hold of the arguments, in words and as a test. */
  readonly needs: { readonly text: string; readonly holds: (argument: (name: string) => number) => boolean };
}

const rules: Readonly<Record<string, Rule>> = {
  uniform: {
    parameters: { low: 0, high: 1 },
    make: (argument) => ({ kind: 'uniform', low: argument('low'), high: argument('high') }),
    needs: { text: 'low ≤ high', holds: (argument) => argument('low') <= argument('high') },
  },
  normal: {
    parameters: { mean: 0, deviation: 1 },
    make: (argument) => ({ kind: 'normal', mean: argument('mean'), deviation: argument('deviation') }),
    needs: { text: 'a deviation ≥ 0', holds: (argument) => argument('deviation') >= 0 },
  },
  bernoulli: {
    parameters: { probability: undefined },
    make: (argument) => ({ kind: 'bernoulli', probability: argument('probability') }),
    needs: {
      text: 'a probability from 0 to 1',
      holds: (argument) => argument('probability') >= 0 && argument('probability') <= 1,
    },
  },
};

export function declareRandom(
  item: RandomDeclaration,
  tensorName: string,
  scope: Scope,
  elaboration: Elaboration,
): void {
  const { text, span } = item.name;
  const axes = axesOf(item, scope, elaboration);
  const distribution = distributionOf(item.distribution, scope, elaboration);
  if (axes === undefined || distribution === undefined) {
    scope.define(text, { kind: 'error', span, used: false });
    return;
  }
  const tensor: Tensor = {
    name: tensorName,
    role: 'random',
    axes: axes.map(({ extent }) => extent),
    axisNames: axes.map(({ name }) => name),
    element: 'real',
    distribution,
    span,
  };
  elaboration.builder.declare(tensor);
  scope.define(text, { kind: 'tensor', tensor, span, used: false });
}

/** Sizes; `..` is that of the layer. Only the first may be open: what a row gets must not depend on the other rows. */
function axesOf(
  item: RandomDeclaration,
  scope: Scope,
  elaboration: Elaboration,
): { readonly extent: Extent; readonly name: string }[] | undefined {
  const axes: { readonly extent: Extent; readonly name: string; readonly span: Span }[] = [];
  for (const axis of item.axes) {
    const { span } = axis;
    if (axis.kind === 'size') {
      const extent = elaborateSize(axis.value, scope, elaboration);
      if (extent === undefined) return undefined;
      axes.push({ extent, name: axisName(axis), span });
      continue;
    }
    const rest = scope.lookupRest();
    if (rest === undefined) {
      elaboration.error('E401', span, '`..` stands for nothing here', {
        hint: 'it is for layers whose tensors are declared with `..`',
      });
      return undefined;
    }
    for (const extent of rest.extents)
      axes.push({ extent, name: typeof extent === 'string' ? extent : '', span });
  }
  const wrong = axes.find(({ extent }, axis) => axis > 0 && typeof extent === 'string');
  if (wrong === undefined) return axes;
  elaboration.error(
    'E305',
    wrong.span,
    `the open dimension \`${wrong.extent}\` must be the first axis of what is drawn, and only that`,
    { hint: `each row of a batch is drawn by itself: \`random ${item.name.text}[${wrong.extent}, ...]\`` },
  );
  return undefined;
}

function distributionOf(
  syntax: SyntaxExpression,
  scope: Scope,
  elaboration: Elaboration,
): Distribution | undefined {
  if (syntax.kind === 'error') return undefined;
  const name = nameOf(syntax);
  const rule = name !== undefined && Object.hasOwn(rules, name) ? rules[name] : undefined;
  if (name === undefined || rule === undefined) {
    const names = Object.keys(rules);
    const message = name === undefined ? 'this is no distribution' : `there is no distribution \`${name}\``;
    const written = `a distribution is ${names.map((each) => `\`${each}(...)\``).join(', ')}`;
    const near = name === undefined ? undefined : knownNames(name, names).hint;
    elaboration.error('E504', syntax.span, message, { hint: near ?? written });
    return undefined;
  }
  const values = argumentsOf(name, rule, syntax.kind === 'call' ? syntax : undefined, syntax, {
    evaluate: (argument) => parameterOf(argument, name, scope, elaboration),
    diagnostics: elaboration,
  });
  if (values === undefined) return undefined;
  const argument = (parameter: string): number => values.get(parameter) ?? 0;
  if (rule.needs.holds(argument)) return rule.make(argument);
  const given = [...values.values()].join(', ');
  elaboration.error('E504', syntax.span, `\`${name}\` needs ${rule.needs.text}, found ${given}`);
  return undefined;
}

function nameOf(syntax: SyntaxExpression): string | undefined {
  if (syntax.kind === 'reference') return syntax.name.text;
  return syntax.kind === 'call' && !syntax.piped && syntax.binders === undefined
    ? syntax.callee.text
    : undefined;
}

/** A constant: through a draw whose distribution depends on a parameter no gradient would flow (E504). */
function parameterOf(
  syntax: SyntaxExpression,
  distribution: string,
  scope: Scope,
  elaboration: Elaboration,
): number | undefined {
  const value = elaborateExpression(syntax, scope, elaboration);
  if (value.kind === 'error') return undefined;
  const { constant } = value;
  if (constant !== undefined && Number.isFinite(constant)) return constant;
  const message =
    constant === undefined
      ? `what \`${distribution}\` draws must not depend on tensors: no gradient would flow through it`
      : `an argument of \`${distribution}\` must be finite, but this is ${constant}`;
  elaboration.error('E504', syntax.span, message, {
    hint: constant === undefined ? reparametrisations[distribution] : undefined,
  });
  return undefined;
}

/** How the same is drawn with constants only (Kingma & Welling 2014, section 2.4). */
const reparametrisations: Readonly<Record<string, string>> = {
  normal: 'draw `eps ~ normal(0, 1)` and write `mean + deviation * eps`',
  uniform: 'draw `u ~ uniform(0, 1)` and write `low + (high - low) * u`',
  bernoulli: 'draw `u ~ uniform(0, 1)` and write `u < probability`, which has derivative zero',
};
