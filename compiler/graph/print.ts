/**
 * Programs in the language. What is printed parses and elaborates back to a program of the same values. A scatter is an
 * update,
 *
 *     dE[tokens[n, t]: 96, d] += dh[n, t, d] for n, t, d        // and *=, max=, min=, logsumexp= for the other ⊕
 *
 * where every element that is not met is the neutral element of ⊕. All sizes are numbers; an index whose extent no axis
 * shows has it written out, on the left (`y[n, k: 10] = b[n]`) or where it is bound (`sum[u: 3](...)`). A recurrence is a `scan`
 * block. A reduction that one statement reads, and the model does not name, stands inside of it (nested.ts).
 */
import { neededFor } from './builder.ts';
import { freshName, isScatter, reducedIndices, tensorsReadBy, withoutPrimes } from './expressions.ts';
import { nestedReductions } from './nested.ts';
import { printDeclaration, printInitializer } from './print-declaration.ts';
import { printStatement, shownIndices } from './print-statement.ts';
import { ownerInside, placeOfOrigin } from './origin.ts';
import { editLines, ownFunctionLines } from './print-surgery.ts';
import { nextValues } from './results.ts';
import { scanUnits, withScanIndex } from './scan.ts';
import { renameProgram } from './variants.ts';
import { wrapped } from './wrap.ts';
import type { Phase, Program, Statement, Tensor } from './types.ts';

export { printDistribution } from './print-declaration.ts';
export { printExpression, printIndex, printNumber } from './print-expression.ts';
export type { PrintOptions } from './print-expression.ts';
export { printStatement, reductionNames } from './print-statement.ts';

export interface ProgramOptions {
  /** Behind every line the place that it comes from: `// digits.dsl:11`. */
  readonly places?: boolean;
  /** Reductions without a name in the model stand inside of the statements that read them. */
  readonly nested?: boolean;
}

/** One line of a block, or what is broken into several. */
interface Line {
  readonly text: string;
  readonly place?: string;
}

/** The whole program as a `model`, or, if it is an update, as an `optimizer` or `schedule` block. Ends in a newline. */
export function printProgram(program: Program, options: ProgramOptions = {}): string {
  const hasScalars = [...program.tensors.values()].some(({ role }) => role === 'scalar');
  const isUpdate = hasScalars || program.statements.some(({ phase }) => phase === 'update');
  const [first = { text: '' }, ...lines] = isUpdate ? updateLines(program) : modelLines(program, options);
  return [
    ...ownFunctionLines(program),
    first.text,
    ...(options.places ? withPlaces(lines) : lines.map(indented)),
    '}',
    '',
  ].join('\n');
}

const indented = ({ text }: Line): string => (text === '' ? '' : `  ${text}`);

/** Places stand in one column, but behind formulas that are longer. */
const LONGEST_BEFORE_COLUMN = 84;

/** Long formulas in several lines, and behind each its place. */
function withPlaces(lines: readonly Line[]): string[] {
  const broken = lines.map((line) => {
    const margin = /^ */.exec(line.text)?.[0] ?? '';
    return { line, parts: wrapped(line.text.trimStart()).map((part) => `  ${margin}${part}`) };
  });
  const widths = broken.flatMap(({ line, parts }) =>
    line.place === undefined ? [] : (parts.at(-1)?.length ?? 0),
  );
  const column = Math.max(0, ...widths.filter((width) => width <= LONGEST_BEFORE_COLUMN));
  return broken.flatMap(({ line, parts }) => {
    if (line.text === '') return [''];
    if (line.place === undefined) return parts;
    return [...parts.slice(0, -1), `${(parts.at(-1) ?? '').padEnd(column)}  // ${line.place}`];
  });
}

/** Does a step of a statement's history say something to a reader who sees where it comes from? */
const isTold: Readonly<Record<Phase, (step: string) => boolean>> = {
  forward: (step) => step === 'stabilised' || step === 'computed again',
  backward: (step) => step === 'computed again' || ownerInside(step) !== undefined,
  update: () => false,
};

