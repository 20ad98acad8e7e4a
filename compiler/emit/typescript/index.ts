/**
 * @file Loop program -> one TypeScript module that explains itself: description, one function an operation under its
 * mathematics, `createProgram` with the readable lists of calls, `createTrainer`. The text is not yet formatted
 * (emit/format.ts); equal requests give equal text.
 */
import { evaluationResults, trainingResults } from '../../graph/results.ts';
import type { ElementType, Program } from '../../graph/types.ts';
import type { LoopFunction, Step, UpdateLoops } from '../../schedule/types.ts';
import { CHECK_NAMES, CheckWriter } from './checks.ts';
import { nameOf, startOf, type Mark, type Place, type Section } from '../sections.ts';
import { printCreateProgram } from './create.ts';
import { describeModel, tensorOf } from './describe.ts';
import { drawCall, drawFunctions } from './draws.ts';
import { emitFunction, type FunctionText, type ModuleContext } from './functions.ts';
import { heading } from './heading.ts';
import { defaultText, printHeader, shapeText, valuesText } from './header.ts';
import { marksOfCalls, marksOfFunction, placeOfCall } from './marks.ts';
import { builtIn, exactHelpers, fastHelpers } from './helpers.ts';
import { printKey, printTable } from './literal.ts';
import { Scope } from './names.ts';
import { createPredictorText, describePredictor, noUpdate } from './predictor.ts';
import type { EmitRequest } from './request.ts';
import { CLIPS, EXPORTS, HELPERS, IMPORTS, LOCALS } from './reserved.ts';
import { neededRuntime, topLevelNames } from './standalone.ts';
import { clipFunction, emitUpdate, type UpdateText } from './update.ts';
import { keptParameters } from './usage.ts';
import type { Elementary, Helper } from './integers.ts';
import { TRACE_NAMES, TraceWriter } from './trace.ts';
import { createTrainerText, hasOrthogonal, weighsRows } from './trainer.ts';
import { Views } from './views.ts';

export type { EmitOptions, EmitRequest } from './request.ts';

const RULE_WIDTH = 106;

/** @throws Error where the request contradicts itself (a fault of the compiler, not of the user's text) */
export function emitModule(request: EmitRequest): string {
  return `${emitSections(request)
    .map(({ text }) => text)
    .join('\n\n')}\n`;
}

/** An operation of the program, or a kernel, as the module has it. */
export interface EmittedFunction {
  readonly function: LoopFunction;
  /** What the module calls it. */
  readonly name: string;
  /** With what stands above it, not yet formatted. */
  readonly text: string;
}

/** The functions of the forward and the backward pass, one by one, as `emitSections` has them. */
export function emitFunctions(request: EmitRequest): readonly EmittedFunction[] {
  const printer = new ModulePrinter(request);
  printer.print();
  return printer.emitted;
}

/** The module in parts that stand for themselves, with an empty line between any two. */
export function emitSections(request: EmitRequest): readonly Section[] {
  return new ModulePrinter(request).print();
}

class ModulePrinter {
  private readonly request: EmitRequest;
  private readonly scope = new Scope();
  private readonly embedded: ReadonlySet<string>;
  private readonly arrayType: Readonly<Record<ElementType, string>>;
  private readonly usedHelpers = new Set<Helper>();
  /** The functions of the program, in their order. */
  readonly emitted: EmittedFunction[] = [];
  /** exp and its like are functions of the file. */
  private readonly fast: boolean;
  private readonly functions: Readonly<Record<Part, string[]>> = {
    forward: [],
    backward: [],
    update: [],
    kernels: [],
  };
  /** Text of a section -> where its words come from in the model. */
  private readonly marks = new Map<string, () => readonly Mark[]>();
  /** Call in a list -> the line of the model that it serves. */
  private readonly callPlaces = new Map<string, Place>();
  /** Of update programs: name and text without the name -> emitted name. */
  private readonly updateFunctions = new Map<string, string>();

