/** @file One model as an explanation: lines of the model, the statements they became, and what is around them. */
import type { Source } from '../diagnostics/source.ts';
import { lineAt } from '../diagnostics/source.ts';
import type { LatexPrinter } from '../emit/latex.ts';
import { neededFor } from '../graph/builder.ts';
import { tensorsReadBy } from '../graph/expressions.ts';
import type { Extent, Origin, Program, Statement } from '../graph/types.ts';
import type { AnalysedModel } from '../index.ts';
import type { EmittedCode } from './code.ts';
import { Backward, isPart, pulledThrough } from './derivatives.ts';
import { formOf, formWords } from './forms.ts';
import { History } from './history.ts';
import { Journeys } from './journeys.ts';
import {
  isSmall,
  pictureOfGroup,
  pictureOfGroups,
  pictureOfStatements,
  sizeOf,
  type Drawn,
} from './picture.ts';
import { remarksOn } from './remarks.ts';
import { placeAt, siteOf } from './source.ts';
import type {
  BackwardStep,
  Cotangent,
  Explanation,
  Extra,
  Group,
  StatementExplanation,
  Update,
} from './types.ts';

export class Explainer {
  private readonly analysed: AnalysedModel;
  private readonly source: Source;
  private readonly latex: LatexPrinter;
  private readonly code: EmittedCode;
  private readonly history: History;
  private readonly journeys: Journeys;
  private readonly prepared: Program;
  /** After all passes, before statements get the names that they have in the code. */
  private readonly scheduled: Program;
  private readonly codeNames: ReadonlyMap<string, string>;
  private readonly backward: Backward;
  /** Every statement of the forward pass that was there at some time, in the order of the model. */
  private readonly targets: readonly string[];
  private readonly anchors = new Map<string, string>();
  /** Statements of the backward pass that belong to no derivative, by the statement that they are shown with. */
  private readonly extras: ReadonlyMap<string, readonly Extra[]>;

  constructor(analysed: AnalysedModel, source: Source, latex: LatexPrinter, code: EmittedCode) {
    this.analysed = analysed;
    this.source = source;
    this.latex = latex;
    this.code = code;
    const { stages } = analysed;
    this.history = new History(stages);
    this.scheduled = stages.at(-1)?.program ?? analysed.program;
    this.codeNames = new Map(
      this.scheduled.statements.map(({ target }, k) => [
        target,
        analysed.program.statements[k]?.target ?? target,
      ]),
    );
    this.journeys = new Journeys(this.history, latex, this.codeNames);
    const place = stages.findIndex(({ pass }) => pass === 'differentiate');
    this.prepared = stages[place < 1 ? 0 : place - 1]?.program ?? analysed.program;
    this.backward = new Backward(this.prepared, analysed.gradient, latex, this.journeys);
    this.targets = this.forwardTargets();
    for (const target of this.history.first.keys()) this.anchors.set(target, anchorOf(target));
    this.extras = this.extraStatements();
  }

  explanation(version: string): Explanation {
    const { source, backward, scheduled: program } = this;
    const sites = this.sites();
    const groupOf = new Map(
      sites.flatMap(({ id, targets }) => targets.map((target) => [target, id] as const)),
    );
    const drawn: Drawn = {
      program: this.prepared,
      cotangents: backward.cotangents,
      anchors: this.anchors,
      groupOf,
    };
    const small = isSmall(drawn);
    const groups = sites.map(({ id, place, targets }): Group => {
      const picture = small ? undefined : pictureOfGroup(new Set(targets), drawn);
      return {
        id,
        place,
        statements: targets.map((target) => this.statement(target)),
        ...(picture === undefined ? {} : { picture }),
      };
    });
    const example = exampleOf(groups, program);
    const { loss } = program;
    return {
      model: program.name,
      file: placeAt({ source, start: 0, end: 0 }).file,
      source: this.sourceLines(sites),
      parameters: [...program.tensors.values()].flatMap((tensor) => {
        if (tensor.role !== 'parameter') return [];
        const gradient = program.gradients.get(tensor.name);
        return {
          name: tensor.name,
          shape: tensor.axes.join(' × '),
          count: sizeOf(tensor),
          isFrozen: tensor.frozen === true,
          ...(gradient === undefined ? {} : { gradient }),
        };
      }),
      inputs: [...program.tensors.values()].flatMap(({ role, name, axes }) =>
        role === 'input' ? `${name}[${axes.join(', ')}]` : [],
      ),
      ...(loss === undefined ? {} : { loss }),
      picture: small ? pictureOfStatements(drawn) : pictureOfGroups(groups, drawn),
      ...(example === undefined ? {} : { example }),
      groups,
      backward: this.backwardSteps(),
      updates: this.updates(),
      functions: this.code.texts,
      anchors: this.anchors,
      version,
    };
  }

