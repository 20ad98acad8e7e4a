import { describe, expect, test } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { renderDiagnostics, toJson } from '../../compiler/diagnostics/render.ts';
import type { Source, Span } from '../../compiler/diagnostics/source.ts';

const source: Source = {
  path: 'digits.dsl',
  text: [
    'model Digits {',
    '  dim pixels = 784, hidden = 128',
    '  input x[n, pixels]',
    '\tparam W[hidden, hidden] ~ zeros',
    '  h[n, j] = relu(',
    '    sum[i](x[n, i] * W[i, j])',
    '    + 1',
    '  )',
    '}',
  ].join('\n'),
};

const spanOf = (part: string, from: Source = source): Span => {
  const start = from.text.indexOf(part);
  expect(start, part).toBeGreaterThanOrEqual(0);
  return { source: from, start, end: start + part.length };
};

const rendered = (report: (diagnostics: Diagnostics) => void, color = false): string => {
  const diagnostics = new Diagnostics();
  report(diagnostics);
  return renderDiagnostics(diagnostics.list, { color });
};

describe('in plain text', () => {
  test('nothing is said of nothing', () => expect(renderDiagnostics([], { color: false })).toBe(''));

  test('an error shows its place, its notes with theirs, and its hint', () => {
    const text = rendered((diagnostics) =>
      diagnostics.error('E301', spanOf('x[n, i]'), 'the sizes of `i` disagree', {
        notes: [
          { span: spanOf('pixels]'), message: '784 here' },
          { span: spanOf('hidden, hidden'), message: '128 here' },
        ],
        hint: 'transpose `W`',
      }),
    );
    expect(text).toBe(`error[E301]: the sizes of \`i\` disagree
 --> digits.dsl:6:12
  |
6 |     sum[i](x[n, i] * W[i, j])
  |            ^^^^^^^
note: 784 here
 --> digits.dsl:3:14
  |
3 |   input x[n, pixels]
  |              -------
note: 128 here
 --> digits.dsl:4:10
  |
4 |     param W[hidden, hidden] ~ zeros
  |             --------------
hint: transpose \`W\`

1 error
`);
  });

  test('diagnostics stand in the order of the text, file by file, and are counted', () => {
    const other: Source = { path: 'other.dsl', text: 'fn f(x) = y' };
    const text = rendered((diagnostics) => {
      diagnostics.warning('W701', spanOf('param'), 'second');
      diagnostics.error('E201', spanOf('y', other), 'third');
      diagnostics.error('E301', spanOf('dim'), 'first');
    });
    expect(text.match(/(?:first|second|third|^\d.*s?$)/gm)?.filter((line) => !line.includes('|'))).toEqual([
      'first',
      'second',
      'third',
      '2 errors, 1 warning',
    ]);
  });

  test('a span of several lines shows the first and the last', () => {
    expect(
      rendered((diagnostics) =>
        diagnostics.error(
          'E307',
          spanOf(source.text.slice(source.text.indexOf('relu('), source.text.indexOf('\n}'))),
          'long',
        ),
      ),
    ).toBe(`error[E307]: long
 --> digits.dsl:5:13
  |
5 |   h[n, j] = relu(
  |             ^^^^^
...
8 |   )
  |   ^

1 error
`);
    expect(rendered((diagnostics) => diagnostics.error('E307', spanOf('relu(\n    sum'), 'two')))
      .toBe(`error[E307]: two
 --> digits.dsl:5:13
  |
5 |   h[n, j] = relu(
  |             ^^^^^
6 |     sum[i](x[n, i] * W[i, j])
  |     ^^^

1 error
`);
  });

  test('an empty span is one mark, also at the end of the file', () => {
    const end = source.text.length;
    expect(
      rendered((diagnostics) => diagnostics.error('E102', { source, start: end, end }, 'end')),
    ).toContain('9 | }\n  |  ^\n');
    const empty = { path: 'empty.dsl', text: '' };
    expect(
      rendered((diagnostics) => diagnostics.error('E107', { source: empty, start: 0, end: 0 }, 'nothing')),
    ).toBe(`error[E107]: nothing
 --> empty.dsl:1:1
  |
1 |
  | ^

1 error
`);
  });

  test('the gutter is as wide as the largest line number', () => {
    const long: Source = { path: 'a.dsl', text: `${'\n'.repeat(99)}x = y` };
    expect(rendered((diagnostics) => diagnostics.error('E201', spanOf('y', long), 'far down')))
      .toBe(`error[E201]: far down
   --> a.dsl:100:5
    |
100 | x = y
    |     ^

1 error
`);
  });

  test('a long line is cut around the place', () => {
    const long: Source = { path: 'a.dsl', text: `${'a + '.repeat(100)}here${' + b'.repeat(100)}` };
    const lines = rendered((diagnostics) => diagnostics.error('E201', spanOf('here', long), 'cut')).split(
      '\n',
    );
    const [line = '', marks = ''] = lines.slice(3);
    expect(line.length).toBeLessThan(120);
    expect(line).toMatch(/^1 \| ….*here.*…$/);
    expect(line.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1)).toBe('here');
    const wide = rendered((diagnostics) =>
      diagnostics.error('E201', { source: long, start: 0, end: long.text.length }, 'all of it'),
    );
    for (const shown of wide.split('\n')) expect(shown.length).toBeLessThan(120);
  });

  test('tabs become spaces and the mark stays under its place', () => {
    const tabs: Source = { path: 'a.dsl', text: '\ta\t= \tb' };
    const lines = rendered((diagnostics) => diagnostics.error('E201', spanOf('b', tabs), 'tabs')).split('\n');
    expect(lines.slice(3, 5)).toEqual(['1 |     a   =   b', '  |             ^']);
  });

  test('windows line ends are not shown', () => {
    const windows: Source = { path: 'a.dsl', text: 'a = b\r\nc = d\r\n' };
    const text = rendered((diagnostics) => diagnostics.error('E201', spanOf('b', windows), 'cr'));
    expect(text).toContain('1 | a = b\n  |     ^\n');
  });

  test('nothing in a model can repaint the terminal', () => {
    const evil: Source = { path: 'a\u001B[2J.dsl', text: 'x \u001B[31m\u202E y' };
    const text = rendered((diagnostics) =>
      diagnostics.error('E101', spanOf('y', evil), 'found \u001B[31m', { hint: '\u001B\n' }),
    );
    for (const character of ['\u001B', '\u202E']) expect(text).not.toContain(character);
    expect(text).toContain('1 | x ·[31m· y\n  |          ^');
  });
});

