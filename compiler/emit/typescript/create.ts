/** @file The text of `createProgram`: arrays, views, and the readable lists of calls. */
import type { ElementType } from '../../graph/types.ts';
import { printKey } from './literal.ts';
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

/** @param rows the name of the parameter that says how many rows of the batch count, if the model has a batch */
export function printCreateProgram(
  { program, loops }: EmitRequest,
  views: Views,
  arrayType: Readonly<Record<ElementType, string>>,
  lists: CallLists,
  update: UpdateText,
  rows: string | undefined,
): string {
  const { pools } = loops;
  const { real } = arrayType;
  const inputs = [...loops.buffers.values()].filter((buffer) => buffer.pool === 'input');
  const inputFields = inputs.map((buffer) => field(buffer.tensor, views.of(buffer.tensor)));
  const outputFields = program.outputs.map((name) => field(name, views.of(name)));
  const pool = (
    name: 'workspace' | 'doubles' | 'integers',
    element: ElementType,
    title: string,
  ): string[] => {
    const own = views.ofPool(name);
    if (own.length === 0) return [];
    const size = printSize(pools[name], loops.batch);
    return titled(title, [`const ${name} = new ${arrayType[element]}(${size});`, ...own]);
  };
  const draws = Object.values(loops.draws).some((names) => names.length > 0);
  const zero = pools.state.constant > 0 ? 'Parameters and states' : 'Parameters';
  const passing = [rows, 'step', 'first'];
  return [
    '/**',
    ' * The arrays of one trainer, for batches of up to `batch` rows, and the lists of calls that work on them.',
    ` * ${zero} are zero until they are set.${draws ? ' `seed` decides what is drawn.' : ''}`,
    ' */',
    `export function createProgram(batch: number${draws ? ', seed: number' : ''}): CompiledProgram {`,
    `const parameters = new ${real}(${pools.parameters.constant});`,
    `const gradients = new ${real}(${pools.gradients.constant});`,
    `const state = new ${real}(${pools.state.constant + update.stateSize});`,
    `const scalars = new Float64Array(${update.scalarSize});`,
    `const results = new Float64Array(${1 + program.metrics.length});`,
    ...titled('inputs', views.ofPool('input')),
    ...titled('parameters', views.ofPool('parameters')),
    ...titled('gradients', views.ofPool('gradients')),
    ...titled('states of the model', views.ofPool('state')),
    ...pool(
      'workspace',
      'real',
      'intermediates: two that are never needed at the same time may share a place',
    ),
    ...pool('doubles', 'double', 'intermediates in double precision'),
    ...pool('integers', 'integer', 'integer intermediates'),
    ...titled('the optimizer', update.declarations),
    '',
    'return {',
    'batch,\nparameters,\ngradients,\nstate,\nscalars,',
    `inputs: { ${inputFields.join(', ')} },`,
    `outputs: { ${outputFields.join(', ')} },`,
    'results,',
    '',
    method('forward', passing, lists.forward),
    '',
    method('backward', [rows], lists.backward),
    '',
    method('update', ['step'], lists.update),
    '',
    ...(lists.evaluate === undefined ? [] : [method('evaluate', passing, lists.evaluate), '']),
    method('predict', passing, lists.predict),
    '};',
    '}',
  ].join('\n');
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `// ${title}`, ...lines];
}

/** A method takes a parameter only if it or a later one is used: `noUnusedParameters`. */
function method(name: string, parameters: readonly (string | undefined)[], lines: readonly string[]): string {
  const code = lines.join('\n').replaceAll(/"[^"]*"/g, '""');
  const isUsed = (parameter: string | undefined): boolean =>
    parameter !== undefined && new RegExp(`\\b${parameter}\\b`).test(code);
  const last = parameters.findLastIndex(isUsed);
  const taken = parameters
    .slice(0, last + 1)
    .map((parameter) => (isUsed(parameter) ? parameter : `_${parameter ?? 'rows'}`));
  const list = taken.map((parameter) => `${parameter}: number`).join(', ');
  return `${name}(${list}): void {\n${lines.join('\n')}\n},`;
}

const field = (key: string, name: string): string => (key === name ? name : `${printKey(key)}: ${name}`);
