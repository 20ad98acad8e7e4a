/**
 * Statements that move nothing: `flat[n, k] = x[n, k / 16, mod(k, 16)]`, read in row-major order, is the same memory as
 * `x`. Such a statement does not run; its tensor is another name of what it reads.
 */
import { indexKey, isScatter } from '../graph/expressions.ts';
import type { IndexExpression, IndexTerm, Program, Statement, Tensor } from '../graph/types.ts';
import { flatten } from './access.ts';
import type { Flat } from './access.ts';
import { elementsOf, equalMonomials } from './integers.ts';

type Tensors = ReadonlyMap<string, Tensor>;

/**
 * Tensor -> the one whose memory it is. What is read from outside under its own name (`pinned`) can only share the memory of
 * another intermediate; gradients lie in a pool of their own.
 */
export function aliasesOf(
  { statements, tensors, gradients }: Program,
  pinned: { has(tensor: string): boolean },
): Map<string, string> {
  const roots = new Map<string, string>();
  const apart = new Set(gradients.values());
  for (const statement of statements) {
    const { target } = statement;
    const source = sourceOf(statement, tensors);
    if (source === undefined || apart.has(target)) continue;
    const root = roots.get(source) ?? source;
    const role = tensors.get(root)?.role;
    if (role === undefined || role === 'scalar' || apart.has(root)) continue;
    if (role !== 'intermediate' && role !== 'random' && pinned.has(target)) continue;
    roots.set(target, root);
  }
  return roots;
}

/** What a statement reads element for element in its own order, all of it; undefined if it does anything else. */
function sourceOf(statement: Statement, tensors: Tensors): string | undefined {
  const { target, combine, body, finish, scan, indices, write } = statement;
  if (combine !== 'assign' || finish || scan || isScatter(statement) || indices.length !== write.length)
    return undefined;
  if (body.kind !== 'read' || body.outside !== undefined) return undefined;
  const [own, source] = [tensors.get(target), tensors.get(body.tensor)];
  if (!own || !source || own.element !== source.element) return undefined;
  if (!equalMonomials(elementsOf(own.axes), elementsOf(source.axes))) return undefined;
  return sameFlat(flatten(source, body.at), flatten(own, write)) ? body.tensor : undefined;
}

/** True if two places are the same number for every value of their indices. */
export function sameFlat(left: Flat, right: Flat): boolean {
  const [a, b] = [wholeOf(left), wholeOf(right)];
  return a.length === b.length && a.every((key) => b.includes(key));
}

/** The terms of a place, digits put together again, each as a text. */
function wholeOf(flat: Flat): string[] {
  let terms = flat.map(({ factor, atom }) => ({ factor, term: atom && { coefficient: 1, atom } }));
  for (let merged = true; merged;) {
    merged = false;
    for (const low of terms) {
      if (low.term?.atom.kind !== 'remainder') continue;
      const { of, by } = low.term.atom;
      const high = terms.find(
        ({ factor, term }) =>
          term !== undefined &&
          equalMonomials(factor, { ...low.factor, coefficient: low.factor.coefficient * by }) &&
          isQuotient(term, of, by),
      );
      if (high === undefined) continue;
      // factor · by · floor(of / by) + factor · mod(of, by) = factor · of
      const whole = of.terms.map((term) => ({
        factor: { ...low.factor, coefficient: low.factor.coefficient * term.coefficient },
        term: { coefficient: 1, atom: term.atom },
      }));
      const constant =
        of.constant === 0
          ? []
          : [
              {
                factor: { ...low.factor, coefficient: low.factor.coefficient * of.constant },
                term: undefined,
              },
            ];
      terms = [...terms.filter((each) => each !== low && each !== high), ...whole, ...constant];
      merged = true;
      break;
    }
  }
  return terms.map(
    ({ factor, term }) =>
      `${factor.coefficient} ${factor.symbols.join('*')} ${term ? indexKey({ terms: [term], constant: 0 }) : ''}`,
  );
}

/** True if the term is floor(of / by), where `of` may be a quotient itself. */
function isQuotient({ atom }: IndexTerm, of: IndexExpression, by: number): boolean {
  if (atom.kind !== 'quotient' || atom.exact) return false;
  if (atom.by === by && indexKey(atom.of) === indexKey(of)) return true;
  const [inner, ...others] = of.terms;
  if (others.length > 0 || of.constant !== 0 || inner?.coefficient !== 1) return false;
  const { atom: part } = inner;
  return (
    part.kind === 'quotient' &&
    !part.exact &&
    atom.by === by * part.by &&
    indexKey(atom.of) === indexKey(part.of)
  );
}
