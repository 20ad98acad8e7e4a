/**
 * Reverse mode, by one rule: for every read A[β(L)] of every statement T[α(L)] ⊕= body(L), last statement first,
 *
 *     dA[β(L)]  +=  dT[α(L)] · ∂body/∂A(L)
 *
 * (Griewank and Walther, Evaluating Derivatives, 2nd ed., section 3.2, on whole statements instead of scalars.) Each
 * read gives one statement of its own, inverted to a gather where its map can be (invert.ts), else scattered.
 *
 * A recurrence is pulled back as a whole: its statements need each other's cotangents. Solved for its step, a read at an
 * earlier step t - c gives a read of the cotangent at t + c: the adjoint of a scan is a scan that runs the other way.
 *
 * A cotangent that the model edits (`cotangent h -> ...`, edits.ts) flows on as the edit gives it.
 *
 * Names: the cotangent of `A` is `dA`. If A is read at several places, each contribution is a tensor `dA_1`, `dA_2`, ...
 * (the first comes from the last reader) and `dA` is their sum. The cotangent of the loss is 1 and has no tensor.
 */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import { neededFor } from '../graph/builder.ts';
import {
  add,
  extentsOf,
  freshName,
  indexOf,
  indicesIn,
  isPlainIndex,
  isScatter,
  read,
  reads,
  zero,
} from '../graph/expressions.ts';
import { scanAxis, scanUnits } from '../graph/scan.ts';
import type {
  CotangentEdit,
  Expression,
  LoopIndex,
  Origin,
  Phase,
  Program,
  Scan,
  Statement,
} from '../graph/types.ts';
import { activeTensors } from './active.ts';
import { declareEdit, editInScan, nameEdit, reportNoSteps } from './edits.ts';
import type { NamedEdit } from './edits.ts';
import { fetchesInside } from './contribution.ts';
import type { Contribution, ContributionContext } from './contribution.ts';
import { differential, type Term } from './differential.ts';
import { invert } from './invert.ts';
import { TensorTable } from './names.ts';
import { withFreePlaces } from './rows.ts';
import { scatter } from './scatter.ts';
import { atStep } from './steps.ts';

/** The forms of a contribution, the first where it exists. */
export const forms = { inverted: invert, scatter };

/** What is differentiated by what. */
export interface SweepRequest {
  readonly program: Program;
  /** Of rank 0: its cotangent is 1. */
  readonly root: string;
  /** The tensors whose cotangents are wanted. */
  readonly by: ReadonlySet<string>;
  /** The phase of the statements that are made. */
  readonly phase: Phase;
  /** What the cotangent of a tensor is called, if that is free. */
  readonly nameOf: (tensor: string) => string;
  readonly form?: keyof typeof forms;
  /** What the model does to cotangents; a derivative that is a term of the model is taken without. */
  readonly edits?: readonly CotangentEdit[];
  /** Indices that are the same in all statements, see rows.ts. */
  readonly ambient?: readonly LoopIndex[];
}

/** What a sweep adds to a program. */
export interface SweepResult {
  readonly tensors: TensorTable;
  /** Target -> what belongs right behind its statement. */
  readonly companions: ReadonlyMap<string, Statement>;
  readonly statements: readonly Statement[];
  /** Tensor -> its cotangent, if it is not zero everywhere. */
  readonly cotangentOf: (tensor: string) => string | undefined;
  /** Tensor -> the name of its cotangent, also where that is zero everywhere. */
  readonly reserved: ReadonlyMap<string, string>;
  /** Declares a cotangent of a tensor, and gives the statement `cotangent[...] = body`. */
  readonly define: (tensor: string, cotangent: string, body: Expression) => Statement;
  /** The cotangents that the model edits. */
  readonly edited: readonly string[];
  /** False where statements of an edit are missing: a recurrence without all of its statements has no order. */
  readonly isComplete: boolean;
}

