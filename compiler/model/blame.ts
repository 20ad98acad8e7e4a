/** What goes wrong inside a definition of the library is due to how it was called: that is the place to show. */
import type { Note } from '../diagnostics/diagnostic.ts';
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import { textOf } from '../diagnostics/source.ts';
import type { Span } from '../diagnostics/source.ts';
import type { Call } from '../syntax/tree.ts';
import type { Calling } from './elaboration.ts';
import type { Scope } from './scope.ts';

export interface Report {
  readonly code: DiagnosticCode;
  readonly span: Span;
  readonly message: string;
  readonly notes: readonly Note[];
  readonly hint: string | undefined;
}

/** The call by which a file of the user entered the library; undefined outside of it. */
export function callOfLibrary(span: Span, calling: readonly Calling[]): Calling | undefined {
  if (!span.source.library) return undefined;
  const entered = calling.find(({ definition }) => definition.span.source.library);
  return entered?.call.span.source.library ? undefined : entered;
}

/**
 * The report at the argument that is wrong, if it is one alone: `0` in `dense(0)`, where the library says `W[i, units]`. Else
 * at the call.
 */
export function atCaller(report: Report, entered: Calling, calling: readonly Calling[]): Report {
  const { code, span, message, notes } = report;
  const { call, definition } = entered;
  const text = textOf(span);
  const [name = '', ...others] = namesIn(text);
  const argument = others.length === 0 ? argumentFor(name, entered, calling) : undefined;
  const what = `\`${definition.name.text}\``;
  return {
    code,
    span: argument ?? { ...call.span, start: call.callee.span.start },
    message: argument && name === text ? message : `in ${what} ${message}`,
    notes: [{ span, message: `here, in the library${knownNumbers(text, calling.at(-1)?.inner)}` }, ...notes],
    hint:
      code === 'E303'
        ? `give ${what} ${argument ? 'another number' : `arguments for which \`${text}\` is a positive whole number`}`
        : report.hint,
  };
}

/** Where the user wrote the value of the innermost parameter of this name, if it is the only one that counts. */
function argumentFor(name: string, entered: Calling, calling: readonly Calling[]): Span | undefined {
  let wanted = name;
  for (const each of calling.slice(calling.indexOf(entered)).toReversed()) {
    const value = valueOf(behindDim(wanted, each), each);
    if (value === undefined) return undefined;
    if (each === entered) return value.span;
    if (value.kind !== 'reference') return undefined;
    wanted = value.name.text;
  }
  return undefined;
}

/** The one name that a dim of the layer is made of: `units` for `gates` with `dim gates = 4 * units`. */
function behindDim(name: string, { definition }: Calling): string {
  const items = definition.kind === 'layer' ? definition.items : [];
  const dim = items.find((item) => item.kind === 'dim' && item.name.text === name);
  const [behind = name, ...others] = dim?.kind === 'dim' ? namesIn(textOf(dim.value.span)) : [];
  return others.length === 0 ? behind : name;
}

function valueOf(
  name: string,
  { call, definition }: Calling,
): Call['arguments'][number]['value'] | undefined {
  const place = definition.parameters.findIndex((parameter) => parameter.name.text === name);
  if (place < 0) return undefined;
  const given = call.arguments.find((argument) => argument.name?.text === name) ?? call.arguments[place];
  return given?.name && given.name.text !== name ? undefined : given?.value;
}

/** The numbers that stand behind the names in a formula of a layer: `, where \`c\` is 3 and \`groups\` is 2`. */
export function knownNumbers(text: string, inner: Scope | undefined): string {
  const known = namesIn(text).flatMap((name) => {
    const entry = inner?.own(name);
    const value =
      entry?.kind === 'size'
        ? entry.extent
        : entry?.kind === 'value' && entry.value.kind === 'value'
          ? entry.value.constant
          : undefined;
    return value === undefined || name === text ? [] : [`\`${name}\` is ${value}`];
  });
  if (known.length === 0) return '';
  const last = known.pop();
  return `, where ${known.length > 0 ? `${known.join(', ')} and ` : ''}${last}`;
}

const namesIn = (text: string): string[] => [...new Set(text.match(/[A-Za-z_]\w*/g) ?? [])];
