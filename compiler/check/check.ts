/** One check from its modules to its report. */
import { hasDerivatives } from '../calculus/index.ts';
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import { flopsOf } from '../graph/flops.ts';
import type { Program } from '../graph/types.ts';
import type { AnalysedModel } from '../index.ts';
import { checkGiven } from './data.ts';
import {
  differenceOf,
  examine,
  gradientsOf,
  moveAll,
  proofs,
  type Asked,
  type ForwardRunning,
  type Found,
  type Programs,
} from './examine.ts';
import { everyPass, moduleMaker, withProgram, type ModuleMaker } from './modules.ts';
import { dataKinds, directionFor, firstRows, pointNear, randomData, type DataKind } from './point.ts';
import { Running } from './running.ts';
import type { CheckOptions, CheckReport, InputData, LoadedModule } from './types.ts';
import {
  editedParameters,
  forwardMode,
  heldProgram,
  heldRemarks,
  preparedOf,
  scatteredGradient,
  uneditedGradient,
} from './variants.ts';
import { isOpen, isWrongInFloat32Alone, merged, reportParameter, type Proofs } from './verdict.ts';

/** Where one point does not decide, another is drawn; what fails at every one is wrong. */
const POINTS = 3;

interface Extent {
  readonly rows: number;
  readonly directions: number;
  /** Of given data at most. */
  readonly givenRows: number;
}

/** A forward pass over the rows of a check takes at most so many operations, or fewer rows and directions are taken. */
const MOST_OPERATIONS = 2e7;

/**
 * The first that is not too much; the last in any case. The kernels take rows by 16 and terms by 8, then what is left by 4 and one by
 * one: 37 rows run all of that.
 */
const extents: readonly [Extent, Extent, Extent] = [
  { rows: 37, directions: 3, givenRows: 37 },
  { rows: 5, directions: 3, givenRows: 16 },
  { rows: 2, directions: 1, givenRows: 2 },
];

/** Where batches come from. */
interface Data {
  readonly words: string;
  readonly at: (seed: number) => InputData;
}

export class Check {
  private readonly analysed: AnalysedModel;
  private readonly options: CheckOptions;
  private readonly diagnostics: Diagnostics;
  private readonly make: ModuleMaker;
  private readonly seed: number;
  private readonly remarks = new Set<string>();

  constructor(analysed: AnalysedModel, path: string, options: CheckOptions, diagnostics: Diagnostics) {
    this.analysed = analysed;
    this.options = options;
    this.diagnostics = diagnostics;
    this.make = moduleMaker(path, options);
    this.seed = options.seed ?? 1;
  }

  /** Undefined where there is nothing to compare; then something was reported. */
  async run(): Promise<CheckReport | undefined> {
    const { gradients, loss, tensors } = this.analysed.program;
    const parameters = [...gradients.keys()];
    if (loss === undefined || parameters.length === 0) {
      const what = loss === undefined ? 'no loss' : 'no trained parameter';
      const message = `model ${this.analysed.model.name} has ${what}, so there is no gradient to check`;
      const [place] = tensors.values();
      if (place !== undefined) this.diagnostics.error('E804', place.span, message);
      return undefined;
    }
    const module = await this.make(this.analysed, 'f64');
    const rows = this.rowsFor(module);
    if (rows === undefined) return undefined;
    const programs = await this.programs(module, rows, parameters);
    const data = this.findData(module, programs, rows);
    if (data === undefined) return undefined;
    const directions = this.options.directions ?? this.sizes.directions;
    return this.compare(module, programs, data, { rows, directions, parameters });
  }

  private get sizes(): Extent {
    const { statements } = this.analysed.program;
    const forward = flopsOf(statements.filter(({ phase }) => phase === 'forward'));
    const operations = (rows: number): number =>
      forward.reduce((sum, count, power) => sum + count * rows ** power, 0);
    return extents.find(({ rows }) => operations(rows) <= MOST_OPERATIONS) ?? extents[2];
  }

  /** How many rows a batch has; undefined where given data do not fit. */
  private rowsFor({ description }: LoadedModule): number | undefined {
    const { data, rows } = this.options;
    if (data === undefined) return rows ?? this.sizes.rows;
    const given = checkGiven(description.inputs, data, this.analysed.program, this.diagnostics);
    return given === undefined ? undefined : Math.min(given, rows ?? this.sizes.givenRows);
  }

  private async programs(
    module: LoadedModule,
    rows: number,
    parameters: readonly string[],
  ): Promise<Programs> {
    const { analysed, seed } = this;
    const { without, leaveOut } = this.options;
    const run = (loaded: LoadedModule): Running => new Running(loaded, rows, seed);
    const runOther = async (program: Program): Promise<Running> =>
      run(await this.make(withProgram(analysed, program), 'f64'));
    const held = heldProgram(analysed, without);
    return {
      emitted: run(module),
      ...(leaveOut?.has('float32') !== true && { float32: run(await this.make(analysed, 'f32')) }),
      ...(leaveOut?.has('scatter') !== true && {
        scatter: await runOther(scatteredGradient(analysed, without)),
      }),
      forward: await this.forwardModeOf(this.writtenProgram(), rows, parameters),
      ...(held === undefined ? {} : { held: { running: await runOther(held.program), inputs: held.held } }),
    };
  }