  constructor(request: EmitRequest) {
    this.request = request;
    const real = request.loops.dtype === 'f32' ? 'Float32Array' : 'Float64Array';
    const { math, without = [] } = request.options;
    this.fast = request.loops.dtype === 'f32' && math !== 'exact' && !without.includes('polynomials');
    this.arrayType = { real, double: 'Float64Array', integer: 'Int32Array' };
    this.embedded = new Set(topLevelNames(request.options.standalone ?? ''));
    this.scope.reserve(...EXPORTS, ...IMPORTS, ...HELPERS, ...CLIPS, ...this.embedded);
    if (request.options.checks === true) this.scope.reserve(...CHECK_NAMES);
    if (request.options.trace === true) this.scope.reserve(...TRACE_NAMES);
  }

  print(): readonly Section[] {
    const { request } = this;
    const { loops, options } = request;
    const offsets = this.offsetConstants();
    const callFunction = this.programFunctions(loops.functions);

    const local = new Scope(this.scope);
    local.reserve(...LOCALS);
    const checks = options.checks === true ? new CheckWriter(request) : undefined;
    const trace = options.trace === true ? new TraceWriter(request) : undefined;
    if (checks !== undefined || trace !== undefined) local.reserve('checkedTensors', 'shapes', 'options');
    const views = new Views(
      loops,
      local,
      this.arrayType,
      new Map(offsets.map(({ name, offset }) => [offset, name])),
    );
    const rows = loops.batch === undefined ? undefined : local.declare(loops.batch);
    const stepCall =
      (list: keyof typeof loops.draws | 'backward') =>
      (step: Step): string => {
        const call = callFunction(
          step,
          step.buffers.map((tensor) => views.of(tensor)),
          step.integers.map((integer) => this.extent(integer, rows)),
          [],
        );
        const served = this.serving(call, functionOf(step, loops.functions), step);
        return [served, ...(checks?.after(step) ?? []), ...(trace?.after(step, list) ?? [])].join('\n');
      };
    /** Says to what watches a list that it begins. */
    const watching = [...(checks === undefined ? [] : ['checks']), ...(trace === undefined ? [] : ['trace'])];
    const begin = (phase: keyof typeof loops.draws | 'backward'): string[] =>
      watching.map(
        (each) => `${each}.begin('${phase}', ${rows ?? 1}${phase === 'backward' ? '' : ', step'});`,
      );
    const { program } = request;
    const drawLines = (list: keyof typeof loops.draws): string[] =>
      loops.draws[list].map((name) => drawCall(tensorOf(program, name), views, rows));
    const resultLines = (names: readonly string[]): string[] =>
      names.map((name, k) => `results[${k}] = ${views.of(name)}[0]!;`);
    const update =
      request.inference === true
        ? noUpdate
        : emitUpdate(request, views, local, (own, update, step, buffers, integers, numbers) =>
            this.updateCall(own, update, step, buffers, integers, numbers),
          );
    const watched =
      checks !== undefined && request.inference !== true && update.calls.length + loops.nextValues.size > 0;
    // a pass of its own where it is watched, so that it is told apart from one of training
    const evaluated =
      loops.evaluate ?? (watching.length > 0 && request.inference !== true ? loops.forward : undefined);
    const lists = {
      forward: [
        ...begin('forward'),
        ...drawLines('forward'),
        ...loops.forward.map(stepCall('forward')),
        ...resultLines(trainingResults(program)),
      ],
      backward:
        loops.backward.length === 0
          ? []
          : [...begin('backward'), ...loops.backward.map(stepCall('backward'))],
      update: [
        ...(watched ? ['checks.beginUpdate(step);'] : []),
        ...[...loops.nextValues].map(([state, next]) => `${views.of(state)}.set(${views.of(next)});`),
        ...update.calls,
        ...(watched ? ['checks.endUpdate();'] : []),
        ...(trace?.afterUpdate() ?? []),
      ],
      evaluate: evaluated && [
        ...begin('evaluate'),
        ...drawLines(loops.evaluate ? 'evaluate' : 'forward'),
        ...evaluated.map(stepCall('evaluate')),
        ...resultLines(evaluationResults(program)),
      ],
      predict: [...begin('predict'), ...drawLines('predict'), ...loops.predict.map(stepCall('predict'))],
    };
    const observing = [...(checks?.declaration(views) ?? []), ...(trace?.declaration(views) ?? [])];
    const tables = [...(checks === undefined ? [] : this.checkTables(checks)), ...(trace?.tables() ?? [])];
    const create = printCreateProgram(
      request,
      views,
      this.arrayType,
      lists,
      update,
      rows,
      observing,
      (wish) => local.declare(wish),
    );
    const created = [...create.parts, create.text].join('\n');

    const clip = request.model.training?.clip;
    const sections = [
      printHeader(request),
      this.imports(),
      this.types(),
      this.description(update),
      offsets
        .filter(({ name }) => created.includes(name))
        .map(({ name, offset }) => `const ${name} = ${offset};`)
        .join('\n'),
      ...titled('forward', this.functions.forward),
      ...titled('backward', withNotation(this.functions.backward, program.editedCotangents !== undefined)),
      ...titled('update', [
        ...(clip !== undefined && update.calls.length > 0 ? [clipFunction(clip, this.arrayType.real)] : []),
        ...this.functions.update,
      ]),
      ...titled('what they call', [...this.functions.kernels, ...this.helpers()]),
      ...titled('what looks at values', tables),
      rule('the program'),
      ...create.parts,
      create.text,
      request.inference === true ? createPredictorText(request) : createTrainerText(request),
    ];
    for (const text of [...create.parts, create.text])
      this.marks.set(text.trim(), () =>
        marksOfCalls(text.trim(), this.callPlaces, startOf(request.model.span)),
      );
    const own = trimmed(sections);
    if (options.standalone === undefined) return this.marked(own);
    const runtime = neededRuntime(options.standalone, own.join('\n\n'));
    return this.marked([...own, ...trimmed([rule(`the runtime of chainrule ${options.version}`), runtime])]);
  }

