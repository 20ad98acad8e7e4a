/**
 * The compiler: text in, text out. It reads no file and knows no process, so that it runs in a browser too.
 *
 *     text → syntax tree → model → graph → (prepare, differentiate, optimise) → loops → TypeScript
 */
import { differentiate, expandDerivatives, hasDerivatives } from './calculus/index.ts';
import { withoutAllowed } from './diagnostics/allow.ts';
import { Diagnostics, type Diagnostic } from './diagnostics/diagnostic.ts';
import type { Source } from './diagnostics/source.ts';
import { formatSections, loadPrettier } from './emit/format.ts';
import {
  emitFunctions,
  emitSections,
  type EmitRequest,
  type EmittedFunction,
} from './emit/typescript/index.ts';
import { neededFor } from './graph/builder.ts';
import { nameOf, type Place, type Section } from './emit/sections.ts';
import type { SourceMap } from './emit/source-map.ts';
import { inferenceOf } from './graph/inference.ts';
import type { Program } from './graph/types.ts';
import { loadImports, type Loader } from './imports.ts';
import { lint } from './lint/index.ts';
import { elaborate } from './model/index.ts';
import type { Model } from './model/types.ts';
import { preludeSources } from './prelude/index.ts';
import { neededPrelude } from './prelude/needed.ts';
import { statementsBefore } from './rewrite/before.ts';
import { cotangentsOf, keeping, namedTensors, type Followed } from './rewrite/named.ts';
import { optimise, passes, passMeanings, prepare } from './rewrite/index.ts';
import type { PassName, RewriteOptions } from './rewrite/index.ts';
import { choices } from './schedule/choices.ts';
import { schedule, scheduleUpdate, withoutPlace, type ScheduleOptions } from './schedule/index.ts';
import type { LoopProgram } from './schedule/types.ts';
import { parse } from './syntax/index.ts';
import type { ImportDeclaration, SyntaxFile } from './syntax/tree.ts';
import { VERSION } from './version.ts';

export { renderDiagnostics, toJson } from './diagnostics/render.ts';
export type { Diagnostic } from './diagnostics/diagnostic.ts';
export type { Source } from './diagnostics/source.ts';
export type { SourceMap } from './emit/source-map.ts';
export type { Loader } from './imports.ts';
export { VERSION } from './version.ts';

export interface CompileOptions {
  /** The element type of every real array: f32 unless said otherwise. */
  readonly dtype?: 'f32' | 'f64';
  /** Finds imported files; without it there are none. */
  readonly load?: Loader;
  /** Where emitted modules import the runtime from. */
  readonly runtime?: string;
  /** The runtime's text: the module then holds it and imports nothing. */
  readonly standalone?: string;
  /** The module predicts and cannot be trained: it holds what the outputs need, and nothing else. */
  readonly inference?: boolean;
  /** Passes and choices of the schedule that are left out, by the names of `switchable`. */
  readonly without?: ReadonlySet<string>;
  /** exact: the engine's own functions also where float32 would take an approximation (f64 always has them). */
  readonly math?: 'exact';
  /** A source map beside each module: from its lines to those of the model. */
  readonly sourceMap?: boolean;
  /** The module stops at the first value that is not finite or too large, and says which. */
  readonly checks?: boolean;
  /** The module hands the tensors that the model names, and their cotangents, to a listener. */
  readonly trace?: boolean;
  /** false: the text as the emitter makes it, before prettier. */
  readonly format?: boolean;
  /** Called after each step of the compilation with its name, for whoever takes the time; steps repeat. */
  readonly ended?: (step: string) => void;
}

/** A program as it stands after a pass; names repeat where a pass runs twice. */
export interface Stage {
  readonly pass: string;
  readonly program: Program;
}

/** What is always done before the loops, in one line each; `inference` only where it is asked for. */
const fixedSteps = {
  elaborate: 'the model as statements: layers and functions put in, sizes known, reductions hoisted',
  inference: 'what the outputs need, for --inference',
  derive: 'statements in the place of the derivatives in the model, of one tensor at a time',
  differentiate: 'the gradient, one statement a step of the chain rule',
} as const;

/** Every pass after which a program can be looked at. */
export const passNames: readonly string[] = [
  'elaborate',
  'inference',
  ...Object.keys(passes),
  'derive',
  'differentiate',
];

/** What can be switched off by name: passes, and choices of the schedule. Results stay the same to rounding. */
export const switchable: readonly string[] = [...Object.keys(passes), ...Object.keys(choices)];

