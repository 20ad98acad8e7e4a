/** @file Where the nodes of a picture stand: layers from the data at the top to the loss at the bottom, by dagre. */
import type { Picture, PictureEdge, PictureNode } from './types.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface PlacedNode {
  readonly node: PictureNode;
  /** Its upper left corner, in pixels. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  readonly edge: PictureEdge;
  /** From the one that is read to the one that reads. */
  readonly points: readonly Point[];
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

/** Of a monospaced letter of 12 pixels. */
const LETTER = 7.3;
const LINE = 17;
const PADDING = 9;
const MARGIN = 8;

/** The upper part of a node; the lower one is its cotangent. */
export function valueHeight({ detail }: PictureNode): number {
  return PADDING + LINE * (detail === '' ? 1 : 2) + PADDING / 2;
}

export async function layOut({ nodes, edges }: Picture): Promise<Layout> {
  const { Graph, layout } = await import('@dagrejs/dagre');
  const graph = new Graph<object, Placed, { points?: Point[] }>();
  graph.setGraph({ rankdir: 'TB', nodesep: 16, ranksep: 34, edgesep: 12, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) {
    const longest = Math.max(node.title.length, node.detail.length * 0.9, node.cotangent?.name.length ?? 0);
    const height = valueHeight(node) + (node.cotangent === undefined ? 0 : LINE + PADDING / 2);
    graph.setNode(node.name, { width: Math.ceil(longest * LETTER) + 2 * PADDING, height, x: 0, y: 0 });
  }
  for (const { from, to } of edges) graph.setEdge(from, to, {});
  layout(graph);
  const placed = nodes.map((node): PlacedNode => {
    const { x, y, width, height } = graph.node(node.name);
    return { node, x: x - width / 2, y: y - height / 2, width, height };
  });
  const drawn = edges.map((edge) => ({ edge, points: pointsOf(graph.edge(edge.from, edge.to)) }));
  // an edge may go around everything
  const all = drawn.flatMap(({ points }) => points.map(({ x }) => x));
  const left = MARGIN - Math.min(...placed.map(({ x }) => x), ...all);
  const right = Math.max(0, ...placed.map(({ x, width }) => x + width), ...all);
  return {
    width: left + right + MARGIN,
    height: MARGIN + Math.max(0, ...placed.map(({ y, height }) => y + height)),
    nodes: placed.map((each) => ({ ...each, x: each.x + left })),
    edges: drawn.map(({ edge, points }) => ({
      edge,
      points: points.map(({ x, y }) => ({ x: x + left, y })),
    })),
  };
}

function pointsOf({ points = [] }: { readonly points?: readonly Point[] }): readonly Point[] {
  return points;
}

interface Placed {
  readonly width: number;
  readonly height: number;
  readonly x: number;
  readonly y: number;
}
