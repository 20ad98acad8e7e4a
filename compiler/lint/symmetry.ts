/**
 * W707: hidden units that begin alike stay alike. If every parameter that has the axis of the units is constant along it when
 * training begins, then to exchange two units changes nothing, neither now nor after any step (Goodfellow et al. 2016,
 * "Deep Learning", 8.4). One parameter with drawn values that has the axis is enough to tell them apart: the zeros of a
 * last layer or of one factor of a low-rank update are no mistake.
 */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import { indexNames, isPlainIndex, postorder, reads, reducedIndices } from '../graph/expressions.ts';
import type { Expression, Extent, IndexExpression, Program, Statement, Tensor } from '../graph/types.ts';
import { GradientPaths } from './gradient-paths.ts';
import { placeOfFirstValues } from './places.ts';

export function warnOfSymmetry(program: Program, diagnostics: Diagnostics): void {
  const axes = new Axes(program);
  const paths = new GradientPaths(program);
  const warned = new Set<string>();
  for (const statement of program.statements) {
    if (statement.combine !== 'sum' || !paths.has(statement.target)) continue;
    for (const { name, extent } of reducedIndices(statement)) {
      const units = axes.classOf(indexKey(statement, name));
      if (warned.has(units) || axes.isTold(units) || typeof extent !== 'number' || extent < 2) continue;
      const out = reads(statement.body).filter(({ tensor, at }) =>
        at.some(
          (index, axis) => isPlainIndex(index) === name && isTrained(program.tensors.get(tensor), axis),
        ),
      );
      const alike = [...program.tensors.values()].filter(
        (tensor) =>
          tensor.role === 'parameter' &&
          tensor.axes.some((_, axis) => axes.classOf(axisKey(tensor.name, axis)) === units),
      );
      const first = alike.find(({ axes: own, frozen }) => own.length > 1 && frozen !== true);
      // units that nothing trained comes from or goes to are no hidden layer
      if (out.length === 0 || alike.length < 2 || first === undefined) continue;
      warned.add(units);
      warn(first, alike, extent, program, diagnostics);
    }
  }
}

function warn(
  first: Tensor,
  alike: readonly Tensor[],
  units: number,
  program: Program,
  diagnostics: Diagnostics,
): void {
  const { span, notes, write } = placeOfFirstValues(first, program);
  const names = alike.slice(0, MOST_NAMES).map(({ name }) => `\`${name}\``);
  if (alike.length > MOST_NAMES) names.push(`${alike.length - MOST_NAMES} more`);
  diagnostics.warning(
    'W707',
    span,
    `${units} hidden units begin alike and stay alike: along them ${listed(names)} have equal first values`,
    {
      notes,
      hint: `draw the first values of one of them, such as \`${first.name}\`: \`${write('glorot_uniform')}\``,
    },
  );
}

const MOST_NAMES = 3;

const listed = (names: readonly string[]): string => `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

const isTrained = (tensor: Tensor | undefined, axis: number): boolean =>
  tensor?.role === 'parameter' && tensor.frozen !== true && tensor.axes[axis] !== undefined;

const axisKey = (tensor: string, axis: number): string => `${tensor} ${axis}`;
const indexKey = ({ target }: Statement, index: string): string => `${target} ${index}`;

/** The axes of all tensors in classes: two are in one if one index runs over both. */
class Axes {
  private readonly parent = new Map<string, string>();
  /** Classes along which places can be told apart: by data, by drawn values, by their numbers. */
  private readonly told = new Set<string>();
  private readonly program: Program;

  constructor(program: Program) {
    this.program = program;
    const marks: string[] = [];
    for (const statement of program.statements) marks.push(...this.take(statement));
    for (const tensor of program.tensors.values())
      if (tellsApart(tensor)) tensor.axes.forEach((_, axis) => marks.push(axisKey(tensor.name, axis)));
    for (const mark of marks) this.told.add(this.classOf(mark));
  }

  classOf(key: string): string {
    let at = key;
    for (let up = this.parent.get(at); up !== undefined; up = this.parent.get(at)) at = up;
    return at;
  }

  isTold(units: string): boolean {
    return this.told.has(units);
  }

  private unite(one: string, other: string): void {
    const [a, b] = [this.classOf(one), this.classOf(other)];
    if (a !== b) this.parent.set(a, b);
  }

  /** Unites what the statement's indices run over; gives what it tells apart. */
  private take(statement: Statement): string[] {
    const { target, write, body, finish, combine, scan } = statement;
    const marks: string[] = [];
    const mark = (index: IndexExpression): void => {
      for (const name of indexNames(index)) marks.push(indexKey(statement, name));
    };
    const extents = new Map(statement.indices.map(({ name, extent }) => [name, extent]));
    const place = (tensor: string, at: readonly IndexExpression[]): void =>
      at.forEach((index, axis) => {
        const name = isPlainIndex(index);
        const own: Extent | undefined = this.program.tensors.get(tensor)?.axes[axis];
        if (name !== undefined && extents.get(name) === own) {
          this.unite(axisKey(tensor, axis), indexKey(statement, name));
        } else {
          mark(index);
          marks.push(axisKey(tensor, axis));
        }
      });
    place(target, write);
    const roots: Expression[] = finish === undefined ? [body] : [body, finish];
    for (const root of roots) {
      for (const { tensor, at } of reads(root)) place(tensor, at);
      for (const node of postorder(root)) if (node.kind === 'index_value') mark(node.index);
    }
    // the first of equal extremes wins, and the steps of a recurrence are in order
    if (combine !== 'assign' && combine !== 'sum' && combine !== 'product' && combine !== 'logsumexp')
      for (const { name } of reducedIndices(statement)) marks.push(indexKey(statement, name));
    if (scan !== undefined) marks.push(indexKey(statement, scan.index));
    return marks;
  }
}

/** Its elements are not all the same when training begins. */
function tellsApart({ role, initializer, frozen }: Tensor): boolean {
  // what is frozen has been trained elsewhere: its values are loaded
  if (role === 'input' || role === 'random' || frozen === true) return true;
  return (role === 'parameter' || role === 'state') && initializer?.kind !== 'constant';
}
