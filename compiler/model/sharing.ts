/**
 * `right = z |> tower(64, weights = left)`: a call of a layer that takes the parameters of an earlier call in the stead of
 * parameters of its own. States and draws stay its own.
 */
import type { Span } from '../diagnostics/source.ts';
import type { Tensor } from '../graph/types.ts';
import type { Argument, Call, LayerDefinition, ParamDeclaration } from '../syntax/tree.ts';
import type { Elaboration } from './elaboration.ts';
import type { Scope } from './scope.ts';
import { didYouMean } from './scope.ts';
import { elaborateSize } from './sizes.ts';
import { shapeText } from './values.ts';

/** A call of a layer: what its parameters are named after. */
export interface Instance {
  readonly definition: LayerDefinition;
  /** `h` or `h_dense2`: the beginning of the names of what it makes. */
  readonly name: string;
  /** The beginning of the names of its parameters: another than `name` where they are shared. */
  readonly weights: string;
}

/** The argument that says whose weights are meant, and the call without it; a parameter of this name goes first. */
export function splitWeights(
  call: Call,
  { parameters }: Pick<LayerDefinition, 'parameters'>,
): { readonly call: Call; readonly weights?: Argument } {
  const weights = call.arguments.find(({ name }) => name?.text === 'weights');
  if (weights === undefined || parameters.some(({ name }) => name.text === 'weights')) return { call };
  return { call: { ...call, arguments: call.arguments.filter((argument) => argument !== weights) }, weights };
}

/** The instance of a call, remembered for calls after it. Undefined after E205. */
export function makeInstance(
  definition: LayerDefinition,
  name: string,
  weights: Argument | undefined,
  scope: Scope,
  elaboration: Elaboration,
): Instance | undefined {
  const { instances } = elaboration;
  const outer = elaboration.calling.findLast(({ instance }) => instance)?.instance;
  // inside of a layer whose weights are shared all weights are
  const own = outer && outer.weights !== outer.name ? outer.weights + name.slice(outer.name.length) : name;
  const source = weights ? sourceOf(definition, weights, outer, scope, elaboration) : own;
  if (source === undefined) return undefined;
  const made = { definition, name, weights: source };
  instances.set(name, made);
  return made;
}

function sourceOf(
  definition: LayerDefinition,
  { value }: Argument,
  outer: Instance | undefined,
  scope: Scope,
  elaboration: Elaboration,
): string | undefined {
  const layer = definition.name.text;
  const { instances } = elaboration;
  const prefix = outer === undefined ? '' : `${outer.name}_`;
  const text = value.kind === 'reference' ? value.name.text : '';
  const entry = text === '' ? undefined : scope.lookupTensor(text);
  if (entry) entry.used = true;
  const found = instances.get(`${prefix}${text}`);
  if (found?.definition === definition) return found.weights;
  const inside = [...instances.values()].filter(({ name }) => name.startsWith(`${prefix}${text}_`));
  const alike = [...instances.values()].filter(
    (each) => each.definition === definition && each.name.startsWith(prefix),
  );
  const names = alike.map(({ name }) => name.slice(prefix.length));
  const meant = names.find((name) => name.startsWith(`${text}_`)) ?? names.at(-1);
  const message = found
    ? `\`${text}\` is a call of \`${found.definition.name.text}\`, not of \`${layer}\``
    : `\`weights\` takes the name of an earlier statement that calls \`${layer}\``;
  elaboration.error('E205', value.span, message, {
    notes: found ? [{ span: found.definition.name.span, message: 'defined here' }] : [],
    hint:
      didYouMean(text, names) ??
      (meant === undefined
        ? `call \`${layer}\` without \`weights\` first`
        : `${inside.length > 1 ? `\`${text}\` calls several layers; ` : ''}for example \`weights = ${meant}\``),
  });
  return undefined;
}

/** The parameter of another call that stands for one of this. Undefined after E205, E301, of which there is one a call. */
export function sharedParam(
  item: ParamDeclaration,
  { weights }: Instance,
  inner: Scope,
  elaboration: Elaboration,
): Tensor | undefined {
  const { text } = item.name;
  const span = askedFor(item, elaboration);
  if (span === undefined) return undefined;
  const tensor = elaboration.builder.tensor(`${weights}_${text}`);
  if (tensor?.role !== 'parameter') {
    elaboration.error('E205', span, `\`${weights}\` has no parameter \`${text}\` to share`, {
      notes: [{ span: item.span, message: 'it is asked for here' }],
      hint: 'both calls must make the same parameters',
    });
    return undefined;
  }
  const axes = item.axes.map((axis) =>
    axis.kind === 'size' ? elaborateSize(axis.value, inner, elaboration) : undefined,
  );
  const found = axes.flatMap((extent) => (extent === undefined ? [] : [extent]));
  if (found.length < axes.length) return undefined;
  if (found.some((extent, axis) => extent !== tensor.axes[axis])) {
    const [own, given] = [found, tensor.axes].map((list) => shapeText(list.map((extent) => ({ extent }))));
    const message = `\`${tensor.name}\` is ${given}, but this call needs ${own}`;
    elaboration.error('E301', span, message, {
      notes: [{ span: item.span, message: `\`${text}\` is declared here` }],
      hint: 'weights can be shared between calls whose inputs and numbers give the same sizes',
    });
    return undefined;
  }
  return tensor;
}

/** The argument that asks for the weights, unless what is wrong with them has been said. */
function askedFor({ span }: ParamDeclaration, { calling, diagnostics }: Elaboration): Span | undefined {
  const asking = calling.findLast(({ call, definition }) => splitWeights(call, definition).weights);
  const place = (asking && splitWeights(asking.call, asking.definition).weights?.value.span) ?? span;
  const isSaid = diagnostics.list.some(({ span: known }) => known === place);
  return isSaid ? undefined : place;
}
