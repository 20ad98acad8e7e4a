/**
 * What the forward pass computes dearly and the backward pass needs again is kept: tanh(a u) in
 *
 *     y[n, i]  = tanh(a * u[n, i]) * x[n, i]
 *     du[n, i] = dy[n, i] * x[n, i] * a * (1 - tanh(a * u[n, i])^2)
 *
 * becomes a tensor that both read, where that costs less than computing it again:
 *
 *     computed  Σ over readers  volume(reader) · (cost + loads)
 *     kept      size · (cost + loads + 1 store)  +  Σ over readers  volume(reader) · 1 load
 *
 * Only functions whose values are never much larger than their arguments are: a tensor may be of float32, where exp(u)
 * overflows for a u that is no trouble in between.
 */
import { withStatements } from '../graph/builder.ts';
import {
  children,
  extentsOf,
  freeIndices,
  freshName,
  indexOf,
  postorder,
  reads,
  withoutPrimes,
} from '../graph/expressions.ts';
import type { Expression, Program, Statement, Tensor, UnaryOperator } from '../graph/types.ts';
import { costOfOne, costPerElement } from './cost.ts';
import { volumeOf } from './inline.ts';
import { bindsAll, skeletonsOf, unify } from './share.ts';

/** Dear, and never much larger than the argument. The cheap ones are computed again, the others may overflow. */
const isTameOperator: Readonly<Record<UnaryOperator, boolean>> = {
  negate: false,
  abs: false,
  sign: false,
  floor: false,
  ceil: false,
  round: false,
  exp: false,
  expm1: false,
  log: true,
  log1p: true,
  log2: true,
  sqrt: false,
  sin: true,
  cos: true,
  tan: false,
  asin: true,
  acos: true,
  atan: true,
  sinh: false,
  cosh: false,
  tanh: true,
  asinh: true,
  acosh: false,
  atanh: false,
  erf: true,
  sigmoid: true,
  softplus: true,
  relu: false,
  norm_sqrt: false,
  not: false,
  stop_gradient: false,
};

/** A place at which such a function is computed. */
interface Use {
  readonly statement: Statement;
  readonly node: Expression;
}

/** The program with a statement for each such value, before the first that computes it; `share` makes all read it. */
export function keepDear(program: Program): Program {
  const uses = usesOf(program);
  const taken = new Set(program.tensors.keys());
  const added = new Map<string, Tensor>();
  const before = new Map<Statement, Statement[]>();
  for (const alike of uses.values()) {
    for (
      let [first, ...others] = alike;
      first !== undefined && others.length > 0;
      [first, ...others] = others
    ) {
      if (first.statement.phase !== 'forward') break;
      const kept = statementFor(first, taken);
      const readers =
        kept &&
        others.filter(
          ({ statement, node }) =>
            statement.phase === 'backward' &&
            unify(kept, node, extentsOf(statement.indices), program.tensors) !== undefined,
        );
      if (!kept || !readers || !pays(kept, first, readers)) continue;
      taken.add(kept.target);
      added.set(kept.target, tensorOf(kept));
      before.set(first.statement, [...(before.get(first.statement) ?? []), kept]);
      break;
    }
  }
  if (added.size === 0) return program;
  const statements = program.statements.flatMap((statement) => [...(before.get(statement) ?? []), statement]);
  return withStatements(program, statements, added);
}

/** The outermost of these functions in every statement, by their structure, in the order of the program. */
function usesOf(program: Program): Map<string, Use[]> {
  const found = new Map<string, Use[]>();
  for (const statement of program.statements) {
    const roots = statement.finish ? [statement.body, statement.finish] : [statement.body];
    const seen = new Set<Expression>();
    for (const root of roots) {
      if (!postorder(root).some(isTame)) continue;
      const skeletons = skeletonsOf(root);
      const pending = [root];
      for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
        if (seen.has(node)) continue;
        seen.add(node);
        if (!isTame(node)) {
          pending.push(...children(node));
          continue;
        }
        const key = skeletons.get(node) ?? '';
        found.set(key, [...(found.get(key) ?? []), { statement, node }]);
      }
    }
  }
  return found;
}

function isTame(node: Expression): boolean {
  return node.kind === 'unary' && isTameOperator[node.operator] && freeIndices(node).size > 0;
}

/** T[i, j] = the value, over its own indices; undefined where these do not say where it is to be read. */
function statementFor({ statement, node }: Use, taken: ReadonlySet<string>): Statement | undefined {
  const free = freeIndices(node);
  const indices = statement.indices.filter(({ name }) => free.has(name));
  const { finish: _, ...rest } = statement;
  const operator = node.kind === 'unary' ? node.operator : 'value';
  const kept: Statement = {
    ...rest,
    target: freshName(`${withoutPrimes(statement.target)}_${operator}`, taken),
    indices,
    write: indices.map(({ name }) => indexOf(name)),
    combine: 'assign',
    body: node,
    origin: { ...statement.origin, history: [...statement.origin.history, 'kept'] },
  };
  const isWhole = statement.combine === 'assign' && statement.finish === undefined && statement.body === node;
  const isInScan = statement.scan === undefined || indices.some(({ name }) => name === statement.scan?.index);
  return !isWhole && isInScan && bindsAll(node, kept) ? kept : undefined;
}

function pays(kept: Statement, first: Use, readers: readonly Use[]): boolean {
  // what is no dearer than one exponential would be computed again all the same (recompute.ts)
  if (readers.length === 0 || costPerElement(kept.body) <= costOfOne('exp')) return false;
  const work = costPerElement(kept.body) + new Set(reads(kept.body).map(({ tensor }) => tensor)).size;
  const volumes = [first, ...readers].map(({ statement }) => volumeOf(statement.indices));
  const volume = volumes.reduce((total, each) => total + each, 0);
  return volumeOf(kept.indices) * (work + 1) + volume < volume * work;
}

function tensorOf({ target, indices, origin }: Statement): Tensor {
  return {
    name: target,
    role: 'intermediate',
    axes: indices.map(({ extent }) => extent),
    axisNames: indices.map(({ name }) => name),
    element: 'real',
    span: origin.span,
  };
}
