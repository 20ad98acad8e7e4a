/** What runs in which order and what is alive when: all of a schedule but its loops. */
import { evaluationResults, nextValues, pinned, trainingResults } from '../graph/results.ts';
import type { Program, Tensor } from '../graph/types.ts';
import { aliasesOf } from './aliases.ts';
import { nothing } from './choices.ts';
import type { Without } from './choices.ts';
import { ownGradients } from './gradients.ts';
import { groupStatements, partsOf } from './groups.ts';
import type { Group, Part } from './groups.ts';
import { relation, timelineOf } from './lifetimes.ts';
import type { Relation, Timeline } from './lifetimes.ts';
import { fuseRows } from './row-loops.ts';
import { softmaxGroups } from './softmax.ts';
import { storeOneStep } from './steps.ts';
import { unrolledGroups } from './unrollable.ts';
import { pairWindows } from './windows.ts';

export interface Layout {
  /** With a tensor for every gradient. */
  readonly program: Program;
  readonly groups: readonly Group[];
  /** The groups of the lists, one list after the other. */
  readonly listed: (...parts: readonly Part[]) => readonly Group[];
  /** Tensor -> the one whose memory it is. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Tensors that others than statements read, and those with another name. */
  readonly stored: ReadonlySet<string>;
  /** Of training (forward, then backward), evaluation, prediction. */
  readonly timelines: readonly Timeline[];
  /** How two tensors may lie. */
  readonly related: (a: Tensor, b: Tensor) => Relation;
}

/**
 * @param batch the run-time extent that is the batch
 * @param followed tensors that are stored, whoever reads them
 */
export function layOut(
  source: Program,
  without: Without = nothing,
  batch?: string,
  followed: readonly string[] = [],
): Layout {
  const owned = ownGradients(source);
  const kept = new Set([...pinned(owned), ...followed]);
  const parts = partsOf(owned, followed);
  const unrolled = without.has('unroll') ? undefined : unrolledGroups(parts, owned.tensors, batch);
  const separated = unrolled !== undefined || without.has('aliases');
  const aliases = separated ? new Map<string, string>() : aliasesOf(owned, kept);
  for (const statement of parts.keys()) if (aliases.has(statement.target)) parts.delete(statement);
  const stored = new Set([...kept, ...aliases.values()]);
  const inLoops = (): Group[] => {
    const given = without.has('softmax') ? undefined : softmaxGroups(parts, owned.tensors, stored);
    const separate = groupStatements(parts, owned.tensors, without, aliases, given);
    const paired = without.has('windows') ? separate : pairWindows(separate, owned.tensors);
    return without.has('rows') ? paired : fuseRows(paired, owned.tensors, stored);
  };
  const groups = unrolled ?? inLoops();
  const tensors = without.has('steps') ? owned.tensors : storeOneStep(groups, owned.tensors, stored);
  const program = tensors === owned.tensors ? owned : { ...owned, tensors };
  const listed = (...of: readonly Part[]): Group[] =>
    of.flatMap((part) => groups.filter((group) => group.parts.has(part)));
  const timeline = (list: readonly Group[], read: readonly string[]): Timeline =>
    timelineOf(list, new Set(read), tensors, aliases);
  const results = [...trainingResults(program), ...nextValues(program).values()];
  const timelines = [
    timeline(listed('forward', 'backward'), [...results, ...program.gradients.values()]),
    timeline(listed('evaluate'), evaluationResults(program)),
    timeline(listed('predict'), program.outputs),
  ];
  return { program, groups, listed, aliases, stored, timelines, related: relations(timelines, without) };
}

/** Which tensors may share a place, with the choices that are left out. */
function relations(timelines: readonly Timeline[], without: Without): Layout['related'] {
  if (without.has('workspace')) return () => 'apart';
  const apart = without.has('overwriting');
  return (a, b) => {
    const found = relation(a, b, timelines);
    return found === 'heir' && apart ? 'apart' : found;
  };
}