/** A backward statement whose target is named when all contributions to its cotangent are known. */
interface Slot extends Contribution {
  target: string | undefined;
  readonly origin: Origin;
  readonly scan?: Scan;
}

export class ReverseSweep {
  private readonly program: Program;
  private readonly loss: string;
  private readonly request: SweepRequest;
  private readonly diagnostics: Diagnostics;
  private readonly tensors: TensorTable;
  /** Tensor -> name of its cotangent, reserved for every active tensor before anything else is named. */
  private readonly cotangents: ReadonlyMap<string, string>;
  /** Tensor -> what its indices are called. */
  private readonly indexNames = new Map<string, readonly string[]>();
  /** Tensor -> what is done to its cotangent. */
  private readonly edits = new Map<string, NamedEdit>();
  private broken = false;
  private readonly contributions = new Map<string, Slot[]>();
  private readonly companions = new Map<string, Statement>();
  /** Target -> its statement, if that is one of a recurrence. */
  private readonly recurrent = new Map<string, Statement>();
  private readonly backward: (Statement | Slot)[] = [];

  constructor(request: SweepRequest, diagnostics: Diagnostics) {
    const { program, root: loss } = request;
    this.program = program;
    this.loss = loss;
    this.request = request;
    this.diagnostics = diagnostics;
    this.tensors = new TensorTable(program.tensors);
    this.cotangents = reserveCotangents(request, this.tensors);
    for (const edit of request.edits ?? []) {
      const cotangent = this.cotangents.get(edit.tensor);
      if (cotangent !== undefined) this.edits.set(edit.tensor, nameEdit(edit, cotangent, this.tensors));
    }
    for (const statement of program.statements) {
      if (statement.scan) this.recurrent.set(statement.target, statement);
      if (isScatter(statement)) continue;
      const names = statement.write.map((index) => isPlainIndex(index) ?? '');
      this.indexNames.set(statement.target, names);
    }
  }

  /** The cotangents alone. */
  sweep(): SweepResult {
    this.pullBackProgram();
    return {
      tensors: this.tensors,
      companions: this.companions,
      statements: this.backward.map((entry) => this.asStatement(entry)),
      cotangentOf: (tensor) => (this.contributions.has(tensor) ? this.cotangents.get(tensor) : undefined),
      reserved: this.cotangents,
      define: (tensor, cotangent, body) =>
        this.asStatement(this.assignment(tensor, cotangent, this.plainIndices(tensor), body)),
      edited: [...this.edits.keys()].map((tensor) => this.cotangents.get(tensor) ?? ''),
      isComplete: !this.broken,
    };
  }

  private pullBackProgram(): void {
    const { program } = this;
    const units = scanUnits(program.statements);
    const ready = this.cotangentsReadyAfter(units);
    for (const [position, unit] of [...units.entries()].toReversed()) {
      this.pullBackAll(unit);
      for (const tensor of ready.get(position) ?? []) this.finish(tensor);
    }
  }

  private hasCotangent(tensor: string): boolean {
    return tensor === this.loss || this.contributions.has(tensor);
  }

  /** Position of a unit -> the tensors that no earlier unit reads: their cotangents are then complete. */
  private cotangentsReadyAfter(units: readonly (readonly Statement[])[]): Map<number, string[]> {
    const seen = new Set<string>();
    const ready = new Map<number, string[]>();
    for (const [position, unit] of units.entries()) {
      const fresh = unit.flatMap(({ body }) => reads(body).map(({ tensor }) => tensor));
      const first = [...new Set(fresh)].filter((tensor) => this.cotangents.has(tensor) && !seen.has(tensor));
      for (const tensor of first) seen.add(tensor);
      ready.set(position, first);
    }
    return ready;
  }