/** What each name of `passNames` and `switchable` does, in one line. */
export const meanings: Readonly<Record<string, string>> = { ...fixedSteps, ...passMeanings, ...choices };

/** One model of a file, through every pass that works on the graph. */
export interface AnalysedModel {
  readonly model: Model;
  readonly stages: readonly Stage[];
  /** The program after differentiation, before it is optimised: one statement a step of the chain rule. */
  readonly gradient: Program;
  /** The program after all passes: what is scheduled. */
  readonly program: Program;
  /** With `trace`: the tensors that keep a statement of their own. */
  readonly traced?: readonly Followed[];
}

export interface Analysis {
  readonly diagnostics: readonly Diagnostic[];
  /** Empty where there are errors. */
  readonly models: readonly AnalysedModel[];
}

export interface CompiledModule {
  /** The model's name. */
  readonly name: string;
  readonly text: string;
  /** Where it is asked for. The text does not name it: that is for whoever knows where both are kept. */
  readonly map?: SourceMap;
}

export interface Compilation {
  readonly diagnostics: readonly Diagnostic[];
  /** One a model; empty where there are errors. */
  readonly modules: readonly CompiledModule[];
}

/** By their texts; what is needed of a file differs from model to model. */
const parsedPrelude = new Map<string, SyntaxFile>();
const mostParsed = 200;

/** Files of the library, each parsed once; a test makes sure that they have no mistakes. */
function parsedFiles(sources: readonly Source[]): SyntaxFile[] {
  if (parsedPrelude.size > mostParsed) parsedPrelude.clear();
  return sources.map((source) => {
    const file = parsedPrelude.get(source.text) ?? parse(source, new Diagnostics());
    parsedPrelude.set(source.text, file);
    return file;
  });
}

/** The models of a file, elaborated with the part of the library that it needs. */
function elaborateFile(
  file: SyntaxFile,
  imports: ReadonlyMap<ImportDeclaration, SyntaxFile>,
  diagnostics: Diagnostics,
  ended: (step: string) => void,
): Model[] {
  const texts = [file, ...new Set(imports.values())].map(({ source }) => source.text);
  const prelude = parsedFiles(diagnostics.list.length > 0 ? preludeSources() : neededPrelude(texts));
  ended('prelude');
  const found = new Diagnostics();
  const models = elaborate(file, { imports, prelude }, diagnostics.list.length > 0 ? diagnostics : found);
  // What is said of a mistake may name anything in the library.
  return found.list.length === 0
    ? models
    : elaborate(file, { imports, prelude: parsedFiles(preludeSources()) }, diagnostics);
}

type AnalyseOptions = Pick<CompileOptions, 'load' | 'inference' | 'without' | 'trace' | 'ended'>;

/** Everything but the printing: names, shapes, gradients. Never throws on a user's mistake: it is reported. */
export function analyse(source: Source, options: AnalyseOptions = {}): Analysis {
  const { load = () => undefined, inference = false, ended = ignored } = options;
  const diagnostics = new Diagnostics();
  const file = parse(source, diagnostics);
  ended('parse');
  const imports = loadImports(file, load, diagnostics);
  ended('imports');
  const elaborated = elaborateFile(file, imports, diagnostics, ended);
  ended('elaborate');
  if (!diagnostics.hasErrors && elaborated.length === 0) {
    diagnostics.error(
      'E107',
      { source, start: 0, end: 0 },
      'this file has no model, so there is nothing to compile',
      {
        hint: 'add `model Name { ... }`; a file of layers and functions is for others to import',
      },
    );
  }
  if (diagnostics.hasErrors) return { diagnostics: withoutAllowed(diagnostics.list), models: [] };
  const analyseOne = inference ? analyseInference : analyseModel;
  const models = elaborated.map((model) => analyseOne(model, diagnostics, options));
  return { diagnostics: withoutAllowed(diagnostics.list), models: diagnostics.hasErrors ? [] : models };
}

const ignored = (): void => {};

/** Keeps the program after each pass. */
function stagesFrom(first: readonly Stage[], ended: (step: string) => void) {
  const stages = [...first];
  const observe = (pass: string, program: Program): void => {
    stages.push({ pass, program });
    ended(pass);
  };
  return { stages, observe };
}

/** In its stable form, with the derivatives that the model asks for as statements: each is taken of what has that form. */
function prepareAll(
  program: Program,
  diagnostics: Diagnostics,
  options: Pick<RewriteOptions, 'without'> & { readonly observe: (pass: string, program: Program) => void },
): Program {
  let current = prepare(program, options);
  while (hasDerivatives(current) && !diagnostics.hasErrors) {
    const next = expandDerivatives(current, diagnostics);
    if (diagnostics.hasErrors) break;
    options.observe('derive', next);
    current = prepare(next, options);
  }
  return current;
}