  /** What was inserted by a pass stands behind what it was inserted behind. */
  private forwardTargets(): string[] {
    const targets: string[] = [];
    const known = new Set<string>();
    for (const { program } of this.analysed.stages) {
      let place = -1;
      for (const { target, phase } of program.statements) {
        if (phase !== 'forward') continue;
        if (known.has(target)) {
          place = targets.indexOf(target);
          continue;
        }
        known.add(target);
        targets.splice(++place, 0, target);
      }
    }
    return targets;
  }

  /** The lines of the model that became statements, in the order of their first one. */
  private sites(): { id: string; place: Group['place']; targets: string[] }[] {
    const sites = new Map<string, { id: string; place: Group['place']; targets: string[] }>();
    for (const target of this.targets) {
      const place = placeAt(siteOf(this.originOf(target), this.source));
      const id = `line-${place.line}${place.file === placeAt({ source: this.source, start: 0, end: 0 }).file ? '' : `-${place.file.replaceAll(/\W/g, '-')}`}`;
      const site = sites.get(id) ?? { id, place, targets: [] };
      site.targets.push(target);
      sites.set(id, site);
    }
    return [...sites.values()].toSorted((a, b) => a.place.line - b.place.line);
  }

  private originOf(target: string): Origin {
    const origin = this.history.first.get(target)?.origin;
    if (origin === undefined) throw new Error(`no statement computes ${target}`);
    return origin;
  }

  private sourceLines(sites: readonly { id: string; place: Group['place'] }[]): Explanation['source'] {
    const count = this.source.text.replace(/\n$/, '').split('\n').length;
    const file = placeAt({ source: this.source, start: 0, end: 0 }).file;
    return Array.from({ length: count }, (_, k) => {
      const group = sites.find(({ place }) => place.line === k + 1 && place.file === file)?.id;
      return { number: k + 1, text: lineAt(this.source, k + 1), ...(group === undefined ? {} : { group }) };
    });
  }

  // ---------------------------------------------------------------------------------------------------- one statement

  private statement(target: string): StatementExplanation {
    const { prepared, journeys, history, backward } = this;
    const codeName = (name: string): string => this.codeNames.get(name) ?? name;
    const first = history.first.get(target);
    if (first === undefined) throw new Error(`no statement computes ${target}`);
    const differentiated = prepared.statements.find((each) => each.target === target);
    const isAsked = history.of(target).some(({ pass }) => pass === 'derive');
    const words = formWords[isAsked ? 'derivative' : formOf(differentiated ?? first, prepared)];
    const derivatives = backward.derivativesOf(target);
    const cotangent = this.cotangentOf(target);
    const extras = this.extras.get(target) ?? [];
    const journey = journeys.of(target);
    const formula = differentiated === undefined ? undefined : journeys.formula(differentiated);
    // what went into another statement is shown with that one
    const shares = [
      ...derivatives.map((each) => each.target),
      ...(cotangent?.journey === undefined ? [] : [cotangent.name]),
      ...extras.map((each) => each.target),
    ].filter((share) => history.lastOf(share) !== undefined);
    const results = shares.flatMap((share) => history.lastOf(share) ?? []);
    const recurrence =
      first.scan === undefined ? '' : ` It is one step of a recurrence over ${first.scan.index}.`;
    const back =
      differentiated?.scan === undefined
        ? ''
        : ' The recurrence is run backwards: what a step sends back is added to what its own result receives.';
    return {
      target,
      place: placeAt(first.origin.span),
      shape: shapeInWords(this.shapeOf(target), this.analysed.model.batch),
      title: words.title,
      forward: `${words.forward}${recurrence}`,
      journey,
      ...(formula === undefined || formula === journey.first ? {} : { differentiated: formula }),
      ...(cotangent === undefined ? {} : { cotangent }),
      backward: derivatives.length === 0 ? '' : `${words.backward}${back}`,
      noGradient: derivatives.length > 0 ? '' : this.whyNone(target, differentiated),
      derivatives,
      extras,
      remarks: results.flatMap((result) => remarksOn(result, this.scheduled)),
      code: {
        forward:
          history.lastOf(target) === undefined ? [] : this.code.excerpts([codeName(target)], 'forward'),
        backward: this.code.excerpts([...new Set(shares)].map(codeName), 'backward'),
      },
    };
  }

  private cotangentOf(target: string): Cotangent | undefined {
    const { backward, prepared, journeys, history } = this;
    const name = backward.cotangents.get(target);
    if (name === undefined) return undefined;
    const from = [
      ...new Set(
        backward
          .sharesOf(target)
          .flatMap((share) => (backward.isTotal(share) ? [] : (pulledThrough(share) ?? []))),
      ),
    ].filter((each) => prepared.tensors.has(each));
    const first = history.first.get(name);
    const isTotal = first !== undefined && backward.isTotal(first);
    return { name, from, ...(isTotal ? { journey: journeys.of(name) } : {}) };
  }

