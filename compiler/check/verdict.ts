/** What the proofs come to for a parameter, and the element that is to be named where it is wrong. */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import { placeOf } from '../diagnostics/source.ts';
import { placeOfOrigin } from '../graph/origin.ts';
import type { AnalysedModel } from '../index.ts';
import type { ModelDescription } from '../../runtime/types.ts';
import { Lines, proofs, type Asked, type Found, type Programs } from './examine.ts';
import type { ParameterReport, Proof, ProofName, WorstElement } from './types.ts';
import { elementName, worstPlace } from './worst.ts';

export type Proofs = Readonly<Record<ProofName, Proof>>;

const proofNames: readonly ProofName[] = ['differences', 'forward', 'scatter', 'float32'];

const isWrong = (proof: Proof): boolean => proof.kind === 'compared' && !proof.ok;

export function isWrongInFloat32Alone(found: Proofs): boolean {
  const wrong = proofNames.filter((name) => isWrong(found[name]));
  return wrong.length === 1 && wrong[0] === 'float32';
}

/** Whether another point might decide: a kink in the way of the differences, or between the roundings of two types. */
export function isOpen(found: Proofs | undefined): boolean {
  return found !== undefined && (found.differences.kind === 'undecided' || isWrong(found.float32));
}

/** What was not decided at one point may be at another; what is wrong in float64 at any point is wrong. */
export function merged(first: Proofs | undefined, second: Proofs | undefined): Proofs {
  if (first === undefined || second === undefined) throw new Error('a parameter was not compared');
  const later = (name: ProofName): Proof => (isWrong(first[name]) ? first[name] : second[name]);
  return {
    differences: first.differences.kind === 'undecided' ? second.differences : later('differences'),
    forward: later('forward'),
    scatter: later('scatter'),
    float32: isWrong(first.float32) ? second.float32 : first.float32,
  };
}

interface Surroundings {
  readonly analysed: AnalysedModel;
  readonly description: ModelDescription;
  /** At the point of `asked`. */
  readonly programs: Programs;
  readonly asked: Asked;
  readonly found: Found;
  /** The same for the gradient that differences and forward mode prove, where the model edits that of the parameter. */
  readonly unedited?: { readonly programs: Programs; readonly found: Found };
  readonly diagnostics: Diagnostics;
}

/** Reported: E801 where the gradient is wrong, E802 where the differences do not decide. */
export function reportParameter(
  name: string,
  settled: Proofs | undefined,
  around: Surroundings,
): ParameterReport {
  if (settled === undefined) throw new Error(`${name} was not compared`);
  const { program } = around.analysed;
  const tensor = program.tensors.get(name);
  const statement = program.statements.find(({ target }) => target === program.gradients.get(name));
  if (tensor === undefined || statement === undefined) throw new Error(`${name} has no gradient`);
  const shape = around.description.parameters.find((each) => each.name === name)?.shape ?? [];
  const gradient = around.found.gradients.get(name) ?? new Float64Array();
  const wrong = proofNames.filter((each) => isWrong(settled[each]));
  const from = placeOfOrigin(statement.origin);
  const isPlain = around.unedited !== undefined && (wrong[0] === 'differences' || wrong[0] === 'forward');
  const site = isPlain ? { ...around, ...around.unedited } : around;
  const worst = wrong[0] === undefined ? undefined : findWorst(name, shape, wrong[0], site);
  const notes = [{ span: tensor.span, message: `\`${name}\` is declared here` }];
  const { span } =
    statement.origin.calls[0] === undefined ? statement.origin : { span: statement.origin.calls[0] };
  if (worst !== undefined)
    around.diagnostics.error(
      'E801',
      span,
      `the gradient of \`${name}\` is wrong${isPlain ? ', also without the edit of cotangents' : ''}: d${worst.name} is ${number(worst.gradient)}, ${proofs[wrong[0] ?? 'differences'].says} ${number(worst.expected)}`,
      { notes, hint: FAULT },
    );
  else if (settled.differences.kind === 'undecided')
    around.diagnostics.error(
      'E802',
      span,
      `differences do not decide about the gradient of \`${name}\`: no step is free of kinks and jumps`,
      { notes, hint: 'give other data (--data FILE), or another --seed' },
    );
  return {
    name,
    shape,
    norm: Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0)),
    proofs: settled,
    ok: wrong.length === 0 && settled.differences.kind !== 'undecided',
    ...(worst === undefined ? {} : { worst }),
    from,
    declared: placeOf(tensor.span),
  };
}

const FAULT =
  'the compiler is to blame, not the model: --no-pass NAME may tell which part of it; please report this with the model';

const number = (value: number): string => String(Number(value.toPrecision(6)));

/** The element that is most wrong, and what it should be. */
function findWorst(
  name: string,
  shape: readonly number[],
  proof: ProofName,
  { found, programs, asked }: Surroundings,
): WorstElement {
  const gradient = found.gradients.get(name) ?? new Float64Array();
  if (proof === 'scatter' || proof === 'float32') {
    const other = found.others[proof]?.get(name) ?? new Float64Array();
    const off = gradient.map((value, i) => Math.abs(value - (other[i] ?? NaN)));
    const place = off.reduce(
      (most, value, i) => (value > (off[most] ?? 0) || Number.isNaN(value) ? i : most),
      0,
    );
    return worstAt(place, other[place] ?? NaN);
  }
  const lines = new Lines(programs, asked);
  const slopeAlong = (direction: Float64Array): number =>
    proof === 'forward' ? lines.forwardAlong(name, direction) : lines.roughSlope(name, direction);
  const place = worstPlace(gradient, slopeAlong, asked.seed);
  const unit = new Float64Array(gradient.length);
  unit[place] = 1;
  return worstAt(place, slopeAlong(unit));

  function worstAt(at: number, expected: number): WorstElement {
    return { name: elementName(name, shape, at), gradient: gradient[at] ?? NaN, expected };
  }
}
