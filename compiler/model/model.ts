/** One `model` block -> Model. */
import { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { Span } from '../diagnostics/source.ts';
import { ProgramBuilder } from '../graph/builder.ts';
import type { Program } from '../graph/types.ts';
import type {
  Assignment,
  ModelDefinition,
  ModelItem,
  OutputDeclaration,
  ScanBlock,
  SyntaxExpression,
  TrainDeclaration,
} from '../syntax/tree.ts';
import type { OpenDimension } from './declarations.ts';
import { elaborateEdit, refuseEdits } from './cotangents.ts';
import { refuseCheckpoint, refuseCheckpoints } from './checkpoints.ts';
import { declareDim, declareInput, declareKept, isMet } from './declarations.ts';
import { declareRandom } from './draws.ts';
import { Elaboration } from './elaboration.ts';
import { elaborateAssignment } from './layers.ts';
import { reportTooLarge } from './limits.ts';
import { reportUnknown } from './names.ts';
import { OwnFunctions } from './own-functions.ts';
import { elaborateScan } from './scans.ts';
import type { ScanName } from './scans.ts';
import { Scope } from './scope.ts';
import { elaborateNext, isNext, warnNeverUpdated } from './states.ts';
import { elaborateStatement } from './statements.ts';
import { elaborateTraining, frozenParameters } from './training/train.ts';
import type { Model } from './types.ts';
import { reportUnreached, warnUnused } from './usage.ts';
import { shapeText } from './values.ts';
import { addNew, mergeElaborated, programOf } from './variants.ts';

interface ModelState {
  readonly scope: Scope;
  readonly elaboration: Elaboration;
  readonly open: OpenDimension;
  /** Where each name of the model is defined first. */
  readonly defined: Map<string, Span>;
  /** Where each output is declared. */
  readonly outputs: Map<string, Span>;
  train?: TrainDeclaration;
  loss?: Span;
  /** True once a statement failed: what reaches what is then not known. */
  broken: boolean;
}

/** Elaborates a model in the scope of its file. What cannot be elaborated is reported and left out. */
export function elaborateModel(definition: ModelDefinition, file: Scope, diagnostics: Diagnostics): Model {
  const name = definition.name.text;
  const broken = hasErrorsIn(definition.span, diagnostics);
  const ownFunctions = new OwnFunctions();
  const state = elaborateVariant(
    definition,
    file,
    new Elaboration(diagnostics, new ProgramBuilder(name), true, ownFunctions),
    broken,
  );
  warnNeverUpdated(definition.items, diagnostics);
  const states = [state];
  let made = programOf(state.elaboration);
  if (state.elaboration.readsTraining) {
    const own = new Diagnostics();
    const other = new Elaboration(own, new ProgramBuilder(name), false, ownFunctions);
    const inference = elaborateVariant(definition, file, other, broken);
    addNew(own, diagnostics);
    states.push(inference);
    made = mergeElaborated(made, state.elaboration, inference.elaboration);
  }
  state.broken ||= states.some((each) => each.broken);
  const program = finish(made, definition, state);
  const { train, scope, open } = state;
  const batch = open.name === undefined ? {} : { batch: open.name };
  // a loss that failed has been reported: training need not say that there is none
  const trained = program.loss === undefined && state.loss ? { ...program, loss: 'loss' } : program;
  const training =
    train && elaborateTraining(train, { name, scope, program: trained, ...batch }, diagnostics);
  if (!state.broken)
    warnUnused(
      states.map((each) => each.scope),
      diagnostics,
    );
  const names = definition.items.flatMap(definedBy).map(({ text }) => text);
  return { name, program, ...batch, ...(training ? { training } : {}), names, span: definition.span };
}

/** The statements of a model with one value of `training`. */
function elaborateVariant(
  definition: ModelDefinition,
  file: Scope,
  elaboration: Elaboration,
  broken: boolean,
): ModelState {
  const state: ModelState = {
    scope: new Scope(file),
    elaboration,
    open: {},
    defined: new Map(),
    outputs: new Map(),
    broken,
  };
  for (const item of definition.items) {
    for (const { text, span } of definedBy(item)) {
      if (constantNames.has(text)) continue;
      state.scope.expect(text, item.span);
      elaboration.reserve(text, span);
    }
  }
  for (const item of definition.items) {
    elaborateItem(item, state);
    nameLayerParameters(state);
  }
  return state;
}

/** True if the parser has reported something in the model: statements may be missing from it. */
function hasErrorsIn({ source, start, end }: Span, { list }: Diagnostics): boolean {
  return list.some(
    ({ severity, span }) =>
      severity === 'error' && span.source === source && start <= span.start && span.start <= end,
  );
}

/** The parameters of layers can be read by their names in the statements that follow. */
function nameLayerParameters({ scope, elaboration }: ModelState): void {
  for (const tensor of elaboration.layerParameters.splice(0)) {
    if (elaboration.unmade.has(tensor.name)) continue;
    scope.define(tensor.name, { kind: 'tensor', tensor, span: tensor.span, used: false });
  }
}

function definedBy(item: ModelItem): readonly { readonly text: string; readonly span: Span }[] {
  switch (item.kind) {
    case 'output':
      return item.assignment ? [item.assignment.name] : [];
    case 'loss':
      return [{ text: 'loss', span: item.span }];
    case 'scan':
      return item.items.map(({ name }) => name);
    case 'train':
    case 'require':
    case 'cotangent':
      return [];
    default:
      return [item.name];
  }
}

function elaborateItem(item: ModelItem, state: ModelState): void {
  const { scope, elaboration, open } = state;
  const names = definedBy(item);
  const taken = new Set(names.filter(({ text, span }) => isTaken(text, span, state)));
  for (const { text, span } of taken) {
    state.broken = true;
    // of a name that cannot be had nothing more is said
    if (scope.own(text) === undefined) scope.define(text, { kind: 'error', span, used: true });
  }
  if (item.kind === 'scan') {
    const items = item.items.filter(({ name }) => !taken.has(name));
    return defineAll({ ...item, items }, state);
  }
  if (taken.size > 0) return undefined;
  switch (item.kind) {
    case 'dim':
      return declareDim(item, scope, elaboration);
    case 'require':
      isMet(item, scope, elaboration);
      return undefined;
    case 'input':
      return declareInput(item, scope, elaboration, open);
    case 'param':
    case 'state':
      declareKept(item, item.name.text, scope, elaboration);
      return undefined;
    case 'random':
      return declareRandom(item, item.name.text, scope, elaboration);
    case 'assignment':
      return define(item, state);
    case 'cotangent':
      if (!elaborateEdit(item, () => true, scope, elaboration)) state.broken = true;
      return undefined;
    case 'output':
      return declareOutput(item, state);
    case 'loss':
      state.loss = item.span;
      return defineNumber('loss', item.value, item.span, item.span, state, 'loss');
    case 'metric':
      return defineNumber(item.name.text, item.value, item.span, item.name.span, state, 'metric');
    case 'train':
      if (state.train) {
        elaboration.error('E202', item.span, 'there are two `train` blocks', {
          notes: [{ span: state.train.span, message: 'first here' }],
        });
      } else state.train = item;
  }
}

/** Constants of the language, which nothing may shadow; `pi` and `e` may. */
const constantNames: ReadonlySet<string> = new Set(['true', 'false', 'inf', 'training']);

/** Reports E202 if the model has the name already, E209 if the language has. */
function isTaken(name: string, span: Span, { defined, elaboration, open }: ModelState): boolean {
  if (name === '__proto__') {
    elaboration.error('E209', span, '`__proto__` cannot be a name: JavaScript keeps it for itself', {
      hint: 'choose another name',
    });
    return true;
  }
  if (constantNames.has(name)) {
    elaboration.error('E209', span, `\`${name}\` is a constant of the language`, {
      hint: 'choose another name',
    });
    return true;
  }
  const earlier = name === open.name ? open.span : defined.get(name);
  if (earlier === undefined) {
    defined.set(name, span);
    return false;
  }
  const message =
    name === open.name ? `\`${name}\` is the open dimension already` : `\`${name}\` is defined twice`;
  elaboration.error('E202', span, message, {
    notes: [{ span: earlier, message: 'first here' }],
    hint: 'names are assigned once; give this one another name',
  });
  return true;
}

function define(item: Assignment, state: ModelState): void {
  const { scope, elaboration } = state;
  const { text } = item.name;
  if (isNext(text)) refuseCheckpoint(item, elaboration);
  const isMade = isNext(text)
    ? elaborateNext(item, scope, elaboration)
    : elaborateAssignment(item, text, text, scope, elaboration) !== undefined;
  if (!isMade) state.broken = true;
}

function defineAll(block: ScanBlock, state: ModelState): void {
  const { scope, elaboration } = state;
  const nameOf = ({ name }: Assignment): ScanName => ({ target: name.text, instance: name.text });
  if (elaborateScan(block, nameOf, scope, elaboration) === undefined) state.broken = true;
}

function declareOutput(item: OutputDeclaration, state: ModelState): void {
  const { scope, elaboration } = state;
  const { text, span } = item.name;
  if (item.assignment) define(item.assignment, state);
  const entry = scope.lookup(text);
  if (entry === undefined) {
    reportUnknown(text, span, scope, elaboration);
    return;
  }
  const earlier = state.outputs.get(text);
  if (earlier) {
    elaboration.error('E202', span, `\`${text}\` is an output already`, {
      notes: [{ span: earlier, message: 'first here' }],
    });
    return;
  }
  state.outputs.set(text, span);
  entry.used = true;
  if (entry.kind === 'error') return;
  if (entry.kind !== 'tensor' || entry.tensor.role !== 'intermediate') {
    elaboration.error('E308', span, `\`${text}\` is not computed, so it cannot be an output`, {
      notes: [{ span: entry.span, message: `\`${text}\` is declared here` }],
      hint: 'an output is the name of a statement: `output p[n, k] = softmax[k](z[n, k])`',
    });
    return;
  }
  const open = entry.tensor.axes.findLastIndex((extent) => typeof extent === 'string');
  if (open > 0) {
    const name = String(entry.tensor.axes[open]);
    elaboration.error(
      'E305',
      span,
      `the open dimension \`${name}\` can only be the first axis of an output`,
      {
        notes: item.assignment ? [] : [{ span: entry.span, message: `\`${text}\` is defined here` }],
        hint: `an output is a list of rows, one for each row of the batch: \`output ${text}[${name}, ...] = ...\``,
      },
    );
    return;
  }
  elaboration.builder.output(text);
}

/** `loss = ...` and `metric accuracy = ...`: single numbers. */
function defineNumber(
  name: string,
  value: SyntaxExpression,
  span: Span,
  nameSpan: Span,
  state: ModelState,
  kind: 'loss' | 'metric',
): void {
  const { scope, elaboration } = state;
  const tensor = elaborateStatement({ target: name, value, span, real: true }, scope, elaboration);
  if (tensor === undefined || tensor.axes.length > 0) {
    scope.define(name, { kind: 'error', span: nameSpan, used: true });
    state.broken = true;
  }
  if (tensor === undefined) return;
  if (tensor.axes.length > 0) {
    const shape = shapeText(tensor.axes.map((extent) => ({ extent })));
    elaboration.error(
      'E602',
      value.span,
      `${kind === 'loss' ? 'the loss' : `\`${name}\``} must be a single number, but this has the shape ${shape}`,
      {
        hint: 'reduce it: `mean(...)`, or `mean[n](...)` over the indices',
      },
    );
    return;
  }
  scope.define(name, { kind: 'tensor', tensor, span: nameSpan, used: true });
  if (kind === 'loss') elaboration.builder.loss(name);
  else elaboration.builder.metric(name);
}

/** The program, with frozen parameters marked and unused things reported. */
function finish(made: Program, definition: ModelDefinition, state: ModelState): Program {
  const { elaboration, train } = state;
  const { diagnostics } = elaboration;
  let program = made;
  reportTooLarge(program.tensors.values(), elaboration);
  if (train) {
    const parameters = [...program.tensors.values()].filter(({ role }) => role === 'parameter');
    const frozen = frozenParameters(
      train,
      parameters.map(({ name }) => name),
      diagnostics,
    );
    const tensors = new Map(
      [...program.tensors].map(([name, tensor]) => [
        name,
        frozen.has(name) ? { ...tensor, frozen: true } : tensor,
      ]),
    );
    program = { ...program, tensors };
  }
  const computes = definition.items.some(({ kind }) => kind === 'loss' || kind === 'output');
  if (!computes && !state.broken) {
    elaboration.error(
      'E210',
      definition.name.span,
      `model \`${program.name}\` has neither a loss nor an output`,
      {
        hint: 'add `loss = ...` to train it, `output y = ...` to predict with it',
      },
    );
  }
  const items = definition.items.flatMap((item) => (item.kind === 'assignment' ? [item] : []));
  if (!state.loss && !state.broken) {
    refuseCheckpoints(program.name, items, elaboration);
    refuseEdits(program.name, elaboration);
  }
  if (!state.broken) {
    reportUnreached(program, elaboration);
  }
  return program;
}
