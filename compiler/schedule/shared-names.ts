/**
 * What a function calls its tensors. Called once, for tensors with short names, it keeps them. A name such as
 * `h3_attended_layer_norm_g` says which layer of which block it belongs to; in a function for all of them it is `g`, as in
 * the layer's definition. So a name is what the names of all callers end in, less what it has in common with the result:
 *
 *     h1_attended_layer_norm_y, h1_fed_layer_norm_y, h2_attended_layer_norm_y, ...    layer_norm_y    y
 *     h1_attended_layer_norm_g, h1_fed_layer_norm_g, h2_attended_layer_norm_g, ...    layer_norm_g    g
 *     h0,                       h1_u,                h1,                       ...                    x
 */
import { freshName } from '../graph/expressions.ts';
import type { Program } from '../graph/types.ts';
import type { Member } from './share-functions.ts';

/** Longer names hide the formula. */
const longestName = 24;

export interface SharedNames {
  /** One for each place of `Member.tensors`; all different. */
  readonly names: readonly string[];
  /** The last target: `layer_norm_y`. */
  readonly result: string;
}

export function sharedNames(members: readonly Member[], program: Program): SharedNames {
  const [first] = members;
  const own = first?.tensors ?? [];
  const statements = first?.group.statements ?? [];
  const target = statements.at(-1)?.target ?? '';
  const isLong = own.some((name) => name.length > longestName && !isScalar(name, program));
  if (members.length === 1 && !isLong) return { names: own, result: target };

  const isCotangent = cotangents(program);
  const common = own.map((name, place): Name | undefined => {
    if (isScalar(name, program)) return { derivative: false, words: [name] };
    if (members.length === 1) return nameOf(name, isCotangent);
    const all = members.map(({ tensors }) => nameOf(tensors[place] ?? name, isCotangent));
    const derivative = all.every((each) => each.derivative);
    const words = commonWords(
      derivative
        ? all.map((each) => each.words)
        : members.map(({ tensors }) => wordsOf(tensors[place] ?? name)),
    );
    return words && { derivative, words };
  });
  const result = common[own.indexOf(target)];
  const others = common.filter(
    (name, place) => own[place] !== target && name !== undefined,
  ) as readonly Name[];
  const layer = result === undefined ? commonBeginning(others) : layerOf(result, others);

  const targets = new Set(statements.map((statement) => statement.target));
  const taken = new Set(statements.flatMap(({ indices }) => indices.map((index) => index.name)));
  const names = new Map<string, string>();
  // results choose first, then operands
  for (const name of own.toSorted((a, b) => Number(targets.has(b)) - Number(targets.has(a)))) {
    const full = common[own.indexOf(name)];
    const wishes = isScalar(name, program)
      ? [name]
      : full === undefined
        ? [
            plainName(
              name,
              targets.has(name) ? name : target,
              statements.length === 1 && names.get(target) === 'dx',
              isCotangent,
              program,
            ),
          ]
        : [textOf(without(full, layer)), textOf(full)];
    const chosen = wishes.find((wish) => !taken.has(wish)) ?? freshName(wishes.at(-1) ?? name, taken);
    taken.add(chosen);
    names.set(name, chosen);
  }
  // where no name fits all results, the words that they have in common, q and k of each block's attention: block_attention_y
  const shared = layer.length > 0 ? layer : wordsInCommon(members, own.indexOf(target), isCotangent);
  const fitting = result ? textOf(result) : [...shared, names.get(target) ?? target].join('_');
  return {
    names: own.map((name) => names.get(name) ?? name),
    result: members.length === 1 ? target : fitting,
  };
}

/** A tensor's name, cut at its underscores; of a cotangent, the name of what it is the cotangent of. */
interface Name {
  readonly derivative: boolean;
  readonly words: readonly string[];
}

const wordsOf = (name: string): string[] => name.split('_');

function nameOf(name: string, isCotangent: (name: string) => boolean): Name {
  const derivative = isCotangent(name);
  return { derivative, words: wordsOf(derivative ? name.slice(1) : name) };
}