  private marked(texts: readonly string[]): Section[] {
    return texts.map((text) => ({ text, marks: this.marks.get(text) ?? (() => []) }));
  }

  private serving(call: string, loop: LoopFunction, step: Step): string {
    const place = placeOfCall(loop, step);
    if (place !== undefined && !this.callPlaces.has(call)) this.callPlaces.set(call, place);
    return call;
  }

  private checkTables(checks: CheckWriter): string[] {
    const table = checks.table(this.context([], (name) => name));
    const tables = [table, checks.tableBefore(this.context([], (name) => name))];
    return this.request.inference === true ? tables : [...tables, checks.updates()];
  }

  // ------------------------------------------------------------------------------------------------------------ top part

  private imports(): string {
    const { options, program, loops } = this.request;
    if (options.standalone !== undefined) return '';
    const from = JSON.stringify(options.runtime);
    const inputs = [...program.tensors.values()].filter((tensor) => tensor.role === 'input');
    const own =
      this.request.inference === true
        ? ['PredictingProgram', 'Predictor', 'PredictorDescription', 'PredictorOptions']
        : ['CompiledProgram', 'ModelDescription', 'Trainer', 'TrainerOptions'];
    const types = [
      ...own,
      ...(inputs.some((tensor) => tensor.element === 'integer') ? ['IntegerData'] : []),
      ...(inputs.some((tensor) => tensor.element !== 'integer') ? ['RealData'] : []),
      ...(options.checks !== true ? [] : ['CheckedStatement', 'CheckOptions']),
      ...(options.checks !== true || this.request.inference === true ? [] : ['CheckedUpdate']),
      ...(options.trace === true ? ['TracedTensor', 'TraceOptions'] : []),
    ].toSorted();
    const values = [
      ...(options.checks === true ? ['Checks'] : []),
      ...drawFunctions(program, loops.draws),
      ...(this.usedHelpers.has('erf') && !this.fast ? ['erf'] : []),
      ...(hasOrthogonal(this.request) ? ['fillOrthogonal'] : []),
      this.request.inference === true ? 'makePredictor' : 'makeTrainer',
      ...(options.trace === true ? ['Tracer'] : []),
      ...(weighsRows(this.request) ? ['rowWeights'] : []),
    ];
    return `import { ${values.join(', ')} } from ${from};\nimport type { ${types.join(', ')} } from ${from};`;
  }

