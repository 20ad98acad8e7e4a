/** The programs that the emitted gradient is held against, made of the model with the calculus of the compiler. */
import { differentiate, tangent } from '../calculus/index.ts';
import { Diagnostics } from '../diagnostics/diagnostic.ts';
import { neededFor, withStatements } from '../graph/builder.ts';
import {
  add,
  children,
  freshName,
  mapExpression,
  multiply,
  postorder,
  renameFetches,
  renameTensors,
  subtract,
  tensorsIn,
  tensorsReadBy,
  withChildren,
  zero,
} from '../graph/expressions.ts';
import { withOperands } from '../graph/own-functions.ts';
import { arrangeScans, scanUnits } from '../graph/scan.ts';
import type { Expression, Program, Statement, Tensor } from '../graph/types.ts';
import type { AnalysedModel } from '../index.ts';
import { optimise } from '../rewrite/index.ts';

type Without = ReadonlySet<string> | undefined;

/** The program that was differentiated: in its stable form. */
export function preparedOf({ stages, model }: AnalysedModel): Program {
  const place = stages.findIndex(({ pass }) => pass === 'differentiate');
  return stages[place - 1]?.program ?? model.program;
}

/** The same gradient by the form that is right by construction: every contribution scattered to where its read was. */
export function scatteredGradient(analysed: AnalysedModel, without: Without): Program {
  const gradient = differentiate(preparedOf(analysed), new Diagnostics(), { form: 'scatter' });
  return optimise(gradient, { without });
}

/** The same gradient without what `cotangent` statements of the model do to it: the derivative of the loss. */
export function uneditedGradient(analysed: AnalysedModel, without: Without): Program {
  const { edits: _, ...prepared } = preparedOf(analysed);
  return optimise(differentiate(prepared, new Diagnostics()), { without });
}

export interface ForwardMode {
  readonly program: Program;
  /** Parameter -> the input that holds its direction. The derivative of the loss is the only metric. */
  readonly directions: ReadonlyMap<string, string>;
}

/** The derivative of the loss along directions of the parameters, in forward mode; no rewriting but that of `program`. */
export function forwardMode(program: Program, parameters: readonly string[]): ForwardMode {
  const { program: made, tangents } = tangent(onlyLoss(program), parameters);
  const slope = tangents.get(program.loss ?? '');
  const result = onlyLoss(made, slope === undefined ? [] : [slope]);
  return {
    program: result,
    directions: new Map(
      parameters.flatMap((name) => {
        const direction = tangents.get(name);
        return direction === undefined ? [] : [[name, direction] as const];
      }),
    ),
  };
}

/** What the loss and these metrics need, and nothing besides. */
function onlyLoss(program: Program, metrics: readonly string[] = []): Program {
  const { evaluation: _, ...rest } = program;
  const needed = neededFor(program.statements, [
    ...(program.loss === undefined ? [] : [program.loss]),
    ...metrics,
  ]);
  const statements = program.statements.filter(({ target }) => needed.has(target));
  return withStatements({ ...rest, outputs: [], metrics, gradients: new Map() }, statements);
}

export interface HeldProgram {
  readonly program: Program;
  /** Parameter -> the input that keeps its value where a gradient is stopped. */
  readonly held: ReadonlyMap<string, string>;
}

/** What is taken at its word, in words for a user. */
export function heldRemarks({ model }: AnalysedModel): string[] {
  const nodes = model.program.statements.flatMap(({ body }) => postorder(body));
  const functions = new Set(nodes.flatMap((node) => (node.kind === 'call' ? node.callee.name : [])));
  const own = [...functions].map(
    (name) =>
      `the derivative that the model gives for \`${name}\` is taken at its word: it is not held against differences of \`${name}\``,
  );
  const stops = nodes.some((node) => node.kind === 'unary' && node.operator === 'stop_gradient');
  return [
    ...own,
    ...(stops ? ['stop_gradient: the differences are those of the loss with what it holds'] : []),
  ];
}

/**
 * The loss with what stands in `stop_gradient`, and functions with derivatives of their own, held: computed of a second copy of the parameters, given as inputs, which does not
 * move along a direction. So the differences of this program are what the gradient is meant to be, though it is not the
 * derivative of the loss. Undefined where the gradient of no parameter is stopped.
 */
