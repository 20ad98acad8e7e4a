/**
 * Checks that a program keeps every rule of graph/types.ts. Passes rely on these rules and must keep them; tests run
 * this between any two passes. What it finds is a mistake of the compiler, never of the user.
 */
import {
  extentsOf,
  freeIndices,
  indexNames,
  indicesIn,
  isInside,
  isPlainIndex,
  isScatter,
  reads,
  reducedIndices,
  tensorsReadBy,
  visitAtoms,
  visitExpression,
} from './expressions.ts';
import { nextValues } from './results.ts';
import { accesses, scanAxis, scanUnits, stepRead } from './scan.ts';
import type {
  Expression,
  Extent,
  IndexAtom,
  IndexExpression,
  Program,
  Read,
  Scan,
  Statement,
  Tensor,
} from './types.ts';

type Report = (problem: string) => void;

/** Every broken rule in one sentence that names the statement or tensor; empty if there is none. */
export function validate(program: Program): string[] {
  const problems: string[] = [];
  const written = new Set<string>();
  for (const [name, tensor] of program.tensors) {
    checkTensor(name, tensor, (problem) => problems.push(`tensor ${name}: ${problem}`));
  }
  for (const unit of scanUnits(program.statements)) {
    const own = new Map(unit.map((statement) => [statement.target, statement]));
    for (const statement of unit) {
      const report: Report = (problem) => problems.push(`statement ${statement.target}: ${problem}`);
      checkOrder(statement, program, { written, own: statement.scan ? own : new Map() }, report);
      checkStatement(statement, program, report);
      if (statement.scan) checkScan(statement, statement.scan, { unit, written }, report);
      written.add(statement.target);
    }
  }
  for (const [name, tensor] of program.tensors) {
    if (tensor.role === 'intermediate' && !written.has(name))
      problems.push(`tensor ${name}: no statement writes it`);
  }
  checkNames(program, (problem) => problems.push(problem));
  return problems;
}

// ------------------------------------------------------------------------------------------------------------ tensors

function checkTensor(name: string, tensor: Tensor, report: Report): void {
  if (tensor.name !== name) report(`it is kept under another name than its own, ${tensor.name}`);
  if (tensor.axisNames.length !== tensor.axes.length) {
    report(`${tensor.axes.length} axes but ${tensor.axisNames.length} names of axes`);
  }
  for (const extent of tensor.axes) if (!isExtent(extent)) report(`extent ${extent} is no size`);
  const needsInitializer = tensor.role === 'parameter' || tensor.role === 'state';
  if (needsInitializer && tensor.initializer === undefined) report(`${tensor.role} without an initializer`);
  if (!needsInitializer && tensor.initializer !== undefined) report(`${tensor.role} with an initializer`);
  if (tensor.role === 'scalar' && tensor.axes.length > 0) report('a scalar with axes');
  const isRandom = tensor.role === 'random';
  if (isRandom && tensor.distribution === undefined) report('a random tensor without a distribution');
  if (!isRandom && tensor.distribution !== undefined) report(`${tensor.role} with a distribution`);
  if (isRandom && tensor.axes.slice(1).some((extent) => typeof extent === 'string'))
    report('an axis of a random tensor that is open and not the first');
  if (tensor.range !== undefined && tensor.element !== 'integer') report('a range, but no integer tensor');
  if (tensor.range !== undefined && !(tensor.range.least <= tensor.range.greatest)) report('an empty range');
  if (tensor.element === 'integer' && tensor.role === 'parameter') report('an integer parameter');
  const { initializer } = tensor;
  if (initializer?.kind !== 'values') return;
  const count = tensor.axes.reduce<number>((product, extent) => product * Number(extent), 1);
  if (initializer.values.length !== count)
    report(`${initializer.values.length} first values for ${count} elements`);
}

function isExtent(extent: Extent): boolean {
  return typeof extent === 'string' ? extent !== '' : Number.isSafeInteger(extent) && extent >= 0;
}

// ---------------------------------------------------------------------------------------------------------- statements

function checkOrder(
  statement: Statement,
  program: Program,
  { written, own }: { readonly written: ReadonlySet<string>; readonly own: ReadonlyMap<string, Statement> },
  report: Report,
): void {
  const tensor = program.tensors.get(statement.target);
  if (written.has(statement.target)) report('a second statement writes this tensor');
  if (tensor === undefined) report('its target is not declared');
  else if (tensor.role !== 'intermediate') report(`its target is a tensor of role ${tensor.role}`);
  for (const name of tensorsReadBy(statement)) {
    const source = program.tensors.get(name);
    if (source === undefined) report(`it reads ${name}, which is not declared`);
    else if (source.role === 'intermediate' && !written.has(name) && !own.has(name))
      report(`it reads ${name} before it is written`);
  }
}

