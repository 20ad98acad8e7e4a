/** @file The text of `createProgram`: arrays, views, and the readable lists of calls. */
import type { ElementType } from '../../graph/types.ts';
import { printKey } from './literal.ts';
import { cutIntoParts, longestProgram, parameterList } from './parts.ts';
import type { CallList, Declaration, Shared } from './parts.ts';
import type { EmitRequest } from './request.ts';
import type { UpdateText } from './update.ts';
import { printSize, type Views } from './views.ts';

/** The calls of a pass, a line each. */
export interface CallLists {
  readonly forward: readonly string[];
  readonly backward: readonly string[];
  readonly update: readonly string[];
  readonly evaluate?: readonly string[] | undefined;
  readonly predict: readonly string[];
}

export interface CreateProgram {
  /** Functions that it calls: parts of long lists. */
  readonly parts: readonly string[];
  readonly text: string;
}

/**
 * @param rows the name of the parameter that says how many rows of the batch count, if the model has a batch
 * @param observing the lines that make what looks at values: `--checks`
 */
export function printCreateProgram(
  request: EmitRequest,
  views: Views,
  arrayType: Readonly<Record<ElementType, string>>,
  lists: CallLists,
  update: UpdateText,
  rows: string | undefined,
  observing: readonly string[],
  fresh: (wish: string) => string,
): CreateProgram {
  const { program, loops } = request;
  const { pools } = loops;
  const { real } = arrayType;
  const inputs = [...loops.buffers.values()].filter((buffer) => buffer.pool === 'input');
  const inputFields = inputs.map((buffer) => field(buffer.tensor, views.of(buffer.tensor)));
  const outputFields = program.outputs.map((name) => field(name, views.of(name)));
  const passing = [rows, 'step', 'first'];
  const predicts = request.inference === true;
  const training: CallList[] = [
    { method: 'forward', parameters: passing, lines: lists.forward },
    { method: 'backward', parameters: [rows], lines: lists.backward },
    { method: 'update', parameters: ['step', 'rateFactor'], lines: lists.update },
    ...(lists.evaluate === undefined
      ? []
      : [{ method: 'evaluate', parameters: passing, lines: lists.evaluate }]),
  ];
  const calls: CallList[] = [
    ...(predicts ? [] : training),
    { method: 'predict', parameters: passing, lines: lists.predict },
  ];
  const isPool = (name: string): name is 'workspace' | 'doubles' | 'integers' => name in poolTitles;
  const own = [
    { title: 'inputs', views: views.ofPool('input') },
    { title: 'parameters', views: views.ofPool('parameters') },
    { title: 'gradients', views: views.ofPool('gradients') },
    { title: 'states of the model', views: views.ofPool('state') },
    ...Object.keys(poolTitles)
      .filter(isPool)
      .map((name) => ({ title: poolTitles[name].title, pool: name, views: views.ofPool(name) })),
    { title: 'the optimizer', views: update.declarations.map(declared) },
  ];
  const poolLine = (name: 'workspace' | 'doubles' | 'integers'): string =>
    `const ${name} = new ${arrayType[poolTitles[name].element]}(${printSize(pools[name], loops.batch)});`;
  const texts = own.flatMap((each) => each.views.map(({ text }) => text));
  const length = [...texts, ...calls.flatMap(({ lines }) => lines)].reduce(
    (sum, text) => sum + text.length,
    0,
  );
  const draws = Object.values(loops.draws).some((names) => names.length > 0);
  const arrays = [
    { name: 'batch', type: 'number' },
    ...(draws ? [{ name: 'seed', type: 'number' }] : []),
    ...(predicts ? ['parameters', 'state'] : ['parameters', 'gradients', 'state']).map((name) => ({
      name,
      type: real,
    })),
    ...(predicts ? [] : ['scalars', 'rates', 'results']).map((name) => ({ name, type: 'Float64Array' })),
    ...own.flatMap((each) =>
      'pool' in each && each.views.length > 0
        ? [{ name: each.pool, type: arrayType[poolTitles[each.pool].element] }]
        : [],
    ),
    ...own.flatMap((each) => each.views.flatMap(made)),
    ...(request.options.checks === true ? [{ name: 'checks', type: 'Checks' }] : []),
    ...(request.options.trace === true ? [{ name: 'trace', type: 'Tracer<TraceName>' }] : []),
  ];
  const parts =
    length > longestProgram
      ? cutIntoParts(
          calls,
          own.flatMap((each) => each.views.filter((view) => made(view).length === 0)),
          arrays,
          fresh,
        )
      : undefined;
  const bodyOf = ({ method, lines }: CallList): readonly string[] => parts?.bodies.get(method) ?? lines;
  // Views that only parts use are theirs.
  const rest = [...outputFields, ...observing, ...calls.flatMap(bodyOf)].join('\n');
  const isKept = (view: Declaration): boolean =>
    parts === undefined ||
    made(view).length > 0 ||
    view.names.some((name) => new RegExp(`\\b${name}\\b`).test(rest));
  const zero = pools.state.constant > 0 ? 'Parameters and states' : 'Parameters';
  const text = [
    '/**',
    ` * The arrays of one ${predicts ? 'predictor' : 'trainer'}, for batches of up to \`batch\` rows, and the lists of calls that work on them.`,
    ` * ${zero} are zero until they are set.${draws ? ' `seed` decides what is drawn.' : ''}`,
    ' */',
    `export function createProgram(batch: number${draws ? ', seed: number' : ''}${observing.length > 0 ? `, options: ${optionsType(request)} = {}` : ''}): ${predicts ? 'PredictingProgram' : 'CompiledProgram'} {`,
    `const parameters = new ${real}(${pools.parameters.constant});`,
    ...(predicts ? [] : [`const gradients = new ${real}(${pools.gradients.constant});`]),
    `const state = new ${real}(${pools.state.constant + update.stateSize});`,
    ...(predicts
      ? []
      : [
          `const scalars = new Float64Array(${update.scalarSize});`,
          `const rates = new Float64Array(${update.rateSize})${update.rateSize === 0 ? '' : '.fill(NaN)'};`,
          `const results = new Float64Array(${1 + program.metrics.length});`,
        ]),
    ...own.flatMap((each) => {
      if (each.views.length === 0) return [];
      const lines = each.views.filter(isKept).map((view) => view.text);
      return titled(each.title, 'pool' in each ? [poolLine(each.pool), ...lines] : lines);
    }),
    ...titled('what looks at values', observing),
    ...titled('the calls, in parts', parts?.declarations ?? []),
    '',
    'return {',
    predicts ? 'batch,\nparameters,\nstate,' : 'batch,\nparameters,\ngradients,\nstate,\nscalars,\nrates,',
    `inputs: { ${inputFields.join(', ')} },`,
    `outputs: { ${outputFields.join(', ')} },`,
    ...(predicts ? [] : ['results,']),
    ...calls.flatMap((list) => ['', method(list.method, list.parameters, bodyOf(list))]),
    '};',
    '}',
  ].join('\n');
  return { parts: parts?.functions ?? [], text };
}

