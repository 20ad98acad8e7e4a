/**
 * Which tensors a person knows by name, for `--trace`: those that the model's own text assigns, and their cotangents. While they
 * are kept, no pass moves their formulas into others or gives their names to something else.
 */
import type { Program } from '../graph/types.ts';

/** The intermediates of a program that a statement of the text gives their name. */
export function namedTensors({ tensors }: Program, text: string): string[] {
  const assigned = new Set(
    [
      ...text.matchAll(
        /^[ \t]*(?:(?:output|metric|checkpoint) +)?([A-Za-z_]\w*)[ \t]*(?:\[[^\]\n]*(?:\[[^\]\n]*\][^\]\n]*)*\])?[ \t]*(?:[+*]|max|min|logsumexp)?=(?!=)/gm,
      ),
    ].map(([, name = '']) => name),
  );
  return [...tensors.values()].flatMap(({ name, role, element }) =>
    role === 'intermediate' && element !== 'integer' && assigned.has(name) ? [name] : [],
  );
}

/** Their cotangents, as `differentiate` calls them; a parameter's is its gradient. */
export function cotangentsOf(names: readonly string[], { tensors, gradients }: Program): string[] {
  const ofParameters = new Set(gradients.values());
  return names
    .map((name) => `d${name}`)
    .filter((name) => tensors.get(name)?.role === 'intermediate' && !ofParameters.has(name));
}

/** The program with these among the outputs, which every pass leaves as they are. */
export function keeping(program: Program, names: readonly string[]): Program {
  return names.length === 0 ? program : { ...program, outputs: [...new Set([...program.outputs, ...names])] };
}
