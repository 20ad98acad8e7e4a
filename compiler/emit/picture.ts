/** @file What the pictures of a program show: a node for each tensor, an edge for each read of one by another. */
import { tensorsReadBy } from '../graph/expressions.ts';
import { printStatement } from '../graph/print.ts';
import { evaluationResults, nextValues, trainingResults } from '../graph/results.ts';
import type { Phase, Program, Tensor } from '../graph/types.ts';

export interface PictureNode {
  /** An identifier that every picture language takes. */
  readonly id: string;
  readonly tensor: Tensor;
  /** The phase of the statement that computes it; absent where it is given. */
  readonly phase?: Phase;
  /** The name with its axes: `h[n, 128]`. */
  readonly title: string;
  /** The statement, on one line; '' where it is given. */
  readonly formula: string;
  readonly isResult: boolean;
}

export interface Picture {
  readonly nodes: readonly PictureNode[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
}

/** Longer formulas are cut. */
const FORMULA_LIMIT = 80;

/** Nodes in the order of the program's tensors, then edges in the order of its statements. */
export function pictureOf(program: Program): Picture {
  const statements = new Map(program.statements.map((statement) => [statement.target, statement]));
  const results = new Set([
    ...program.outputs,
    ...trainingResults(program),
    ...evaluationResults(program),
    ...nextValues(program).values(),
  ]);
  const ids = new Map([...program.tensors.keys()].map((name, k) => [name, `t${k}`]));
  const nodes = [...program.tensors.values()].map((tensor): PictureNode => {
    const statement = statements.get(tensor.name);
    const formula = statement === undefined ? '' : printStatement(statement, program);
    return {
      id: ids.get(tensor.name)!,
      tensor,
      title: tensor.axes.length === 0 ? tensor.name : `${tensor.name}[${tensor.axes.join(', ')}]`,
      formula: formula.length > FORMULA_LIMIT ? `${formula.slice(0, FORMULA_LIMIT)} ...` : formula,
      isResult: results.has(tensor.name),
      ...(statement === undefined ? {} : { phase: statement.phase }),
    };
  });
  const edges = program.statements.flatMap((statement) =>
    [...tensorsReadBy(statement)].map((read) => ({ from: ids.get(read)!, to: ids.get(statement.target)! })),
  );
  return { nodes, edges };
}