  /** A plain statement, or a recurrence: of that, last first, each as soon as something needs its cotangent. */
  private pullBackAll(unit: readonly Statement[]): void {
    for (const { target, scan } of unit) {
      const cotangent = this.cotangents.get(target);
      if (scan && cotangent !== undefined) this.tensors.announceLike(this.tensors.get(target), cotangent);
    }
    const waiting = new Set(unit.toReversed());
    for (;;) {
      const next = [...waiting].find(({ target }) => this.hasCotangent(target));
      if (next === undefined) return;
      waiting.delete(next);
      this.pullBack(next);
    }
  }

  /** The contributions of one statement to the cotangents of what it reads. */
  private pullBack(statement: Statement): void {
    const parts = differential(statement, {
      tensors: this.tensors,
      isActive: (tensor) => this.cotangents.has(tensor),
      phase: this.request.phase,
    });
    const { target, combine, origin } = statement;
    if (parts === 'none') {
      this.diagnostics.error(
        'E603',
        origin.span,
        `a scattered ${combine} (\`${target}\`) has no derivative`,
        {
          hint: 'only `+=` and `logsumexp=` have one; take the gradient off what is written: `stop_gradient(...)`',
        },
      );
      return;
    }
    if (parts.companion) this.companions.set(target, parts.companion);
    if (parts.helper) this.backward.push(parts.helper);
    for (const term of parts.terms) this.contribute(term, statement);
  }

  private contribute(given: Term, statement: Statement): void {
    const { tensor } = given.read;
    const { ambient, form = 'inverted' } = this.request;
    const context = {
      tensors: this.tensors.all,
      cotangent: this.cotangents.get(statement.target),
      axes: this.tensors.get(tensor).axes,
      preferred: this.indexNames.get(tensor) ?? [],
      ambient,
    };
    const term = ambient === undefined ? given : withFreePlaces(given, context);
    const inverted = form === 'inverted' ? forms.inverted(term, context) : undefined;
    const contribution = inverted ?? this.scatter(term, statement, context);
    const slot: Slot = {
      ...contribution,
      target: undefined,
      origin: adjointOrigin(statement),
      ...this.adjointScan(tensor, contribution),
    };
    if (!this.indexNames.has(tensor) && inverted)
      this.indexNames.set(
        tensor,
        inverted.write.map((index) => isPlainIndex(index) ?? ''),
      );
    this.contributions.set(tensor, [...(this.contributions.get(tensor) ?? []), slot]);
    this.backward.push(slot);
  }

  private scatter(term: Term, statement: Statement, context: ContributionContext): Contribution {
    const source = this.recurrent.get(term.read.tensor);
    const { scan } = statement;
    const isOwn = scan !== undefined && source?.scan?.group === scan.group;
    if (!isOwn) return forms.scatter({ term, conditions: [] }, context);
    const axis = scanAxis(source);
    const contribution = forms.scatter(atStep(term, scan.index, axis), context, axis);
    const { indices, write, body } = contribution;
    const { ambient = [] } = this.request;
    const scope = { extents: extentsOf([...indices, ...ambient]), tensors: this.tensors.all };
    if (!fetchesInside([...write, ...indicesIn(body)], scope)) {
      const message = `a step of \`${source.target}\` is read at a place that data decides, in a scan over the open dimension`;
      this.diagnostics.error('E603', statement.origin.span, message);
    }
    return contribution;
  }

  /** The place of what is written to the cotangent of a recurrent tensor in the recurrence of the cotangents. */
  private adjointScan(tensor: string, { write }: Pick<Contribution, 'write'>): { scan?: Scan } {
    const source = this.recurrent.get(tensor);
    if (source?.scan === undefined) return {};
    const step = write[scanAxis(source)];
    const index = step === undefined ? undefined : isPlainIndex(step);
    if (index === undefined) return {};
    const { group, reversed } = source.scan;
    return { scan: { group: `${group}, adjoint`, index, reversed: !reversed } };
  }

