/** Models written in the language, and what the passes make of them as lines of the language. */
import { differentiate } from '../../compiler/calculus/index.ts';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { printStatement } from '../../compiler/graph/print.ts';
import type { Program } from '../../compiler/graph/types.ts';
import { elaborate } from '../../compiler/model/index.ts';
import { preludeSources } from '../../compiler/prelude/index.ts';
import { optimise, prepare } from '../../compiler/rewrite/index.ts';
import { parse } from '../../compiler/syntax/index.ts';
import type { SyntaxFile } from '../../compiler/syntax/tree.ts';

let prelude: readonly SyntaxFile[] | undefined;

/** The forward program of the statements of a model. Throws on every error of the text. */
export function programOf(statements: string): Program {
  prelude ??= preludeSources().map((source) => parse(source, new Diagnostics()));
  const source = { path: 'model.dsl', text: `model Tested {\n${statements}\n}\n` };
  const diagnostics = new Diagnostics();
  const [model] = elaborate(parse(source, diagnostics), { imports: new Map(), prelude }, diagnostics);
  const errors = diagnostics.list.filter(({ severity }) => severity === 'error');
  if (model === undefined || errors.length > 0)
    throw new Error(errors.map(({ message }) => message).join('\n'));
  return model.program;
}

/** The whole way: prepared, differentiated, optimised. */
export function trained(statements: string): Program {
  const diagnostics = new Diagnostics();
  const program = differentiate(prepare(programOf(statements)), diagnostics);
  if (diagnostics.hasErrors) throw new Error(diagnostics.list.map(({ message }) => message).join('\n'));
  return optimise(program);
}

/** Every statement, or those of one phase, as the language writes it. */
export function lines(program: Program, phase?: 'forward' | 'backward'): string[] {
  return program.statements
    .filter((statement) => phase === undefined || statement.phase === phase)
    .map((statement) => printStatement(statement, program));
}

/** The line that defines a tensor. */
export function line(program: Program, target: string): string {
  const statement = program.statements.find((each) => each.target === target);
  if (statement === undefined)
    throw new Error(`${target} is not defined; there are:\n${lines(program).join('\n')}`);
  return printStatement(statement, program);
}
