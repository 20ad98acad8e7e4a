/** The entries of a `train` block: which there are, and their values checked. */
import type { Diagnostics } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/source.ts';
import type { Name, SyntaxExpression, TrainDeclaration, TrainEntry } from '../../syntax/tree.ts';
import type { Clip } from '../types.ts';
import { knownNames } from './hints.ts';

export interface EntriesContext {
  /** The value of a compile-time constant expression; reports what is wrong with another and gives undefined. */
  readonly evaluate: (expression: SyntaxExpression) => number | undefined;
  readonly diagnostics: Diagnostics;
}

/** An optimizer and the parameters it is for; no targets: all that no other entry names. */
export interface OptimizerEntry {
  readonly targets?: readonly Name[];
  readonly value: SyntaxExpression;
  readonly span: Span;
}

export interface Entries {
  readonly optimizers: readonly OptimizerEntry[];
  readonly batch?: number;
  readonly epochs: number;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly clip?: Clip;
}

/** The numeric entries: what they may be, in words and as a test. */
const numbers: Readonly<
  Record<string, { readonly must: string; readonly test: (value: number) => boolean }>
> = {
  batch: { must: 'a whole number of rows, 1 or more', test: isPositiveInteger },
  epochs: { must: 'a whole number, 1 or more', test: isPositiveInteger },
  seed: {
    must: 'a whole number from 0 to 4294967295',
    test: (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32,
  },
  shuffle: { must: '`true` or `false`', test: (value) => value === 0 || value === 1 },
  clip_norm: { must: 'greater than 0', test: (value) => value > 0 },
  clip_value: { must: 'greater than 0', test: (value) => value > 0 },
};

const known = ['optimizer', ...Object.keys(numbers), 'freeze'];

function isPositiveInteger(value: number): boolean {
  return Number.isInteger(value) && value >= 1;
}

/** Reports E502 (unknown entry), E202 (given twice), E501 (bad value), E205 (targets where there can be none). */
export function readEntries(declaration: TrainDeclaration, context: EntriesContext): Entries {
  const { diagnostics } = context;
  const optimizers: OptimizerEntry[] = [];
  const values = new Map<string, number>();
  const first = new Map<string, Span>();

  for (const entry of declaration.entries) {
    const name = entry.name.text;
    if (!known.includes(name)) {
      diagnostics.error(
        'E502',
        entry.name.span,
        `there is no training entry \`${name}\``,
        knownNames(name, known),
      );
      continue;
    }
    if (name === 'optimizer') {
      optimizers.push(entry);
      if (entry.targets !== undefined) continue;
    } else if (entry.targets !== undefined) {
      diagnostics.error('E205', entry.name.span, `\`${name}\` is for the whole training and takes no names`);
    }
    const before = first.get(name);
    if (before !== undefined) {
      diagnostics.error('E202', entry.name.span, `\`${name}\` is given twice`, {
        notes: [{ span: before, message: 'first here' }],
      });
      if (name === 'optimizer') optimizers.pop();
      continue;
    }
    first.set(name, entry.name.span);
    const value = Object.hasOwn(numbers, name) ? numberOf(entry, context) : undefined;
    if (value !== undefined) values.set(name, value);
  }

  const both = values.has('clip_norm') ? first.get('clip_value') : undefined;
  if (both !== undefined) {
    diagnostics.error('E501', both, '`clip_norm` and `clip_value` cannot both be given', {
      hint: '`clip_norm` scales the whole gradient, `clip_value` cuts each element: choose one',
    });
  }
  const batch = values.get('batch');
  const clip = clipOf(values);
  return {
    optimizers,
    ...(batch === undefined ? {} : { batch }),
    epochs: values.get('epochs') ?? 1,
    seed: values.get('seed') ?? 0,
    shuffle: values.get('shuffle') !== 0,
    ...(clip === undefined ? {} : { clip }),
  };
}

function clipOf(values: ReadonlyMap<string, number>): Clip | undefined {
  const norm = values.get('clip_norm');
  if (norm !== undefined) return { kind: 'global_norm', limit: norm };
  const limit = values.get('clip_value');
  return limit === undefined ? undefined : { kind: 'value', limit };
}

function numberOf(entry: TrainEntry, { evaluate, diagnostics }: EntriesContext): number | undefined {
  const rule = numbers[entry.name.text];
  const value = evaluate(entry.value);
  if (rule === undefined || value === undefined) return undefined;
  if (rule.test(value)) return value;
  diagnostics.error('E501', entry.value.span, `\`${entry.name.text}\` must be ${rule.must}, found ${value}`);
  return undefined;
}

/** The names in `W1`, `"enc_*"` or a list of such. Reports E308 for anything else. */
export function namesIn(expression: SyntaxExpression, diagnostics: Diagnostics): Name[] {
  switch (expression.kind) {
    case 'list':
      return expression.items.flatMap((item) => namesIn(item, diagnostics));
    case 'reference':
      return [expression.name];
    case 'string':
      return [{ text: expression.value, span: expression.span }];
    case 'error':
      return [];
    default:
      diagnostics.error('E308', expression.span, 'expected the name of a parameter or a pattern', {
        hint: '`freeze: [W1, b1, "encoder_*"]`',
      });
      return [];
  }
}
