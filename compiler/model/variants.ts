/** The two elaborations of a model that asks for `training`, as one program. */
import type { Diagnostics } from '../diagnostics/diagnostic.ts';
import type { Program, Tensor } from '../graph/types.ts';
import { mergeVariants } from '../graph/variants.ts';
import type { Call } from '../syntax/tree.ts';
import type { Elaboration } from './elaboration.ts';
import { shapeText } from './values.ts';

/** What has been elaborated, without what could not be made. */
export function programOf({ builder, unmade, edits }: Elaboration): Program {
  const built = builder.build();
  const program = edits.length === 0 ? built : { ...built, edits };
  if (unmade.size === 0) return program;
  return { ...program, tensors: new Map([...program.tensors].filter(([name]) => !unmade.has(name))) };
}

/** Reports what must be equal in both modes and is not: E307, and E202 for tensors made by different layer calls. */
export function mergeElaborated(made: Program, training: Elaboration, inference: Elaboration): Program {
  const { program, conflicts } = mergeVariants(made, programOf(inference));
  for (const [trained, inferred] of conflicts) reportConflict(trained, inferred, training);
  for (const [name, calls] of inference.callsOf) {
    const others = training.callsOf.get(name);
    const [call] = calls;
    if (call === undefined || others === undefined || isSame(calls, others)) continue;
    training.error(
      'E202',
      call.callee.span,
      `\`${name}\` is made by one call in training and by another in inference`,
      {
        notes: others
          .slice(0, 1)
          .map(({ callee }) => ({ span: callee.span, message: 'in training by this one' })),
        hint: 'call the layer once, in a statement of its own, and use its result in both branches',
      },
    );
  }
  return program;
}

const isSame = (left: readonly Call[], right: readonly Call[]): boolean =>
  left.length === right.length && left.every((call, place) => call === right[place]);

function reportConflict(trained: Tensor, inferred: Tensor, elaboration: Elaboration): void {
  const { name, role, span } = trained;
  const [first, second] = [trained, inferred].map(({ axes }) =>
    shapeText(axes.map((extent) => ({ extent }))),
  );
  const differs =
    first === second
      ? 'differs between training and inference'
      : `is ${first} in training, but ${second} in inference`;
  elaboration.error('E307', span, `the ${role} \`${name}\` ${differs}`, {
    hint: 'what is kept or given must not depend on `training`; only statements may',
  });
}

/** Adds what the second elaboration has found and the first has not. */
export function addNew(found: Diagnostics, to: Diagnostics): void {
  const key = ({ code, span, message }: Diagnostics['list'][number]): string =>
    [code, span.source.path, span.start, span.end, message].join(' ');
  const known = new Set(to.list.map(key));
  to.list.push(...found.list.filter((diagnostic) => !known.has(key(diagnostic))));
}