  /** The formulas as they were written; where derivatives stand in them, with the statements that compute these. */
  private writtenProgram(): Program {
    const { program } = this.analysed.model;
    return hasDerivatives(program) ? preparedOf(this.analysed) : program;
  }

  private async forwardModeOf(
    of: Program,
    rows: number,
    parameters: readonly string[],
  ): Promise<ForwardRunning> {
    const { program, directions } = forwardMode(of, parameters);
    const module = await this.make(withProgram(this.analysed, program), 'f64');
    return { running: new Running(module, rows, this.seed), directions };
  }

  /** Data of which the loss is finite, drawn or given. */
  private findData(module: LoadedModule, programs: Programs, rows: number): Data | undefined {
    const { inputs } = module.description;
    const { data } = this.options;
    const kinds: readonly DataKind[] = ['normal', 'unit'];
    const candidates: Data[] =
      data === undefined
        ? kinds.map((kind) => ({
            words: dataKinds[kind].words,
            at: (seed: number) => randomData(inputs, rows, kind, seed),
          }))
        : [{ words: `the first rows of ${data.name}`, at: () => firstRows(inputs, data.arrays, rows) }];
    for (const candidate of candidates) {
      const point = pointNear(module, candidate.at(this.seed), rows, this.seed);
      programs.emitted.moveTo(point);
      programs.forward.running.moveTo(point);
      const [loss, written] = [programs.emitted.loss(), programs.forward.running.loss()];
      if (Number.isFinite(loss)) return candidate;
      if (!Number.isFinite(written)) continue;
      // what is finite as it was written must not become less
      this.judgeLoss({ loss, written });
      return undefined;
    }
    const { tensors, loss = '' } = this.analysed.program;
    const where = data === undefined ? 'random data' : `the data of ${data.name}`;
    const span = tensors.get(loss)?.span;
    if (span !== undefined)
      this.diagnostics.error(
        'E802',
        span,
        `the loss is not finite at ${where}: its gradient cannot be checked`,
        {
          hint: 'give data for which the loss is finite: --data FILE',
        },
      );
    return undefined;
  }

  private async compare(
    module: LoadedModule,
    all: Programs,
    data: Data,
    asked: Pick<Asked, 'parameters' | 'directions'> & { readonly rows: number },
  ): Promise<CheckReport> {
    const { rows, parameters, directions } = asked;
    const askedAt = (attempt: number): Asked => {
      const seed = this.seed + 1000 * attempt;
      return { point: pointNear(module, data.at(seed), rows, seed), seed, parameters, directions };
    };
    const first = askedAt(0);
    const programs = await this.withStableForward(all, first);
    if (programs.held !== undefined)
      for (const remark of heldRemarks(this.analysed)) this.remarks.add(remark);
    const unedited = await this.withoutEdits(programs, parameters);
    const found = examine(programs, first);
    const plain = unedited && examine(unedited.programs, first);
    const settled = new Map(parameters.map((name) => [name, proofsOf(name, found, plain)]));
    for (let attempt = 1; attempt < POINTS; attempt++) {
      const open = parameters.filter((name) => isOpen(settled.get(name)));
      if (open.length === 0) break;
      const again = { ...askedAt(attempt), parameters: open };
      const other = examine(programs, again);
      const otherPlain = unedited && examine(unedited.programs, again);
      for (const name of open)
        settled.set(name, merged(settled.get(name), proofsOf(name, other, otherPlain)));
      this.remarks.add('a second point was drawn where the first did not decide');
    }
    await this.judgeCancellation(settled, programs.emitted, found, askedAt);
    moveAll(programs, first.point);
    if (unedited !== undefined) moveAll(unedited.programs, first.point);
    const reports = parameters.map((name) =>
      reportParameter(name, settled.get(name), {
        analysed: this.analysed,
        description: module.description,
        programs,
        asked: first,
        found,
        ...(unedited !== undefined &&
          plain !== undefined &&
          unedited.names.has(name) && { unedited: { programs: unedited.programs, found: plain } }),
        diagnostics: this.diagnostics,
      }),
    );
    const loss = this.judgeLoss(found) && this.judgeFloat32Loss(found.loss, programs.float32?.loss());
    return {
      model: this.analysed.model.name,
      rows,
      seed: this.seed,
      directions,
      data: data.words,
      loss: found.loss,
      written: found.written,
      parameters: reports,
      remarks: [...this.remarks],
      ok: loss && reports.every(({ ok }) => ok),
    };

    /** An edited gradient is that of no loss: what is held against differences and forward mode is the one without edits. */
    function proofsOf(name: string, own: Found, without: Found | undefined): Proofs {
      const all = own.proofs.get(name);
      if (all === undefined) throw new Error(`${name} was not compared`);
      const other = unedited?.names.has(name) === true ? without?.proofs.get(name) : undefined;
      return other === undefined ? all : { ...all, differences: other.differences, forward: other.forward };
    }
  }