function analyseModel(
  model: Model,
  diagnostics: Diagnostics,
  { without, trace = false, ended = ignored }: AnalyseOptions,
): AnalysedModel {
  const named = trace ? namedTensors(model.program, model.names) : [];
  const { stages, observe } = stagesFrom([{ pass: 'elaborate', program: model.program }], ended);
  const prepared = prepareAll(keeping(model.program, named), diagnostics, { observe, without });
  if (diagnostics.hasErrors) return { model, stages, gradient: prepared, program: prepared };
  lint(prepared, model.training !== undefined, diagnostics);
  ended('lint');
  const { loss, statements } = model.program;
  const dependsOn = neededFor(statements, loss === undefined ? [] : [loss]);
  const gradient = loss === undefined ? prepared : differentiate(prepared, diagnostics, { dependsOn });
  observe('differentiate', gradient);
  const traced = [...named, ...cotangentsOf(named, prepared, gradient)];
  const program = diagnostics.hasErrors
    ? gradient
    : optimise(keeping(gradient, traced), { observe, without });
  const { outputs } = model.program;
  const result = { model, stages, gradient, program: trace ? { ...program, outputs } : program, traced };
  if (!diagnostics.hasErrors) reportOpenAxes(result, diagnostics, without);
  return result;
}

/**
 * The program with its gradient as a textbook has it: simplified as what is emitted, but nothing is computed again to save
 * memory, and masks stay where the chain rule puts them.
 */
export function textbookGradient(
  { gradient }: AnalysedModel,
  { without = new Set() }: Pick<CompileOptions, 'without'> = {},
): Program {
  return optimise(gradient, { without: new Set([...without, ...notForReaders]) });
}

/** Passes that only make a program quicker or smaller. */
const notForReaders: readonly PassName[] = ['scatter', 'checkpoint', 'recompute'];

function analyseInference(
  model: Model,
  diagnostics: Diagnostics,
  { without, trace = false, ended = ignored }: AnalyseOptions,
): AnalysedModel {
  const { program: whole, name } = model;
  if (whole.outputs.length === 0) {
    const place = whole.tensors.get(whole.loss ?? '') ?? [...whole.tensors.values()][0];
    if (place === undefined) throw new Error(`model ${name} has no tensor`);
    diagnostics.error('E107', place.span, `model ${name} has no output, so there is nothing to predict`, {
      hint: 'write `output` before the statements whose values are wanted',
    });
  }
  const { stages, observe } = stagesFrom([{ pass: 'elaborate', program: whole }], ended);
  const part = inferenceOf(whole);
  observe('inference', part);
  const traced = trace ? namedTensors(part, model.names) : [];
  const gradient = prepareAll(keeping(part, traced), diagnostics, { observe, without });
  if (diagnostics.hasErrors) return { model, stages, gradient, program: gradient };
  const program = optimise(gradient, { observe, without });
  const { outputs } = part;
  const result = { model, stages, gradient, program: trace ? { ...program, outputs } : program, traced };
  if (!diagnostics.hasErrors) reportOpenAxes(result, diagnostics, without);
  return result;
}

/** A file's models as TypeScript modules. */
export async function compile(source: Source, options: CompileOptions = {}): Promise<Compilation> {
  const { diagnostics, models } = analyse(source, options);
  const { ended = ignored } = options;
  const hash = await sha256(source.text);
  const modules: CompiledModule[] = [];
  for (const analysed of models) {
    const sections = sectionsOf(analysed, { path: source.path, hash }, options);
    if (options.format !== false) await loadPrettier();
    ended('load prettier');
    const texts = sections.map(({ text }) => text);
    const formatted = options.format === false ? texts : await formatSections(texts);
    ended('prettier');
    const map =
      options.sourceMap === true ? await mapOf(sections, formatted, nameOf(analysed.model)) : undefined;
    modules.push({
      name: analysed.model.name,
      text: `${formatted.join('\n\n')}\n`,
      ...(map === undefined ? {} : { map }),
    });
    if (map !== undefined) ended('source map');
  }
  return { diagnostics, modules };
}

/** What writes maps is loaded only where one is asked for. */
async function mapOf(
  sections: readonly Section[],
  formatted: readonly string[],
  model: Place,
): Promise<SourceMap> {
  const { sourceMapOf } = await import('./emit/source-map.ts');
  return sourceMapOf(sections, formatted, model);
}