/** A statement of a scan counts the steps with a written index, as its group does, and reads what is computed by then. */
function checkScan(
  statement: Statement,
  scan: Scan,
  { unit, written }: { readonly unit: readonly Statement[]; readonly written: ReadonlySet<string> },
  report: Report,
): void {
  const [first = statement] = unit;
  const stepsOf = ({ indices, scan: own }: Statement): Extent | undefined =>
    indices.find(({ name }) => name === own?.index)?.extent;
  const axis = scanAxis(statement);
  if (axis < 0) report(`it is in a scan over ${scan.index}, but does not write at it`);
  if (scan.group !== first.target)
    report(`its scan is called ${scan.group}, but begins with ${first.target}`);
  if (stepsOf(statement) !== stepsOf(first)) report(`its scan has ${stepsOf(first)} steps`);
  if (scan.reversed !== first.scan?.reversed) report('its scan runs both ways');
  for (const { tensor, at } of accesses(statement)) {
    const source = unit.find(({ target }) => target === tensor);
    if (source === undefined) continue;
    const step = stepRead(at[scanAxis(source)], scan);
    if (step === 'other') report(`it reads ${tensor} of its own scan at another step than an earlier one`);
    if (step === 'same' && !written.has(tensor)) report(`it reads ${tensor} in a step before it is written`);
  }
}

function checkStatement(statement: Statement, program: Program, report: Report): void {
  const { indices, combine, body, finish } = statement;
  const extents = extentsOf(indices);
  if (extents.size !== indices.length) report('two of its indices have one name');
  for (const { name, extent } of indices) {
    if (!isExtent(extent)) report(`index ${name} has no size: ${extent}`);
    if (typeof extent === 'string' && !isRunTimeExtent(program, extent)) {
      report(`index ${name} runs to ${extent}, which is no axis of a given tensor`);
    }
  }

  checkWrite(statement, program, extents, report);
  checkExpression(body, program, extents, report);
  visitExpression(body, (node) => {
    if (node.kind === 'accumulated') report('the accumulated value is used in the body');
  });
  if (combine === 'assign' && reducedIndices(statement).length > 0) {
    report('it assigns, but not every index is written: several values meet in one element');
  }
  if (finish === undefined) return;
  checkExpression(finish, program, extents, report);
  const reduced = new Set(reducedIndices(statement).map((index) => index.name));
  for (const name of freeIndices(finish))
    if (reduced.has(name)) report(`its finish uses the reduced index ${name}`);
  if (isScatter(statement)) report('a scatter with a finish');
}

function checkWrite(
  statement: Statement,
  program: Program,
  extents: ReadonlyMap<string, Extent>,
  report: Report,
): void {
  const { write, combine } = statement;
  const tensor = program.tensors.get(statement.target);
  if (tensor === undefined) return;
  const isPlace = combine === 'argmax' || combine === 'argmin';
  if (isPlace && tensor.element !== 'integer')
    report(`${combine} into a tensor of element ${tensor.element}`);
  if (write.length !== tensor.axes.length) {
    report(`it writes at ${write.length} indices a tensor of ${tensor.axes.length} axes`);
    return;
  }
  const scatter = isScatter(statement);
  if (scatter && combine === 'assign') report('a scatter that assigns');
  if (scatter && isPlace) report(`a scatter with ${combine}`);
  for (const [axis, index] of write.entries()) {
    checkIndex(index, program, extents, report);
    visitAtoms(index, (atom) => {
      if (isExact(atom)) report('it writes at an exact quotient');
    });
    const extent = tensor.axes[axis] ?? 0;
    if (!isInside(index, extent, extents, program.tensors))
      report(`it may write outside axis ${axis} of its target`);
    const name = isPlainIndex(index);
    if (!scatter && name !== undefined && extents.get(name) !== extent) {
      report(`index ${name} runs to ${extents.get(name)}, but axis ${axis} of its target to ${extent}`);
    }
  }
}

function checkExpression(
  expression: Expression,
  program: Program,
  extents: ReadonlyMap<string, Extent>,
  report: Report,
): void {
  for (const index of indicesIn(expression)) checkIndex(index, program, extents, report);
  for (const node of reads(expression)) checkRead(node, program, extents, report);
  visitExpression(expression, (node) => {
    if (node.kind === 'constant' && Number.isNaN(node.value)) report('a constant that is not a number');
    if (node.kind === 'call' && node.operands.length !== node.callee.parameters.length)
      report(`${node.callee.name} is called with ${node.operands.length} operands`);
    if (node.kind === 'extent_value' && !isRunTimeExtent(program, node.extent)) {
      report(`${node.extent} is no axis of a given tensor`);
    }
    if (node.kind !== 'index_value') return;
    visitAtoms(node.index, (atom) => {
      if (isExact(atom)) report('an exact quotient is used as a number');
    });
  });
}

