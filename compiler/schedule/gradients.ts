/** Every trained parameter's gradient as a tensor of its own, so that gradients can lie side by side like parameters. */
import { freshName, read } from '../graph/expressions.ts';
import { pinned } from '../graph/results.ts';
import type { LoopIndex, Program, Statement, Tensor } from '../graph/types.ts';

/**
 * A gradient that is no intermediate (the input x, for loss = sum(b * x)), or that belongs to two parameters, or that is
 * also an output, is copied. Parameters and gradients are of the element type of their pools, also those of rank 0.
 */
export function ownGradients(program: Program): Program {
  const tensors = new Map(program.tensors);
  const statements = [...program.statements];
  const gradients = new Map<string, string>();
  const taken = pinned({ ...program, gradients: new Map() });
  for (const [parameter, gradient] of program.gradients) {
    const tensor = tensors.get(gradient);
    if (!tensor) throw new Error(`the gradient '${gradient}' is not declared`);
    let own = gradient;
    if (taken.has(gradient) || tensor.role !== 'intermediate') {
      own = freshName(`d${parameter}`, tensors);
      statements.push(copy(tensor, own, statements));
    }
    taken.add(own);
    gradients.set(parameter, own);
    const { initializer: _initializer, range: _range, ...plain } = tensor;
    tensors.set(own, { ...plain, name: own, role: 'intermediate', element: 'real' });
  }
  for (const [name, tensor] of tensors)
    if (tensor.role === 'parameter') tensors.set(name, { ...tensor, element: 'real' });
  return { ...program, tensors, statements, gradients };
}

function copy(tensor: Tensor, target: string, statements: readonly Statement[]): Statement {
  const indices = tensor.axes.map((extent, axis): LoopIndex => ({ name: `i${axis + 1}`, extent }));
  const at = indices.map(({ name }) => ({
    terms: [{ coefficient: 1, atom: { kind: 'index' as const, name } }],
    constant: 0,
  }));
  const origin = statements.find((statement) => statement.target === tensor.name)?.origin;
  return {
    target,
    indices,
    write: at,
    combine: 'assign',
    body: read(tensor.name, at),
    phase: 'backward',
    origin: { span: tensor.span, calls: [], ...origin, history: [...(origin?.history ?? []), 'copied'] },
  };
}