const report = (diagnostics: Diagnostics): void => {
  diagnostics.error('E301', spanOf('pixels'), 'message', {
    notes: [{ span: spanOf('hidden'), message: 'note' }],
    hint: 'hint',
  });
  diagnostics.warning('W701', spanOf('relu(\n    sum'), 'warning');
};

test('in colour the text is the same', () => {
  const colored = rendered(report, true);
  expect(colored).toContain('\u001B[1;31merror[E301]\u001B[0m');
  expect(colored).toContain('\u001B[1;33mwarning[W701]\u001B[0m');
  // oxlint-disable-next-line no-control-regex
  expect(colored.replaceAll(/\u001B\[[\d;]*m/g, '')).toBe(rendered(report));
});

test('as plain objects', () => {
  const diagnostics = new Diagnostics();
  diagnostics.warning('W701', spanOf('relu(\n    sum'), 'second');
  diagnostics.error('E301', spanOf('pixels'), 'first', {
    notes: [{ span: spanOf('hidden'), message: 'note' }],
    hint: 'hint',
  });
  const data = toJson(diagnostics.list);
  expect(JSON.parse(JSON.stringify(data))).toEqual(data);
  expect(data).toEqual([
    {
      code: 'E301',
      severity: 'error',
      message: 'first',
      file: 'digits.dsl',
      line: 2,
      column: 7,
      endLine: 2,
      endColumn: 13,
      notes: [{ message: 'note', file: 'digits.dsl', line: 2, column: 21, endLine: 2, endColumn: 27 }],
      hint: 'hint',
    },
    {
      code: 'W701',
      severity: 'warning',
      message: 'second',
      file: 'digits.dsl',
      line: 5,
      column: 13,
      endLine: 6,
      endColumn: 8,
      notes: [],
    },
  ]);
});
