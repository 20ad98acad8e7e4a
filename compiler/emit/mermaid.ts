/** @file The graph of a program as a Mermaid flowchart. */
import type { Program } from '../graph/types.ts';
import { pictureOf, type PictureNode } from './picture.ts';

/** Inputs are slanted, parameters are cylinders, results are rounded; the backward pass has a frame of its own. */
export function emitMermaid(program: Program): string {
  const { nodes, edges } = pictureOf(program);
  const backward = nodes.filter((node) => node.phase === 'backward');
  const lines = [
    'flowchart LR',
    ...nodes.filter((node) => node.phase !== 'backward').map((node) => `  ${nodeText(node)}`),
    ...(backward.length === 0
      ? []
      : ['  subgraph backward', ...backward.map((node) => `    ${nodeText(node)}`), '  end']),
    ...edges.map(({ from, to }) => `  ${from} --> ${to}`),
  ];
  return `${lines.join('\n')}\n`;
}

function nodeText(node: PictureNode): string {
  const label = `"${escape(node.formula === '' ? node.title : `${node.title}<br/>${node.formula}`)}"`;
  if (node.tensor.role === 'input') return `${node.id}[/${label}/]`;
  if (node.tensor.role === 'parameter') return `${node.id}[(${label})]`;
  return node.isResult ? `${node.id}(${label})` : `${node.id}[${label}]`;
}

/** Mermaid's entities; the line break is ours. */
function escape(text: string): string {
  return text
    .split('<br/>')
    .map((line) =>
      line.replaceAll('&', '#amp;').replaceAll('"', '#quot;').replaceAll('<', '#lt;').replaceAll('>', '#gt;'),
    )
    .join('<br/>');
}