function checkRead(node: Read, program: Program, extents: ReadonlyMap<string, Extent>, report: Report): void {
  const tensor = program.tensors.get(node.tensor);
  if (tensor === undefined) return; // reported with the order
  if (node.at.length !== tensor.axes.length) {
    report(`it reads at ${node.at.length} indices ${node.tensor} of ${tensor.axes.length} axes`);
    return;
  }
  if (node.outside !== undefined) return;
  for (const [axis, index] of node.at.entries()) {
    visitAtoms(index, (atom) => {
      if (isExact(atom)) report(`an exact quotient reads ${node.tensor} without a value for outside`);
    });
    if (!isInside(index, tensor.axes[axis] ?? 0, extents, program.tensors)) {
      report(`it may read outside axis ${axis} of ${node.tensor}`);
    }
  }
}

/** Indices are bound, numbers whole, fetches from integer tensors at places inside them. */
function checkIndex(
  index: IndexExpression,
  program: Program,
  extents: ReadonlyMap<string, Extent>,
  report: Report,
): void {
  for (const name of indexNames(index)) if (!extents.has(name)) report(`index ${name} is not bound`);
  checkNumbers(index, report);
  visitAtoms(index, (atom) => {
    if (atom.kind === 'quotient' || atom.kind === 'remainder') {
      checkNumbers(atom.of, report);
      if (!Number.isSafeInteger(atom.by) || atom.by < 1) report(`${atom.by} is no divisor of an index`);
    }
    if (atom.kind !== 'fetch') return;
    for (const at of atom.at) checkNumbers(at, report);
    checkFetch(atom.tensor, atom.at, program, extents, report);
  });
}

function checkFetch(
  name: string,
  at: readonly IndexExpression[],
  program: Program,
  extents: ReadonlyMap<string, Extent>,
  report: Report,
): void {
  const tensor = program.tensors.get(name);
  if (tensor === undefined) return; // reported with the order
  if (tensor.element !== 'integer') report(`${name} is used as an index, but is no integer tensor`);
  if (at.length !== tensor.axes.length) {
    report(`it reads at ${at.length} indices ${name} of ${tensor.axes.length} axes`);
    return;
  }
  for (const [axis, index] of at.entries()) {
    visitAtoms(index, (atom) => {
      if (isExact(atom)) report(`an exact quotient reads ${name} without a value for outside`);
    });
    if (!isInside(index, tensor.axes[axis] ?? 0, extents, program.tensors)) {
      report(`it may read outside axis ${axis} of ${name}`);
    }
  }
}

function checkNumbers(index: IndexExpression, report: Report): void {
  const numbers = [index.constant, ...index.terms.map((term) => term.coefficient)];
  for (const number of numbers)
    if (!Number.isSafeInteger(number)) report(`${number} in an index is no integer`);
  if (index.terms.some((term) => term.coefficient === 0)) report('an index term with coefficient 0');
}

const isExact = (atom: IndexAtom): boolean => atom.kind === 'quotient' && atom.exact;

/** A name is a run-time size if it is an axis of a tensor that is given: from there the runtime learns the size. */
function isRunTimeExtent(program: Program, name: string): boolean {
  return [...program.tensors.values()].some(
    ({ role, axes }) => role !== 'intermediate' && axes.includes(name),
  );
}

// ----------------------------------------------------------------------------------------------- what the program gives

function checkNames(program: Program, report: Report): void {
  const { tensors, outputs, gradients, evaluation } = program;
  for (const name of outputs) if (!tensors.has(name)) report(`output ${name} does not exist`);
  const losses = [program.loss, evaluation?.loss].filter((name) => name !== undefined);
  for (const name of new Set([...program.metrics, ...(evaluation?.metrics ?? []), ...losses])) {
    const tensor = tensors.get(name);
    const what = losses.includes(name) ? 'loss' : 'metric';
    if (tensor === undefined) report(`${what} ${name} does not exist`);
    else if (tensor.axes.length > 0) report(`${what} ${name} has ${tensor.axes.length} axes`);
  }
  if (evaluation !== undefined && evaluation.metrics.length !== program.metrics.length)
    report(`${evaluation.metrics.length} metrics in evaluation, ${program.metrics.length} in training`);
  for (const [name, next] of nextValues(program)) {
    const [state, value] = [name, next].map((each) => tensors.get(each)?.axes.join());
    if (state !== value) report(`next value ${next} has the axes [${value}], ${name} [${state}]`);
  }
  for (const [name, gradientName] of gradients) {
    const parameter = tensors.get(name);
    const gradient = tensors.get(gradientName);
    if (parameter?.role !== 'parameter') report(`${name} has a gradient, but is no parameter`);
    if (gradient === undefined) report(`gradient ${gradientName} of ${name} does not exist`);
    else if (parameter !== undefined && gradient.axes.join() !== parameter.axes.join()) {
      report(
        `gradient ${gradientName} has the axes [${gradient.axes.join()}], ${name} [${parameter.axes.join()}]`,
      );
    }
  }
}