export function heldProgram(analysed: AnalysedModel, without: Without): HeldProgram | undefined {
  const program = onlyLoss(preparedOf(analysed));
  const varying = varyingTensors(program);
  const isStopped = (node: Expression): boolean =>
    (node.kind === 'call' || (node.kind === 'unary' && node.operator === 'stop_gradient')) &&
    [...tensorsIn(node)].some((name) => varying.has(name));
  if (!program.statements.some(({ body }) => postorder(body).some(isStopped))) return undefined;

  const names = new Map<string, string>();
  const tensors = new Map(program.tensors);
  const added = new Map<string, Tensor>();
  const held = new Map<string, string>();
  for (const name of varying) {
    const tensor = program.tensors.get(name);
    if (tensor === undefined) continue;
    const copy = freshName(`${name}_held`, tensors);
    names.set(name, copy);
    const { axes, axisNames, element, span } = tensor;
    const isParameter = tensor.role === 'parameter';
    const made: Tensor = {
      name: copy,
      role: isParameter ? 'input' : 'intermediate',
      axes,
      axisNames,
      element,
      span,
    };
    tensors.set(copy, made);
    if (isParameter) held.set(name, copy);
    else added.set(copy, made);
  }
  const statements = scanUnits(program.statements).flatMap((unit) => {
    const copies = unit.filter(({ target }) => names.has(target)).map((each) => renamed(each, names));
    const originals = unit.map((each) => ({
      ...each,
      body: mapExpression(each.body, (node) => (isStopped(node) ? stoppedAt(node, names) : node)),
    }));
    return [...copies, ...originals];
  });
  const all = { ...program, tensors };
  return { program: optimise(arrangeScans(withStatements(all, statements, added)), { without }), held };
}

/**
 * A stopped operand, held. A function with a derivative of its own is what that derivative says: its value where it is held, and for
 * each operand its partial derivative there times how far the operand has moved.
 */
function stoppedAt(node: Expression, names: ReadonlyMap<string, string>): Expression {
  const held = children(node).map((child) => renameTensors(child, names));
  if (node.kind !== 'call') return withChildren(node, held);
  return node.callee
    .partials()
    .map((partial, place): Expression => {
      const moved = subtract(node.operands[place] ?? zero, held[place] ?? zero);
      return multiply(withOperands(partial, node.callee, held), moved);
    })
    .reduce<Expression>((sum, term) => add(sum, term), withOperands(node.callee.value, node.callee, held));
}

function renamed(statement: Statement, names: ReadonlyMap<string, string>): Statement {
  const { target, body, write, scan } = statement;
  return {
    ...statement,
    target: names.get(target) ?? target,
    body: renameTensors(body, names),
    write: write.map((index) => renameFetches(index, names)),
    ...(scan ? { scan: { ...scan, group: names.get(scan.group) ?? scan.group } } : {}),
  };
}

/**
 * The parameters whose gradient a `cotangent` statement of the model edits on its way: those that an edited tensor depends on.
 * What they get is on purpose the derivative of no loss.
 */
export function editedParameters({ model }: AnalysedModel, parameters: readonly string[]): Set<string> {
  const edited = (model.program.edits ?? []).map(({ tensor }) => tensor);
  return new Set(
    parameters.filter((name) => {
      const varying = varyingTensors(model.program, [name]);
      return edited.some((tensor) => varying.has(tensor));
    }),
  );
}

const trained = ({ tensors }: Program): string[] =>
  [...tensors.values()].flatMap(({ name, role, frozen }) =>
    role === 'parameter' && frozen !== true ? name : [],
  );

/** Some parameters, by default all that are trained, and what depends on them. */
function varyingTensors(program: Program, parameters: readonly string[] = trained(program)): Set<string> {
  const { statements } = program;
  const varying = new Set(parameters);
  for (const unit of scanUnits(statements)) {
    // in a recurrence what varies may be read before it is written
    for (let size = -1; size !== varying.size;) {
      size = varying.size;
      for (const statement of unit) {
        if ([...tensorsReadBy(statement)].some((name) => varying.has(name))) varying.add(statement.target);
      }
    }
  }
  return varying;
}
