/** @file A picture as SVG that stands inside of a page: its colours are the page's, its nodes are links. */
import { curveBasis, line } from 'd3-shape';
import { layOut, valueHeight, type PlacedEdge, type PlacedNode, type Point } from './layout.ts';
import { attribute, escape } from './markup.ts';
import type { Picture } from './types.ts';

/** Values go on one side of an edge, cotangents come back on the other: in pixels from the middle. */
const APART = 4;

const curve = line<Point>()
  .x(({ x }) => round(x))
  .y(({ y }) => round(y))
  .curve(curveBasis);

/** @param id tells the markers of several pictures of one page apart */
export async function drawPicture(picture: Picture, id: string, title: string): Promise<string> {
  const { width, height, nodes, edges } = await layOut(picture);
  return [
    `<svg class="picture" role="img" aria-label="${attribute(title)}" width="${round(width)}" height="${round(height)}" viewBox="0 0 ${round(width)} ${round(height)}">`,
    `<defs>${marker(`${id}-value`, 'value')}${marker(`${id}-cotangent`, 'cotangent')}</defs>`,
    ...edges.map((edge) => drawEdge(edge, id)),
    ...nodes.map(drawNode),
    '</svg>',
  ].join('\n');
}

function marker(id: string, kind: string): string {
  return `<marker id="${id}" class="${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.5 8 4 0 7.5z"/></marker>`;
}

function drawEdge({ edge, points }: PlacedEdge, id: string): string {
  const path = (kind: string, along: readonly Point[]): string =>
    `<path class="edge ${kind}" d="${curve(along) ?? ''}" marker-end="url(#${id}-${kind})"/>`;
  return edge.returns
    ? path('value', besides(points, APART)) + path('cotangent', besides(points, -APART).toReversed())
    : path('value', points);
}

/** The line, moved to its left as it goes, or to its right. */
function besides(points: readonly Point[], by: number): Point[] {
  return points.map(({ x, y }, k) => {
    const [before, after] = [points[k - 1] ?? { x, y }, points[k + 1] ?? { x, y }];
    const [along, down] = [after.x - before.x, after.y - before.y];
    const length = Math.hypot(along, down);
    return length === 0 ? { x, y } : { x: x - (by * down) / length, y: y + (by * along) / length };
  });
}

function drawNode({ node, x, y, width, height }: PlacedNode): string {
  const top = valueHeight(node);
  const middle = round(x + width / 2);
  const kind = node.isLoss ? `${node.kind} loss` : node.kind;
  const frame = (className: string, from: number, size: number): string =>
    `<rect class="${className}" x="${round(x)}" y="${round(from)}" width="${round(width)}" height="${round(size)}" rx="6"/>`;
  const text = (className: string, words: string, at: number): string =>
    `<text class="${className}" x="${middle}" y="${round(at)}">${escape(words)}</text>`;
  const value =
    frame(`node ${kind}`, y, top) +
    text('name', node.title, y + 18) +
    (node.detail === '' ? '' : text('detail', node.detail, y + 34));
  const link = (to: string | undefined, inside: string, label: string): string =>
    to === undefined ? inside : `<a href="#${to}" aria-label="${attribute(label)}">${inside}</a>`;
  const { cotangent } = node;
  const below =
    cotangent === undefined
      ? ''
      : link(
          cotangent.leadsTo,
          frame('node back', y + top, height - top) + text('name', cotangent.name, y + top + 15),
          `the gradient ${cotangent.name}`,
        );
  return link(node.leadsTo, value, node.title) + below;
}

const round = (value: number): number => Math.round(value * 10) / 10;