/** `lenet.dsl:12 (layers.dsl:7), stabilised` */
function placeOfStatement({ origin, phase }: Statement): string {
  const told = new Set(origin.history.filter((step) => isTold[phase](step)));
  return [placeOfOrigin(origin), ...told].join(', ');
}

/** A parameter of a layer is declared in the layer, for the call whose statements read it or give its gradient. */
function placeOfTensor({ name, span }: Tensor, { statements, gradients }: Program): string {
  const reader = statements.find((statement) => {
    const { calls, span: own } = statement.origin;
    const isNear = statement.target === gradients.get(name) || tensorsReadBy(statement).has(name);
    return isNear && calls.length > 0 && own.source === span.source;
  });
  return placeOfOrigin({ span, calls: reader?.origin.calls ?? [], history: [] });
}

function modelLines(source: Program, options: ProgramOptions): Line[] {
  const { program: named, modes } = withNamedModes(source);
  const { program, given: next } = withPlainNext(named);
  const { tensors, statements, outputs, metrics, loss } = program;
  const given = [...tensors.values()].filter(({ role }) => role !== 'intermediate');
  const lines: Line[] = [
    { text: `model ${program.name} {` },
    ...given.map((tensor) => ({ text: printDeclaration(tensor), place: placeOfTensor(tensor, program) })),
  ];
  const plain = (text: string): void => void lines.push({ text });
  const nested = options.nested ? nestedReductions(program, (part) => isSelfShown(part, program)) : undefined;
  const known = { tensors, ...(nested === undefined ? {} : { nested }) };
  const results = new Set([...outputs, ...program.gradients.values()]);
  const marked = new Set<string>();
  let phase = 'declarations';
  for (const unit of scanUnits(statements)) {
    const [statement] = unit;
    if (statement === undefined || nested?.has(statement.target)) continue;
    if (statement.phase !== phase) plain('');
    if (statement.phase === 'backward' && phase !== 'backward') plain('// the gradient');
    phase = statement.phase;
    if (statement.scan) {
      lines.push(...printScan(unit, program));
      continue;
    }
    const { target } = statement;
    const mark = metrics.includes(target)
      ? 'metric '
      : results.has(target) && target !== 'loss'
        ? 'output '
        : '';
    if (mark !== '') marked.add(target);
    lines.push({
      text: mark + printStatement(statement, known, { standalone: true }),
      place: placeOfStatement(statement),
    });
  }
  for (const name of results) if (!marked.has(name)) plain(`output ${name}`);
  if (loss !== undefined && loss !== 'loss') plain(`loss = ${loss}`);
  [...next, ...modes].forEach(plain);
  for (const [position, text] of editLines(program).entries()) {
    const last = program.edits?.[position]?.statements.at(-1);
    lines.push({ text, ...(last ? { place: placeOfStatement(last) } : {}) });
  }
  const frozen = untrained(source);
  if (frozen.length > 0) ['', `train { freeze: [${frozen.join(', ')}] }`].forEach(plain);
  return lines;
}

/** Frozen parameters, and those that only a derivative, which is no longer there, read: their gradient is 0. */
function untrained({ tensors, statements, loss }: Program): string[] {
  const reached = loss === undefined ? undefined : neededFor(statements, [loss]);
  return [...tensors.values()]
    .filter(({ role, frozen }) => role === 'parameter' || frozen === true)
    .filter(({ name, frozen }) => frozen === true || reached?.has(name) === false)
    .map(({ name }) => name);
}

/** Does its own text show how far each index runs that it writes? */
function isSelfShown(statement: Statement, program: Program): boolean {
  const shown = shownIndices(statement, program);
  const reduced = new Set(reducedIndices(statement).map(({ name }) => name));
  return statement.indices.every(({ name }) => reduced.has(name) || shown.has(name));
}

/**
 * Loss and metrics of which there are two variants, `loss` and `loss_inference`: their statements are called
 * `loss_training` and `loss_inference`, and lines at the end choose: `loss = training ? loss_training : loss_inference`.
 */
