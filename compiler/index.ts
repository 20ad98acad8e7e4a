/**
 * The compiler: text in, text out. It reads no file and knows no process, so that it runs in a browser too.
 *
 *     text → syntax tree → model → graph → (prepare, differentiate, optimise) → loops → TypeScript
 */
import { differentiate } from './calculus/index.ts';
import { Diagnostics, type Diagnostic } from './diagnostics/diagnostic.ts';
import type { Source } from './diagnostics/source.ts';
import { formatTypeScript } from './emit/format.ts';
import { emitModule } from './emit/typescript/index.ts';
import { inferenceOf } from './graph/inference.ts';
import type { Program } from './graph/types.ts';
import { loadImports, type Loader } from './imports.ts';
import { elaborate } from './model/index.ts';
import type { Model } from './model/types.ts';
import { preludeSources } from './prelude/index.ts';
import { optimise, passes, prepare } from './rewrite/index.ts';
import { choices } from './schedule/choices.ts';
import { schedule, scheduleUpdate } from './schedule/index.ts';
import { parse } from './syntax/index.ts';
import type { SyntaxFile } from './syntax/tree.ts';
import { VERSION } from './version.ts';

export { renderDiagnostics, toJson } from './diagnostics/render.ts';
export type { Diagnostic } from './diagnostics/diagnostic.ts';
export type { Source } from './diagnostics/source.ts';
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
  /** Passes that are left out, by the names of `switchable`. */
  readonly without?: ReadonlySet<string>;
  /** false: the text as the emitter makes it, before prettier. */
  readonly format?: boolean;
}

/** A program as it stands after a pass; names repeat where a pass runs twice. */
export interface Stage {
  readonly pass: string;
  readonly program: Program;
}

/** Every pass after which a program can be looked at; `inference` runs only where it is asked for. */
export const passNames: readonly string[] = [
  'elaborate',
  'inference',
  ...Object.keys(passes),
  'differentiate',
];

/** What can be switched off by name, and only costs time or memory. */
export const switchable: readonly string[] = [...Object.keys(passes), ...Object.keys(choices)];

/** One model of a file, through every pass that works on the graph. */
export interface AnalysedModel {
  readonly model: Model;
  readonly stages: readonly Stage[];
  /** The program after differentiation, before it is optimised: one statement a step of the chain rule. */
  readonly gradient: Program;
  /** The program after all passes: what is scheduled. */
  readonly program: Program;
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
}

export interface Compilation {
  readonly diagnostics: readonly Diagnostic[];
  /** One a model; empty where there are errors. */
  readonly modules: readonly CompiledModule[];
}

let parsedPrelude: readonly SyntaxFile[] | undefined;

/** The library, parsed once; a test makes sure that it has no mistakes. */
function preludeFiles(): readonly SyntaxFile[] {
  parsedPrelude ??= preludeSources().map((source) => parse(source, new Diagnostics()));
  return parsedPrelude;
}

/** Everything but the printing: names, shapes, gradients. Never throws on a user's mistake: it is reported. */
export function analyse(
  source: Source,
  options: Pick<CompileOptions, 'load' | 'inference' | 'without'> = {},
): Analysis {
  const diagnostics = new Diagnostics();
  const file = parse(source, diagnostics);
  const imports = loadImports(file, options.load ?? (() => undefined), diagnostics);
  const elaborated = elaborate(file, { imports, prelude: preludeFiles() }, diagnostics);
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
  if (diagnostics.hasErrors) return { diagnostics: diagnostics.list, models: [] };
  const analyseOne = options.inference === true ? analyseInference : analyseModel;
  const models = elaborated.map((model) => analyseOne(model, diagnostics, options.without));
  return { diagnostics: diagnostics.list, models: diagnostics.hasErrors ? [] : models };
}

function analyseModel(model: Model, diagnostics: Diagnostics, without?: ReadonlySet<string>): AnalysedModel {
  const left = without === undefined ? {} : { without };
  const stages: Stage[] = [{ pass: 'elaborate', program: model.program }];
  const observe = (pass: string, program: Program): void => {
    stages.push({ pass, program });
  };
  const prepared = prepare(model.program, { observe, ...left });
  const gradient = prepared.loss === undefined ? prepared : differentiate(prepared, diagnostics);
  observe('differentiate', gradient);
  const program = diagnostics.hasErrors ? gradient : optimise(gradient, { observe, ...left });
  return { model, stages, gradient, program };
}

function analyseInference(
  model: Model,
  diagnostics: Diagnostics,
  without?: ReadonlySet<string>,
): AnalysedModel {
  const left = without === undefined ? {} : { without };
  const { program: whole, name } = model;
  if (whole.outputs.length === 0) {
    const place = whole.tensors.get(whole.loss ?? '') ?? [...whole.tensors.values()][0];
    if (place === undefined) throw new Error(`model ${name} has no tensor`);
    diagnostics.error('E107', place.span, `model ${name} has no output, so there is nothing to predict`, {
      hint: 'write `output` before the statements whose values are wanted',
    });
  }
  const part = inferenceOf(whole);
  const stages: Stage[] = [
    { pass: 'elaborate', program: whole },
    { pass: 'inference', program: part },
  ];
  const observe = (pass: string, program: Program): void => {
    stages.push({ pass, program });
  };
  const gradient = prepare(part, { observe, ...left });
  return { model, stages, gradient, program: optimise(gradient, { observe, ...left }) };
}

/** A file's models as TypeScript modules. */
export async function compile(source: Source, options: CompileOptions = {}): Promise<Compilation> {
  const { diagnostics, models } = analyse(source, options);
  const hash = await sha256(source.text);
  const modules: CompiledModule[] = [];
  for (const analysed of models) {
    const text = emit(analysed, source.path, hash, options);
    modules.push({
      name: analysed.model.name,
      text: options.format === false ? text : await formatTypeScript(text),
    });
  }
  return { diagnostics, modules };
}

function emit(
  { model, program }: AnalysedModel,
  path: string,
  hash: string,
  options: CompileOptions,
): string {
  const { dtype = 'f32', runtime = 'chainrule/runtime', standalone, inference = false, without } = options;
  const training = inference ? undefined : model.training;
  return emitModule({
    model,
    program,
    inference,
    loops: schedule(program, {
      dtype,
      ...(model.batch === undefined ? {} : { batch: model.batch }),
      ...(without === undefined ? {} : { without }),
    }),
    groups: (training?.groups ?? []).map((group) => scheduleUpdate(group.program, { dtype })),
    schedules: (training?.schedules ?? []).map((each) => scheduleUpdate(each, { dtype })),
    options: {
      runtime,
      ...(standalone === undefined ? {} : { standalone }),
      version: VERSION,
      hash,
      path: path.split(/[\\/]/).at(-1) ?? path,
    },
  });
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