  private types(): string {
    const { program } = this.request;
    const tensors = [...program.tensors.values()];
    const inputs = tensors
      .filter((tensor) => tensor.role === 'input')
      .map(
        (tensor) =>
          `  /** ${shapeText(tensor)}, ${valuesText(tensor)}${defaultText(tensor)} */\n` +
          `  readonly ${printKey(tensor.name)}${tensor.default === undefined ? '' : '?'}: ${tensor.element === 'integer' ? 'IntegerData' : 'RealData'};`,
      );
    const outputs = program.outputs.map((name) => {
      const tensor = tensorOf(program, name);
      return (
        `  /** ${shapeText(tensor)}, ${valuesText(tensor)} */\n` +
        `  readonly ${printKey(name)}: ${this.arrayType[tensor.element]};`
      );
    });
    const parameters = tensors
      .filter((tensor) => tensor.role === 'parameter')
      .map((tensor) => JSON.stringify(tensor.name));
    return [
      '/** Data, flat, row after row. */',
      shape('Inputs', inputs),
      '',
      '/** What `predict` gives, flat, row after row. */',
      shape('Outputs', outputs),
      '',
      `export type ParameterName = ${parameters.length === 0 ? 'never' : parameters.join(' | ')};`,
    ].join('\n');
  }

  private description(update: UpdateText): string {
    if (this.request.inference === true) {
      const description = describePredictor(this.request);
      return `// prettier-ignore\nexport const description: PredictorDescription = ${printTable(description)};`;
    }
    const description = describeModel(this.request, update.states);
    return `// prettier-ignore\nexport const description: ModelDescription = ${printTable(description)};`;
  }

  private offsetConstants(): { readonly name: string; readonly offset: number }[] {
    return [...this.request.loops.buffers.values()]
      .filter((buffer) => buffer.pool === 'parameters')
      .map((buffer) => ({
        name: this.scope.declare(`${buffer.tensor}_offset`),
        offset: buffer.offset.constant,
      }));
  }

  // ----------------------------------------------------------------------------------------------------------- functions

  private context(functions: readonly LoopFunction[], functionName: (name: string) => string): ModuleContext {
    return {
      scope: this.scope,
      arrayType: this.arrayType,
      functionName,
      kept: keptParameters(functions),
      helper: (name) => {
        this.usedHelpers.add(name);
        if (!this.fast) return isElementary(name) ? builtIn[name] : name;
        for (const called of fastHelpers[name].calls ?? []) this.usedHelpers.add(called);
        return name;
      },
    };
  }

  /** Emits the functions of the forward and backward programs; gives the writer of their calls. */
  private programFunctions(
    functions: readonly LoopFunction[],
  ): (
    step: Step,
    buffers: readonly string[],
    integers: readonly string[],
    numbers: readonly string[],
  ) => string {
    const names = new Map(functions.map((each) => [each.name, this.scope.declare(each.name)]));
    const nameOf = (name: string): string => names.get(name) ?? name;
    const context = this.context(functions, nameOf);
    for (const each of functions) {
      const name = nameOf(each.name);
      const text = this.add(each, name, emitFunction(each, context), this.request.program);
      this.emitted.push({ function: each, name, text });
    }
    return (step, buffers, integers, numbers) =>
      callText(nameOf(step.function), context, step, buffers, integers, numbers);
  }