  /** Names the contributions of a tensor; several are summed. */
  private finish(tensor: string): void {
    const slots = this.contributions.get(tensor) ?? [];
    const cotangent = this.cotangents.get(tensor);
    const [only] = slots;
    if (cotangent === undefined || only === undefined) return;
    const primal = this.tensors.get(tensor);
    const edit = this.edits.get(tensor);
    const sum = edit?.arriving ?? cotangent;
    if (slots.length === 1) {
      only.target = sum;
      this.tensors.declareLike(primal, sum);
      if (edit) this.apply(edit);
      return;
    }
    for (const [position, slot] of slots.entries()) {
      slot.target = this.tensors.reserve(`${cotangent}_${position + 1}`);
      this.tensors.declareLike(primal, slot.target);
    }
    const at = this.plainIndices(tensor);
    const parts = slots.map((slot) =>
      read(
        slot.target ?? '',
        at.map((index) => indexOf(index.name)),
      ),
    );
    this.backward.push(this.assignment(tensor, sum, at, parts.reduce<Expression>(add, zero)));
    if (edit) this.apply(edit);
  }

  /** The statements of an edit, behind what arrives. */
  private apply(edit: NamedEdit): void {
    const { tensor } = edit.edit;
    declareEdit(edit, this.tensors);
    const source = this.recurrent.get(tensor);
    const statements = source?.scan ? editInScan(edit, { ...source, scan: source.scan }) : edit.statements;
    if (statements === undefined) {
      reportNoSteps(edit.edit, this.diagnostics);
      this.broken = true;
      return;
    }
    for (const statement of statements) {
      const { origin } = statement;
      const history = [...origin.history, `edited cotangent of ${tensor}`];
      this.backward.push({ ...statement, origin: { ...origin, history } });
    }
  }

  /** dA[...] = value */
  private assignment(
    tensor: string,
    cotangent: string,
    indices: readonly LoopIndex[],
    body: Expression,
  ): Statement {
    const primal = this.tensors.get(tensor);
    const definition = this.program.statements.find((statement) => statement.target === tensor);
    const history = [...(definition?.origin.history ?? []), `adjoint of ${tensor}`];
    this.tensors.declareLike(primal, cotangent);
    const write = indices.map((index) => indexOf(index.name));
    return {
      target: cotangent,
      indices,
      write,
      combine: 'assign',
      body,
      phase: this.request.phase,
      origin: { span: primal.span, calls: [], ...definition?.origin, history },
      ...this.adjointScan(tensor, { write }),
    };
  }

  /** One index for each axis of a tensor, called as elsewhere. */
  private plainIndices(tensor: string): LoopIndex[] {
    const taken = new Set<string>();
    return this.tensors.get(tensor).axes.map((extent, axis) => {
      const name = freshName(this.indexNames.get(tensor)?.[axis] ?? 'ijklmnopq'[axis] ?? 'i', taken);
      taken.add(name);
      return { name, extent };
    });
  }

  private asStatement(entry: Statement | Slot): Statement {
    const { target, indices, write, combine, body, origin, scan } = entry;
    if (target === undefined) throw new Error('a contribution was left without a name');
    const { phase } = this.request;
    return { target, indices, write, combine, body, phase, origin, ...(scan ? { scan } : {}) };
  }
}

/**
 * The cotangent of each tensor that has one but for the root, by name: of what lies on a way from what is differentiated by to
 * the root, and of those tensors themselves. Its name is taken in the table.
 */
export function reserveCotangents(
  { program, root, by, nameOf }: Pick<SweepRequest, 'program' | 'root' | 'by' | 'nameOf'>,
  table: TensorTable,
): Map<string, string> {
  const cotangents = new Map<string, string>();
  // by values and by places
  const reached = neededFor(program.statements, [root]);
  const active = activeTensors(program, by, reached);
  for (const { name } of program.tensors.values())
    if (name !== root && (active.has(name) || (by.has(name) && reached.has(name))))
      cotangents.set(name, table.reserve(nameOf(name)));
  return cotangents;
}

function adjointOrigin({ target, origin }: Statement): Origin {
  return { ...origin, history: [...origin.history, `adjoint of ${target}`] };
}