const textOf = ({ derivative, words }: Name): string => `${derivative ? 'd' : ''}${words.join('_')}`;

/** What the backward pass makes and calls d and a name. */
function cotangents({ statements, tensors }: Program): (name: string) => boolean {
  const made = new Set(
    statements.flatMap(({ target, phase }) => (phase === 'backward' && target.startsWith('d') ? target : [])),
  );
  return (name) => made.has(name) && (tensors.get(name)?.role ?? 'intermediate') === 'intermediate';
}

const isScalar = (name: string, program: Program): boolean => program.tensors.get(name)?.role === 'scalar';

/** The most words that more than two thirds of the names end in; else what they are but for a number: h1, h2, h3. */
function commonWords(all: readonly (readonly string[])[]): readonly string[] | undefined {
  const counts = new Map<string, number>();
  for (const words of all)
    for (let from = 0; from < words.length; from++) {
      const ending = words.slice(from).join('_');
      if (/^[A-Za-z]/.test(ending)) counts.set(ending, (counts.get(ending) ?? 0) + 1);
    }
  const endings = [...counts].filter(([, count]) => 3 * count > 2 * all.length).map(([ending]) => ending);
  if (endings.length > 0) return wordsOf(endings.reduce((a, b) => (b.length > a.length ? b : a)));
  const [stem, ...others] = all.map(([first = '', ...rest]) =>
    [first.replace(/\d+$/, ''), ...rest].join('_'),
  );
  return stem !== undefined && /^[A-Za-z]/.test(stem) && others.every((other) => other === stem)
    ? wordsOf(stem)
    : undefined;
}

/** The longest beginning of the result's name that goes on in another way in another name. */
function layerOf(result: Name, others: readonly Name[]): readonly string[] {
  for (let length = result.words.length - 1; length > 0; length--) {
    const layer = result.words.slice(0, length);
    if (others.some(({ words }) => words.length > length && layer.every((word, k) => words[k] === word)))
      return layer;
  }
  return [];
}

/** What all names of more than one word begin with, of a result that has no name for all callers. */
function commonBeginning(names: readonly Name[]): readonly string[] {
  const [first, ...others] = names.flatMap(({ words }) => (words.length > 1 ? [words] : []));
  if (first === undefined) return [];
  const lengths = others.map((words) => {
    const differs = words.findIndex((word, k) => word !== first[k]);
    return differs < 0 ? words.length : differs;
  });
  return first.slice(0, Math.min(first.length - 1, ...lengths));
}

/** Less the words that it begins with as the layer does, as far as a name is left. */
function without({ derivative, words }: Name, layer: readonly string[]): Name {
  let from = 0;
  while (from < layer.length && from < words.length - 1 && words[from] === layer[from]) from++;
  while (from > 0 && !/^[A-Za-z]/.test(words[from] ?? '')) from--;
  return { derivative, words: words.slice(from) };
}

/** The words that the names of all callers' results share, without the numbers of layers. */
function wordsInCommon(
  members: readonly Member[],
  result: number,
  isCotangent: (name: string) => boolean,
): readonly string[] {
  const [first = [], ...others] = members.map(({ tensors }) =>
    nameOf(tensors[result] ?? '', isCotangent).words.map((word) => word.replace(/\d+$/, '')),
  );
  const common = first.filter((word) => word !== '' && others.every((words) => words.includes(word)));
  return common.every((word) => /^[A-Za-z]/.test(word)) ? common : [];
}

/**
 * For what no name fits in all calls, as textbooks have it: y = x W, dx = dy W, dW = x dy. A factor beside dy in a dx that
 * is not the cotangent of that factor is a.
 */
function plainName(
  name: string,
  target: string,
  isProduct: boolean,
  isCotangent: (name: string) => boolean,
  program: Program,
): string {
  if (program.tensors.get(name)?.role === 'parameter') return 'W';
  if ([...program.gradients.values()].includes(name)) return 'dW';
  if (isCotangent(name)) return name === target ? 'dx' : 'dy';
  if (name === target) return 'y';
  return isProduct && !new RegExp(`^d${name}(_\\d+)?$`).test(target) ? 'a' : 'x';
}
