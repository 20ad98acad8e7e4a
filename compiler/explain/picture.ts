/** @file What the picture shows: values on their way to the loss, and their cotangents on the way back. */
import { neededFor } from '../graph/builder.ts';
import { tensorsReadBy } from '../graph/expressions.ts';
import type { Program, Statement, Tensor } from '../graph/types.ts';
import type { Group, Picture, PictureEdge, PictureNode } from './types.ts';

/** A picture of more nodes is one of the lines of the model. */
const MOST_NODES = 24;

/** What a picture is drawn from. */
export interface Drawn {
  /** What was differentiated. */
  readonly program: Program;
  readonly cotangents: ReadonlyMap<string, string>;
  readonly anchors: ReadonlyMap<string, string>;
  /** Target -> the id of its group. */
  readonly groupOf: ReadonlyMap<string, string>;
}

/** The statements on the way to the loss or, in a model without one, to the outputs. */
function shownStatements(program: Program): Statement[] {
  const roots = program.loss === undefined ? program.outputs : [program.loss];
  const needed = neededFor(program.statements, roots);
  return program.statements.filter(({ target }) => needed.has(target));
}

export function isSmall({ program }: Drawn): boolean {
  const statements = shownStatements(program);
  return namesIn(statements).size <= MOST_NODES;
}

/** The whole model, statement by statement. */
export function pictureOfStatements(drawn: Drawn): Picture {
  return draw(shownStatements(drawn.program), drawn);
}

/** The statements of one line, with what they read from elsewhere. */
export function pictureOfGroup(targets: ReadonlySet<string>, drawn: Drawn): Picture | undefined {
  const own = shownStatements(drawn.program).filter(({ target }) => targets.has(target));
  return own.length < 2 ? undefined : draw(own, drawn);
}

/** The model line by line; parameters are counted in the lines that own them. */
export function pictureOfGroups(groups: readonly Pick<Group, 'id' | 'place'>[], drawn: Drawn): Picture {
  const { program, cotangents, anchors, groupOf } = drawn;
  const statements = shownStatements(program);
  const nodes = new Map<string, PictureNode>();
  const edges = new Map<string, PictureEdge>();
  for (const { id, place } of groups) {
    const own = statements.filter(({ target }) => groupOf.get(target) === id);
    const last = own.at(-1);
    if (last === undefined) continue;
    const parameters = new Set(
      own.flatMap((statement) =>
        [...tensorsReadBy(statement)].filter((name) => roleOf(name, program) === 'parameter'),
      ),
    );
    const count = [...parameters].reduce((sum, name) => sum + sizeOf(program.tensors.get(name)), 0);
    const cotangent = cotangents.get(last.target);
    nodes.set(id, {
      name: id,
      kind: 'group',
      title: `${last.target}${shapeOf(program.tensors.get(last.target))}`,
      detail:
        count === 0 ? `line ${place.line}` : `line ${place.line}, ${count.toLocaleString('en')} weights`,
      leadsTo: id,
      isLoss: last.target === program.loss,
      ...(cotangent === undefined
        ? {}
        : { cotangent: { name: cotangent, leadsTo: anchors.get(cotangent) ?? id } }),
    });
  }
  for (const statement of statements) {
    const to = groupOf.get(statement.target) ?? '';
    for (const name of tensorsReadBy(statement)) {
      const role = roleOf(name, program);
      if (role === 'parameter') continue;
      const from = groupOf.get(name) ?? name;
      if (from === to) continue;
      if (!nodes.has(from)) nodes.set(from, nodeOf(name, drawn));
      const key = `${from} ${to}`;
      const returns = cotangents.has(name) && isActive(statement, drawn);
      edges.set(key, { from, to, returns: returns || (edges.get(key)?.returns ?? false) });
    }
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

function draw(statements: readonly Statement[], drawn: Drawn): Picture {
  const { cotangents } = drawn;
  const nodes = [...namesIn(statements)].map((name) => nodeOf(name, drawn));
  const edges = statements.flatMap((statement) =>
    [...tensorsReadBy(statement)].map((from) => ({
      from,
      to: statement.target,
      returns: cotangents.has(from) && isActive(statement, drawn),
    })),
  );
  // a recurrence reads its own past: that is no edge of the layout
  return { nodes, edges: edges.filter(({ from, to }) => from !== to) };
}

function isActive({ target }: Statement, { program, cotangents }: Drawn): boolean {
  return target === program.loss || cotangents.has(target);
}

function namesIn(statements: readonly Statement[]): Set<string> {
  return new Set(statements.flatMap((statement) => [...tensorsReadBy(statement), statement.target]));
}

function nodeOf(name: string, { program, cotangents, anchors }: Drawn): PictureNode {
  const tensor = program.tensors.get(name);
  const role = roleOf(name, program);
  const cotangent = cotangents.get(name);
  const leadsTo = anchors.get(name);
  const words = { input: 'input', random: 'drawn anew', state: 'state', scalar: 'set by the step' };
  return {
    name,
    kind: role === 'intermediate' ? 'value' : role === 'parameter' ? 'parameter' : 'given',
    title: `${name}${shapeOf(tensor)}`,
    detail: role === 'intermediate' ? '' : role === 'parameter' ? 'parameter' : words[role],
    isLoss: name === program.loss,
    ...(leadsTo === undefined ? {} : { leadsTo }),
    ...(cotangent === undefined
      ? {}
      : { cotangent: { name: cotangent, leadsTo: anchors.get(cotangent) ?? leadsTo ?? '' } }),
  };
}

function roleOf(name: string, program: Program): Tensor['role'] {
  return program.tensors.get(name)?.role ?? 'intermediate';
}

function shapeOf(tensor: Tensor | undefined): string {
  return tensor === undefined || tensor.axes.length === 0 ? '' : `[${tensor.axes.join(', ')}]`;
}

export function sizeOf(tensor: Tensor | undefined): number {
  return (tensor?.axes ?? []).reduce<number>((size, axis) => size * (typeof axis === 'number' ? axis : 1), 1);
}
