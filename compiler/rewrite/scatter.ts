/**
 * What is done to each element of a scatter, if it is a factor or a mask, is done to what is scattered: the elements to
 * which nothing was written are zero, and stay so.
 *
 *     t[α(L)] += d(L),  s[i] = y[i] > 0 ? t[i] : 0     becomes     s[α(L)] += y[α(L)] > 0 ? d(L) : 0
 *
 * Behind a max pooling this is the gradient of the relu before it: a quarter of the elements, and no array in between.
 */
import { withStatements } from '../graph/builder.ts';
import {
  fetchedTensors,
  isInside,
  isPlainIndex,
  isScatter,
  mapExpression,
  reads,
  substituteIndices,
  tensorsReadBy,
} from '../graph/expressions.ts';
import { pinned } from '../graph/results.ts';
import type { Expression, Program, Statement, Tensor } from '../graph/types.ts';
import { isElementwise, placesOf, valueOf } from './definitions.ts';

export function scatterThrough(program: Program): Program {
  const keep = new Set([...pinned(program), ...(program.editedCotangents ?? [])]);
  const readers = new Map<string, Statement[]>();
  for (const statement of program.statements)
    for (const name of tensorsReadBy(statement)) readers.set(name, [...(readers.get(name) ?? []), statement]);
  const gone = new Set<string>();
  const replaced = new Map<Statement, Statement>();
  for (const scatter of program.statements) {
    const [reader, ...others] = readers.get(scatter.target) ?? [];
    if (!reader || others.length > 0 || keep.has(scatter.target) || replaced.has(reader)) continue;
    const through = joined(scatter, reader, program.tensors);
    if (through === undefined) continue;
    gone.add(scatter.target);
    replaced.set(reader, through);
  }
  if (gone.size === 0) return program;
  return withStatements(
    program,
    program.statements
      .filter(({ target }) => !gone.has(target))
      .map((statement) => replaced.get(statement) ?? statement),
  );
}

/** The scatter straight into what the elementwise statement computes of it; undefined where that is another value. */
function joined(
  scatter: Statement,
  reader: Statement,
  tensors: ReadonlyMap<string, Tensor>,
): Statement | undefined {
  if (scatter.combine !== 'sum' || !isScatter(scatter) || scatter.finish || scatter.scan) return undefined;
  if (!isElementwise(reader) || reader.scan || reader.phase !== scatter.phase) return undefined;
  const value = valueOf(reader);
  const own = reads(value).filter(({ tensor }) => tensor === scatter.target);
  const inPlace = own.every(
    ({ at, outside }) =>
      outside === undefined &&
      at.length === reader.indices.length &&
      at.every((index, axis) => isPlainIndex(index) === reader.indices[axis]?.name),
  );
  if (own.length !== 1 || !inPlace || fetchedTensors(value).has(scatter.target)) return undefined;
  if (!isFactor(value, scatter.target)) return undefined;
  const extents = new Map(scatter.indices.map(({ name, extent }) => [name, extent]));
  const axes = tensors.get(scatter.target)?.axes ?? [];
  const isWithin = scatter.write.every((index, axis) => {
    const extent = axes[axis];
    return extent !== undefined && isInside(index, extent, extents, tensors);
  });
  if (!isWithin) return undefined;
  const { target, phase, origin } = reader;
  const { indices, write, body } = scatter;
  const factor = mapExpression(substituteIndices(value, placesOf(reader, write)), (node) =>
    node.kind === 'read' && node.tensor === scatter.target ? body : node,
  );
  const history = [...origin.history, `scattered with ${scatter.target}`];
  return { target, indices, write, combine: 'sum', body: factor, phase, origin: { ...origin, history } };
}

/**
 * True if the value is a multiple of the tensor's element: zero where that is, and the sum of those of its terms. A
 * quotient is none: it need not be a number where nothing is divided.
 */
function isFactor(value: Expression, tensor: string): boolean {
  const has = (node: Expression): boolean => reads(node).some((read) => read.tensor === tensor);
  const isZero = (node: Expression): boolean => node.kind === 'constant' && node.value === 0;
  switch (value.kind) {
    case 'read':
      return value.tensor === tensor;
    case 'unary':
      return value.operator === 'negate' && isFactor(value.operand, tensor);
    case 'binary':
      if (value.operator === 'multiply')
        return has(value.left)
          ? !has(value.right) && isFactor(value.left, tensor)
          : isFactor(value.right, tensor);
      return false;
    case 'select':
      return (
        !has(value.condition) &&
        ((isZero(value.otherwise) && isFactor(value.then, tensor)) ||
          (isZero(value.then) && isFactor(value.otherwise, tensor)))
      );
    default:
      return false;
  }
}