function withNamedModes(program: Program): { readonly program: Program; readonly modes: readonly string[] } {
  const { evaluation, loss, metrics } = program;
  if (evaluation === undefined) return { program, modes: [] };
  const names = new Map<string, string>();
  const modes: string[] = [];
  const choose = (mark: string, name: string, trained: string, inferred: string): void => {
    const named = trained === name ? freshName(`${name}_training`, program.tensors) : trained;
    if (named !== trained) names.set(trained, named);
    modes.push(`${mark}${name} = training ? ${named} : ${inferred}`);
  };
  if (loss !== undefined && evaluation.loss !== undefined && evaluation.loss !== loss)
    choose('', 'loss', loss, evaluation.loss);
  for (const [place, name] of metrics.entries()) {
    const inferred = evaluation.metrics[place];
    if (inferred !== undefined && inferred !== name) choose('metric ', name, name, inferred);
  }
  const { loss: _loss, ...rest } = program;
  const plain: Program = {
    ...rest,
    ...(loss === undefined || evaluation.loss !== loss ? {} : { loss }),
    metrics: metrics.filter((name, place) => evaluation.metrics[place] === name),
  };
  return { program: renameProgram(plain, names), modes };
}

/**
 * Next values of states that other statements read are called `m_next`, and lines at the end give them to their states:
 * in the language a read of `m'` is, in inference, one of `m`.
 */
function withPlainNext(program: Program): { readonly program: Program; readonly given: readonly string[] } {
  const read = new Set(program.statements.flatMap((statement) => [...tensorsReadBy(statement)]));
  const names = new Map<string, string>();
  const given: string[] = [];
  for (const name of nextValues(program).values()) {
    if (!read.has(name)) continue;
    const plain = freshName(withoutPrimes(name), program.tensors);
    names.set(name, plain);
    given.push(`${name} = ${plain}`);
  }
  return { program: names.size === 0 ? program : renameProgram(program, names), given };
}

/**
 * A group as the block that it is, all its statements with one name for the step. What only an axis of the block's own
 * tensors shows of an extent is written out: a reader of the block learns their axes from it.
 */
function printScan(unit: readonly Statement[], program: Program): Line[] {
  const index = unit[0]?.scan?.index ?? '';
  const own = new Set(unit.map(({ target }) => target));
  const statements = unit.map((statement) => {
    // a scatter tells the sizes of its own axes
    const unknown = new Set([...own].filter((name) => !isScatter(statement) || name !== statement.target));
    const { tensors } = program;
    const text = printStatement(withScanIndex(statement, index), { tensors, unknown }, { standalone: true });
    return { text: `  ${text}`, place: placeOfStatement(statement) };
  });
  return [{ text: `${scanHeader(unit)} {` }, ...statements, { text: '}' }];
}

/** `scan t`, `scan t reversed`; '' for plain statements. */
export function scanHeader([first]: readonly Statement[]): string {
  if (first?.scan === undefined) return '';
  return `scan ${first.scan.index}${first.scan.reversed ? ' reversed' : ''}`;
}

/** What every optimizer block knows without naming it. */
const impliedScalars = new Set(['t', 'step', 'loss']);

function updateLines(program: Program): Line[] {
  const tensors = [...program.tensors.values()];
  const scalars = tensors.filter((tensor) => tensor.role === 'scalar' && !impliedScalars.has(tensor.name));
  const states = tensors.filter((tensor) => tensor.role === 'state');
  const keyword = program.tensors.has('p') ? 'optimizer' : 'schedule';
  return [
    `${keyword} ${program.name}(${scalars.map((tensor) => tensor.name).join(', ')}) {`,
    ...states.map(
      (tensor) => `state ${tensor.name}${tensor.axes.length === 0 ? '[]' : ''} ~ ${printInitializer(tensor)}`,
    ),
    ...program.statements.map((statement) =>
      printStatement(statement, program, { standalone: true, whole: true }),
    ),
  ].map((text) => ({ text }));
}