/** The module of an analysed model as the emitter makes it, in parts: before prettier. */
export function sectionsOf(
  analysed: AnalysedModel,
  { path, hash }: { readonly path: string; readonly hash: string },
  options: CompileOptions = {},
): readonly Section[] {
  const { ended = ignored } = options;
  const loops = scheduleModel(analysed, options);
  const updates = scheduleUpdates(analysed, options);
  ended('schedule');
  const sections = emitSections(requestOf(analysed, { loops, ...updates }, path, hash, options));
  ended('emit');
  return sections;
}

/** The loops of an analysed model: what each step runs, and over which buffers. */
export function scheduleModel(
  analysed: AnalysedModel,
  options: Pick<CompileOptions, 'dtype' | 'without' | 'checks'> = {},
): LoopProgram {
  const { dtype = 'f32' } = options;
  return schedule(analysed.program, { dtype, ...scheduleOptions(analysed, options) });
}

function scheduleOptions(
  { model, traced = [] }: Pick<AnalysedModel, 'model' | 'traced'>,
  { without, checks = false }: Pick<CompileOptions, 'without' | 'checks'>,
): Omit<ScheduleOptions, 'dtype'> {
  // what a message shows must not have been written over, and a recurrence is looked at with all of its steps
  const left =
    checks || traced.length > 0
      ? new Set([
          ...(without ?? []),
          ...(checks ? ['overwriting'] : []),
          'steps',
          // what is another name of the same memory is computed by no step
          ...(traced.length > 0 ? ['aliases'] : []),
        ])
      : without;
  return {
    ...(model.batch === undefined ? {} : { batch: model.batch }),
    ...(left === undefined ? {} : { without: left }),
    ...(traced.length === 0 ? {} : { followed: traced.map(({ tensor }) => tensor) }),
  };
}

/** Reports E305 where a tensor has more open axes than a schedule can store. */
function reportOpenAxes(
  analysed: AnalysedModel,
  diagnostics: Diagnostics,
  without: AnalyseOptions['without'],
): void {
  const options = scheduleOptions(analysed, without === undefined ? {} : { without });
  const [first] = withoutPlace(analysed.program, options);
  if (first === undefined) return;
  const axes = analysed.program.tensors.get(first.target)?.axes.join(', ') ?? '';
  const message = `this needs a tensor of the shape [${axes}] (\`${first.target}\`), and no more than two axes can be open`;
  diagnostics.error('E305', first.origin.span, message, {
    hint: 'each derivative through what mixes rows, as a mean of the batch, has an open axis more: differentiate once less, or what keeps rows apart',
  });
}

/** The loops of the optimizer's step for each group of parameters, and of the schedules of rates. */
function scheduleUpdates(
  { model }: AnalysedModel,
  { dtype = 'f32', inference = false }: CompileOptions,
): Pick<EmitRequest, 'groups' | 'schedules'> {
  const training = inference ? undefined : model.training;
  return {
    groups: (training?.groups ?? []).map((group) => scheduleUpdate(group.program, { dtype })),
    schedules: (training?.schedules ?? []).map((each) => scheduleUpdate(each, { dtype })),
  };
}

/** The functions of an analysed model's forward and backward pass, one by one, as its module has them. */
export function emittedFunctions(
  analysed: AnalysedModel,
  loops: LoopProgram,
  path: string,
  options: Pick<CompileOptions, 'math' | 'without'> = {},
): readonly EmittedFunction[] {
  return emitFunctions(
    requestOf(analysed, { loops, ...scheduleUpdates(analysed, options) }, path, '', options),
  );
}

function requestOf(
  { model, gradient, program, traced }: AnalysedModel,
  scheduled: Pick<EmitRequest, 'loops' | 'groups' | 'schedules'>,
  path: string,
  hash: string,
  options: CompileOptions,
): EmitRequest {
  const {
    runtime = 'chainrule/runtime',
    standalone,
    inference = false,
    without,
    math,
    checks,
    trace,
  } = options;
  return {
    model,
    program,
    inference,
    ...(traced === undefined ? {} : { traced }),
    ...(checks === true ? { before: statementsBefore(gradient, program) } : {}),
    ...scheduled,
    options: {
      runtime,
      ...(standalone === undefined ? {} : { standalone }),
      ...(math === undefined ? {} : { math }),
      ...(checks === undefined ? {} : { checks }),
      ...(trace === undefined ? {} : { trace }),
      without: switchable.filter((name) => without?.has(name) === true),
      version: VERSION,
      hash,
      path: path.split(/[\\/]/).at(-1) ?? path,
    },
  };
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