  /** The parameters behind edited cotangents, and the programs of a check without the edits; undefined if there are none. */
  private async withoutEdits(
    { forward, held }: Programs,
    parameters: readonly string[],
  ): Promise<{ readonly names: ReadonlySet<string>; readonly programs: Programs } | undefined> {
    const names = editedParameters(this.analysed, parameters);
    if (names.size === 0) return undefined;
    const program = uneditedGradient(this.analysed, this.options.without);
    const module = await this.make(withProgram(this.analysed, program), 'f64');
    const list = [...names].join(', ');
    this.remarks.add(
      `A cotangent is edited on its way to ${list}: differences and forward mode prove the gradient without the edit.`,
    );
    const emitted = new Running(module, forward.running.rows, this.seed);
    return { names, programs: { emitted, forward, ...(held === undefined ? {} : { held }) } };
  }

  /** The formulas as written where they are finite, with their derivative; else in the stable form that was differentiated. */
  private async withStableForward(all: Programs, { parameters, point, seed }: Asked): Promise<Programs> {
    const { running, directions } = all.forward;
    running.moveTo(point);
    for (const name of parameters) {
      const direction = directionFor(point.parameters.get(name) ?? new Float64Array(), seed, name);
      running.input(directions.get(name) ?? '')?.set(direction);
    }
    const [loss, slope = 0] = running.forward();
    for (const name of parameters) running.input(directions.get(name) ?? '')?.fill(0);
    if (Number.isFinite(loss) && Number.isFinite(slope)) return all;
    this.remarks.add(
      'as written the formulas are not finite here: forward mode is that of their stable form',
    );
    return { ...all, forward: await this.forwardModeOf(preparedOf(this.analysed), point.rows, parameters) };
  }

  private judgeFloat32Loss(loss: number, inFloat32 = loss): boolean {
    const allowed = proofs.float32.tolerance * Math.max(1, Math.abs(loss));
    if (Math.abs(inFloat32 - loss) <= allowed) return true;
    const { tensors, loss: name = '' } = this.analysed.program;
    const span = tensors.get(name)?.span;
    const message = `the emitted loss is ${inFloat32} in float32, and ${loss} in float64`;
    if (span !== undefined) this.diagnostics.error('E801', span, message, { hint: REPORT });
    return false;
  }

  /**
   * A gradient that is right in float64 and off in float32 alone: either the float32 code is wrong, or the formula itself loses the
   * digits, as that of a batch norm over two rows. It is the formula where the gradient as it was differentiated, with no pass
   * run on it, is about as far off in float32, at one of the points.
   */
  private async judgeCancellation(
    settled: Map<string, Proofs>,
    emitted: Running,
    { gradients, others }: Found,
    askedAt: (attempt: number) => Asked,
  ): Promise<void> {
    const suspects = [...settled].filter(([, proofs]) => isWrongInFloat32Alone(proofs));
    if (suspects.length === 0) return;
    const program = scatteredGradient(this.analysed, everyPass);
    const module = await this.make(withProgram(this.analysed, program), 'f32');
    const names = suspects.map(([name]) => name);
    const digits = new Map(names.map((name) => [name, 0]));
    for (let attempt = 0; attempt < POINTS; attempt++) {
      const { point } = askedAt(attempt);
      const running = new Running(module, point.rows, this.seed);
      for (const each of [running, emitted]) each.moveTo(point);
      const [other, right] = [gradientsOf(running, names), gradientsOf(emitted, names)];
      for (const [name, most] of digits) {
        const off = differenceOf(right.get(name) ?? new Float64Array(), other.get(name) ?? []);
        digits.set(name, Math.max(most, off));
      }
    }
    for (const [name, found] of suspects) {
      const gradient = gradients.get(name) ?? new Float64Array();
      const own = differenceOf(gradient, others.float32?.get(name) ?? []);
      if (!(own <= AS_FAR * (digits.get(name) ?? 0))) continue;
      settled.set(name, {
        ...found,
        float32: { kind: 'compared', difference: own, ok: true, cancels: true },
      });
      this.remarks.add(
        '~: what cancels leaves float32 few digits here, by any program; more rows or other data may not.',
      );
    }
  }

  /** The loss of the emitted module must be that of the formulas as they were written. */
  private judgeLoss({ loss, written }: Pick<Found, 'loss' | 'written'>): boolean {
    if (Math.abs(loss - written) <= LOSS_TOLERANCE * Math.max(1, Math.abs(loss))) return true;
    const { tensors, loss: name = '' } = this.analysed.program;
    const span = tensors.get(name)?.span;
    const message = `the emitted loss is ${loss}, that of the formulas as they were written ${written}`;
    if (span !== undefined) this.diagnostics.error('E801', span, message, { hint: REPORT });
    return false;
  }
}

/** Roundings of two programs for the same formula differ, but not by more than this. */
const AS_FAR = 8;

/** Rewriting changes the rounding, and of unstable formulas more than that. */
const LOSS_TOLERANCE = 1e-8;

const REPORT =
  'this is a fault of the compiler, not of the model: --no-pass NAME may tell which pass is to blame; please report it';