  /** Emits a function of an update program unless an equal one is there, and calls it. */
  private updateCall(
    program: Program,
    loops: UpdateLoops,
    step: Step,
    buffers: readonly string[],
    integers: readonly string[],
    numbers: readonly string[],
  ): string {
    const nameOf = (name: string): string => {
      const each = functionOf({ function: name }, loops.functions);
      const text = emitFunction(each, context);
      const key = `${name}${text.text}`;
      const known = this.updateFunctions.get(key);
      if (known !== undefined) return known;
      const emitted = this.scope.declare(name);
      this.updateFunctions.set(key, emitted);
      this.add(each, emitted, text, program);
      return emitted;
    };
    const context = this.context(loops.functions, (name) => nameOf(name));
    const call = callText(nameOf(step.function), context, step, buffers, integers, numbers);
    return this.serving(call, functionOf(step, loops.functions), step);
  }

  /** Puts a function under its heading, in its part of the file; both as text. */
  private add(loop: LoopFunction, name: string, text: FunctionText, program: Program): string {
    const section = `${heading(loop, program)}\nexport function ${name}${text.text}`;
    this.functions[partOf(loop)].push(section);
    this.marks.set(section.trim(), () => marksOfFunction(loop, name, text, nameOf(this.request.model)));
    return section;
  }

  private helpers(): string[] {
    const texts = this.fast
      ? fastHelpers
      : { ...exactHelpers, exp: undefined, tanh: undefined, erf: undefined };
    return HELPERS.flatMap((name) => (this.usedHelpers.has(name) ? (texts[name]?.text ?? []) : []));
  }

  private extent(integer: number | string, rows: string | undefined): string {
    if (typeof integer === 'number') return String(integer);
    if (integer !== this.request.loops.batch || rows === undefined) {
      throw new Error(`a step depends on the size '${integer}', which is not the batch`);
    }
    return rows;
  }
}

function functionOf(
  { function: name }: Pick<Step, 'function'>,
  functions: readonly LoopFunction[],
): LoopFunction {
  const found = functions.find((each) => each.name === name);
  if (found === undefined) throw new Error(`a step calls '${name}', which is no function`);
  return found;
}

/** What the names of cotangents mean, where some of them are no plain d and a name. */
function withNotation(functions: readonly string[], edits: boolean): readonly string[] {
  const notes: string[] = [];
  if (functions.some((text) => /\bd\w+_(\d+|sum\d*)\b/.test(text)))
    notes.push(
      '// dNAME is the gradient of the loss by NAME; dNAME_1 is the first of the parts that it is added up from, and dNAME_sum a\n' +
        '// sum that more of it is made of.',
    );
  if (edits)
    notes.push('// Where the model edits a cotangent, dNAME_in is what arrives and dNAME what flows on.');
  return notes.length === 0 ? functions : [notes.join('\n'), ...functions];
}

const isElementary = (name: Helper): name is Elementary => name in builtIn;

/** Where a function stands in the file. */
type Part = 'forward' | 'backward' | 'update' | 'kernels';

function partOf(each: LoopFunction): Part {
  return each.computes[0]?.phase ?? 'kernels';
}

const trimmed = (sections: readonly string[]): string[] =>
  sections.map((section) => section.trim()).filter((section) => section !== '');

/** A line across the page, with a word at its end. */
const rule = (title: string): string => `// ${'-'.repeat(RULE_WIDTH - title.length)} ${title}`;

function titled(title: string, sections: readonly string[]): string[] {
  return sections.length === 0 ? [] : [rule(title), ...sections];
}

function callText(
  name: string,
  context: ModuleContext,
  step: Step,
  buffers: readonly string[],
  integers: readonly string[],
  numbers: readonly string[],
): string {
  const kept = context.kept(step.function);
  const actual = [
    ...buffers.filter((_, k) => kept.buffers[k]),
    ...integers.filter((_, k) => kept.integers[k]),
    ...numbers.filter((_, k) => kept.numbers[k]),
  ];
  return `${name}(${actual.join(', ')});`;
}

function shape(name: string, fields: readonly string[]): string {
  if (fields.length === 0) return `export type ${name} = Record<string, never>;`;
  return `export interface ${name} {\n${fields.join('\n')}\n}`;
}