/** The parameter of createTrainer or createPredictor, and how it makes programs. */
export function created(
  request: EmitRequest,
  type: 'TrainerOptions' | 'PredictorOptions',
): { readonly options: string; readonly create: string } {
  const own = optionsType(request);
  if (own === '') return { options: `options: ${type}`, create: 'create: createProgram' };
  const draws = Object.values(request.loops.draws).some((names) => names.length > 0);
  const given = draws ? 'batch, seed' : 'batch';
  return {
    options: `options: ${type} & ${own}`,
    create: `create: (${given}) => createProgram(${given}, options)`,
  };
}

/** What others import from the runtime for such a module: a module that imports nothing exports it. */
export const observerNames = ({ options }: EmitRequest): string[] => [
  ...(options.checks === true ? ['CheckError'] : []),
  ...(options.trace === true ? ['summarizeTrace'] : []),
];

/** What createProgram and createTrainer take beside what every module does. */
export function optionsType({ options }: EmitRequest): string {
  return [
    ...(options.checks === true ? ['CheckOptions'] : []),
    ...(options.trace === true ? ['TraceOptions<TraceName>'] : []),
  ].join(' & ');
}

const poolTitles = {
  workspace: {
    element: 'real',
    title: 'intermediates: two that are never needed at the same time may share a place',
  },
  doubles: { element: 'double', title: 'intermediates in double precision' },
  integers: { element: 'integer', title: 'integer intermediates' },
} as const satisfies Record<string, { readonly element: ElementType; readonly title: string }>;

/** The name and the type of an array of its own, not a view of another. */
function made({ text }: Declaration): Shared[] {
  const [, name, type] = /^const (\w+) = new (\w+)\(/.exec(text) ?? [];
  return name === undefined || type === undefined ? [] : [{ name, type }];
}

/** A line with what it declares. */
export function declared(text: string): Declaration {
  return { names: [...text.matchAll(/const (\w+) =/g)].map(([, name = '']) => name), text };
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `// ${title}`, ...lines];
}

function method(name: string, parameters: readonly (string | undefined)[], lines: readonly string[]): string {
  return `${name}(${parameterList(parameters, lines)}): void {\n${lines.join('\n')}\n},`;
}

const field = (key: string, name: string): string => (key === name ? name : `${printKey(key)}: ${name}`);
