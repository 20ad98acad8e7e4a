/** @file The graph of a program in Graphviz's DOT language. */
import type { Program } from '../graph/types.ts';
import { pictureOf, type PictureNode } from './picture.ts';

/** Inputs are parallelograms, parameters cylinders, results ellipses; what the backward pass computes is dashed. */
export function emitDot(program: Program): string {
  const { nodes, edges } = pictureOf(program);
  const lines = [
    `digraph ${quoted(program.name)} {`,
    '  rankdir=LR;',
    '  node [shape=box, fontname="monospace"];',
    ...nodes.map((node) => `  ${node.id} [${attributes(node).join(', ')}];`),
    ...edges.map(({ from, to }) => `  ${from} -> ${to};`),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

function attributes(node: PictureNode): string[] {
  return [
    `label=${quoted(node.title)}`,
    ...(node.formula === '' ? [] : [`tooltip=${quoted(node.formula)}`]),
    ...(node.tensor.role === 'input' ? ['shape=parallelogram'] : []),
    ...(node.tensor.role === 'parameter' ? ['shape=cylinder'] : []),
    ...(node.isResult ? ['shape=ellipse'] : []),
    ...(node.phase === 'backward' ? ['style=dashed'] : []),
  ];
}

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