  /** What is neither a share nor the sum of the shares of a value: sums for a parameter, what rewrites made of it. */
  private extraStatements(): Map<string, Extra[]> {
    const { backward, history } = this;
    const shown = new Set(
      this.targets.flatMap((target) => [
        target,
        ...backward.derivativesOf(target).map((derivative) => derivative.target),
        ...(backward.cotangents.has(target) ? [backward.cotangents.get(target) ?? ''] : []),
      ]),
    );
    const extras = new Map<string, Extra[]>();
    for (const [target, statement] of history.first) {
      if (shown.has(target)) continue;
      const isTotal = backward.isTotal(statement);
      const owner = this.ownerOf(statement, isTotal);
      const extra = {
        target,
        title: isTotal
          ? 'all shares together'
          : isRepeated(statement)
            ? 'computed again'
            : 'made by the compiler',
        journey: this.journeys.of(target),
      };
      extras.set(owner, [...(extras.get(owner) ?? []), extra]);
    }
    return extras;
  }

  /** The statement with which one of the backward pass is shown. */
  private ownerOf(statement: Statement, isTotal: boolean): string {
    const { targets, backward, history } = this;
    const known = new Set(targets);
    const last = isTotal
      ? [...history.first.values()].filter((each) => isPart(each.target, statement.target)).at(-1)
      : statement;
    const through = pulledThrough(last ?? statement);
    if (through !== undefined && known.has(through)) return through;
    const again = statement.target.replace(/_again\d*$/, '');
    if (known.has(again)) return again;
    const { span, calls } = statement.origin;
    const same = targets.find((target) => {
      const origin = this.originOf(target);
      return origin.span === span && origin.calls.at(0) === calls.at(0);
    });
    return same ?? [...backward.cotangents.keys()].find((name) => known.has(name)) ?? targets[0] ?? '';
  }

  private whyNone(target: string, differentiated: Statement | undefined): string {
    const { prepared } = this;
    if (prepared.loss === undefined)
      return 'The model has no loss, so that there is nothing to differentiate.';
    if (this.analysed.gradient.tensors.get(target)?.element === 'integer')
      return 'These are integers: they choose, and have no derivative.';
    if (differentiated === undefined)
      return 'The derivative is taken after the first rewrites, when this is no statement any more.';
    const needed = neededFor(prepared.statements, [prepared.loss]);
    if (!needed.has(target))
      return 'The loss does not depend on this: it is a result to look at, and nothing comes back through it.';
    return 'No trained parameter lies behind this, so that no derivative is needed.';
  }

  private shapeOf(target: string): readonly Extent[] {
    for (const { program } of this.analysed.stages) {
      const tensor = program.tensors.get(target);
      if (tensor !== undefined) return tensor.axes;
    }
    return [];
  }

  // ------------------------------------------------------------------------------------------------------ what is around

  private backwardSteps(): BackwardStep[] {
    return this.scheduled.statements.flatMap((statement) => {
      if (statement.phase !== 'backward') return [];
      const of = pulledThrough(statement) ?? [...tensorsReadBy(statement)][0] ?? '';
      return { target: statement.target, formula: this.journeys.formula(statement), of };
    });
  }

  private updates(): Update[] {
    return (this.analysed.model.training?.groups ?? []).map(({ optimizer, parameters, program }) => ({
      optimizer,
      parameters,
      formulas: program.statements.map((statement) => this.latex.statement(statement)),
    }));
  }
}

/** The parameter that is nearest to the loss, of those whose gradient is no sum of shares. */
function exampleOf(groups: readonly Group[], program: Program): Explanation['example'] {
  const gradients = new Set(program.gradients.values());
  for (const { statements } of groups.toReversed()) {
    for (const { target, derivatives } of statements.toReversed()) {
      // by a factor, not by a summand
      const derivative = derivatives.find(
        (share) =>
          gradients.has(share.target) &&
          share.journey.first.includes('\\sum') &&
          !share.local.endsWith('= 1'),
      );
      if (derivative !== undefined) return { statement: target, derivative };
    }
  }
  return undefined;
}

/** Does the backward pass compute again what the forward pass has computed? */
function isRepeated({ origin }: Statement): boolean {
  return origin.history.at(-1) === 'computed again';
}

/** An anchor of a page. */
function anchorOf(name: string): string {
  return `s-${name.replaceAll("'", '.next')}`;
}

/** `for each of the n rows, 3 numbers` */
function shapeInWords(axes: readonly Extent[], batch: string | undefined): string {
  if (axes.length === 0) return 'a single number';
  const fixed = axes.filter((axis) => typeof axis === 'number');
  const count = fixed.reduce((product, size) => product * size, 1);
  const list = fixed.length < 2 ? String(count) : `${fixed.join(' × ')} = ${count.toLocaleString('en')}`;
  const numbers = `${list} ${count === 1 ? 'number' : 'numbers'}`;
  const open = axes.filter((axis) => typeof axis === 'string');
  if (open.length === 0) return numbers;
  const isRow = open.length === 1 && open[0] === batch;
  const each = isRow ? `for each of the ${batch} rows of a batch` : `for each of ${open.join(' times ')}`;
  return `${numbers} ${each}`;
}
