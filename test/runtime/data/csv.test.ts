import * as fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { DataError, readCsv, streamCsv, type CsvOptions } from 'chainrule/data';

const flowers = `sepal_length,sepal_width,petals,species
5.1,3.5,5,setosa
4.9,-3e-1,6,virginica
6,.25,5,setosa
`;

describe('a table', () => {
  it('gives columns side by side, words as numbers with their table', () => {
    const { data, ...table } = readCsv(flowers, {
      reals: { x: ['sepal_width', 'sepal_length'] },
      integers: { petals: 'petals' },
      categories: { species: 'species' },
    });
    expect(data).toEqual({
      x: Float32Array.of(3.5, 5.1, -0.3, 4.9, 0.25, 6),
      petals: Int32Array.of(5, 6, 5),
      species: Int32Array.of(0, 1, 0),
    });
    expect(table).toEqual({
      rows: 3,
      header: ['sepal_length', 'sepal_width', 'petals', 'species'],
      tables: { species: ['setosa', 'virginica'] },
      missing: [],
      missingCount: 0,
    });
    expectTypeOf(data.x).toEqualTypeOf<Float32Array>();
    expectTypeOf(data.species).toEqualTypeOf<Int32Array>();
  });

  it('gives float64 where it is asked to', () => {
    const { data } = readCsv(flowers, { reals: { x: 'sepal_length' }, dtype: 'f64' });
    expect(data.x).toEqual(Float64Array.of(5.1, 4.9, 6));
    expectTypeOf(data.x).toEqualTypeOf<Float64Array>();
  });

  it('gives float64 what float32 has no room for', () => {
    const { data } = readCsv('a\n1e300\n', { reals: { a: 'a' }, dtype: 'f64' });
    expect([...data.a]).toEqual([1e300]);
  });

  it('takes all columns that a pattern matches, in their order', () => {
    const { data } = readCsv(flowers, { reals: { x: /^sepal/ } });
    expect([...data.x]).toEqual([...Float32Array.of(5.1, 3.5, 4.9, -0.3, 6, 0.25)]);
  });

  it('numbers words by a table from elsewhere, so that test and training agree', () => {
    const table = ['virginica', 'versicolor', 'setosa'];
    const { data, tables } = readCsv(flowers, { categories: { species: { column: 'species', table } } });
    expect([...data.species]).toEqual([2, 0, 2]);
    expect(tables.species).toEqual(table);
  });

  it('may have quotes, other delimiters and line ends, blank lines, blanks and a byte order mark', () => {
    const text = '\uFEFF"a; b";c\r\n\r\n 1 ;"one\r\nand ""two"""\r\n2;x\r\n\r\n';
    const { data, tables, rows } = readCsv(text, { reals: { n: 'a; b' }, categories: { c: 'c' } });
    expect(rows).toBe(2);
    expect([...data.n]).toEqual([1, 2]);
    expect(tables.c).toEqual(['one\r\nand "two"', 'x']);
  });

  it('may have one column', () => {
    expect([...readCsv('n\n1\n2', { integers: { n: 'n' } }).data.n]).toEqual([1, 2]);
  });

  it('may have its header said', () => {
    const { data } = readCsv('1,2\n3,4\n', { header: ['a', 'b'], reals: { b: 'b' } });
    expect([...data.b]).toEqual([2, 4]);
  });
});

const holes = `a,b,word
1,,x
2,3,y
NA,?,
"4",5,"two
lines"
6,,z
`;

describe('missing values', () => {
  const options = { reals: { x: ['a', 'b'] }, categories: { word: 'word' } } as const;

  it('are reported, all of them, by row, line and column', () => {
    expect(() => readCsv(holes, { ...options, name: 'holes.csv' })).toThrow(
      new DataError(
        `holes.csv: 5 things are wrong
  row 0 (line 2), column 'b' is missing
  row 2 (line 4), column 'a' is missing
  row 2 (line 4), column 'b' is missing
  row 2 (line 4), column 'word' is missing
  row 4 (line 7), column 'b' is missing`,
      ),
    );
  });

  it('up to a limit', () => {
    expect(() => readCsv(holes, { ...options, limit: 2 })).toThrow(/line 2.*\n.*line 4.*\n {2}and 3 more$/);
  });

  it('may leave their rows out, and are listed', () => {
    const { data, rows, tables, missing, missingCount } = readCsv(holes, {
      ...options,
      onMissing: 'skip',
      limit: 3,
    });
    expect(rows).toBe(2);
    expect([...data.x]).toEqual([2, 3, 4, 5]);
    expect([...data.word]).toEqual([0, 1]);
    expect(tables.word).toEqual(['y', 'two\nlines']); // none of rows left out
    expect(missingCount).toBe(5);
    expect(missing).toEqual([
      { row: 0, line: 2, column: 'b' },
      { row: 2, line: 4, column: 'a' },
      { row: 2, line: 4, column: 'b' },
    ]);
  });

  it('do not matter in columns that are not asked for', () => {
    expect(readCsv(holes, { categories: { word: 'word' }, onMissing: 'skip' }).rows).toBe(4);
  });

  it('are what the options say', () => {
    const { rows } = readCsv('a\n-9\n1\n', { reals: { a: 'a' }, missing: ['-9'], onMissing: 'skip' });
    expect(rows).toBe(1);
  });
});

it.each<[string, string, CsvOptions, string]>([
  [
    'a word among numbers',
    'a\n1\nabc\n',
    { reals: { a: 'a' } },
    "row 1 (line 3), column 'a': 'abc' is not a finite number",
  ],
  ['a hexadecimal number', 'a\n0x10\n', { reals: { a: 'a' } }, "'0x10' is not a finite number"],
  ['infinity', 'a\n1e999\n', { reals: { a: 'a' } }, "'1e999' is not a finite number"],
  [
    'a number beyond float32',
    'a\n3.4e38\n-1e300\n',
    { reals: { a: 'a' } },
    "row 1 (line 3), column 'a': '-1e300' is too large for float32; dtype: 'f64'",
  ],
  ['a fraction among integers', 'a\n1.5\n', { integers: { a: 'a' } }, "'1.5' is not a whole number"],
  ['too large an integer', 'a\n4294967296\n', { integers: { a: 'a' } }, 'not a whole number of 32 bits'],
  [
    'a word that is not in the table',
    'a\nx\nz\n',
    { categories: { a: { column: 'a', table: ['x', 'y'] } } },
    "row 1 (line 3), column 'a': 'z' is none of x, y",
  ],
  [
    'a row that is too short',
    'a,b\n1,2\n3\n',
    { reals: { a: 'a' } },
    'row 1 (line 3), has 1 values, but there are 2 columns',
  ],
  ['a row that is too long', 'a,b\n1,2,3\n', { reals: { a: 'a' } }, 'row 0 (line 2), has 3 values'],
  [
    'a column that is not there',
    'a,b\n1,2\n',
    { reals: { x: ['a', 'c'] } },
    "has no column 'c'; its columns are a, b",
  ],
  ['a pattern without a column', 'a,b\n1,2\n', { reals: { x: /^z/ } }, "no column for 'x': /^z/"],
  ['a column that is there twice', 'a,a\n1,2\n', { reals: { a: 'a' } }, "has two columns 'a'"],
  [
    'an array that is asked for twice',
    'a\n1\n',
    { reals: { a: 'a' }, integers: { a: 'a' } },
    "two arrays are named 'a'",
  ],
  ['nothing asked for', 'a\n1\n', {}, 'no column is asked for'],
  ['a quote that is not closed', 'a\n"1\n', { reals: { a: 'a' } }, 'is not CSV'],
  ['an empty file', '', { reals: { a: 'a' } }, 'has no header line'],
  ['no rows', 'a\n', { reals: { a: 'a' } }, 'has no row'],
  [
    'no row that is whole',
    'a,b\n,1\n',
    { reals: { a: 'a' }, onMissing: 'skip' },
    'no row without a missing value',
  ],
])('%s: a clear error', (_, text, options, words) => {
  expect(() => readCsv(text, { ...options, name: 'table.csv' })).toThrow(DataError);
  expect(() => readCsv(text, { ...options, name: 'table.csv' })).toThrow(words);
  expect(() => readCsv(text, { ...options, name: 'table.csv' })).toThrow('table.csv');
});

it('an option that is not there is an error, and one of types', async () => {
  // @ts-expect-error a slip for `onMissing`
  expect(() => readCsv('a\n1\n', { reals: { a: 'a' }, onmissing: 'skip', name: 'table.csv' })).toThrow(
    new DataError(
      "table.csv: a table has no option 'onmissing', did you mean 'onMissing'?; its options are " +
        'reals, integers, categories, dtype, header, delimiter, missing, onMissing, limit, name',
    ),
  );
  // @ts-expect-error a slip for `reals`
  await expect(streamCsv(['a\n1\n'], { real: { a: 'a' } }).next()).rejects.toThrow("no option 'real'");
  const words = { column: 'a', tables: ['x'] };
  expect(() => readCsv('a\nx\n', { categories: { word: words }, name: 'table.csv' })).toThrow(
    new DataError(
      "table.csv: category 'word' has no option 'tables', did you mean 'table'?; its options are column, table",
    ),
  );
});

describe('a stream of text', () => {
  const table = ['setosa', 'virginica'];
  const options = { reals: { x: /^sepal/ }, categories: { species: { column: 'species', table } } } as const;
  const pieces = (text: string, length: number): string[] =>
    text.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? [];
  const all = async <Row>(rows: AsyncIterable<Row>): Promise<Row[]> => {
    const list: Row[] = [];
    for await (const row of rows) list.push(row);
    return list;
  };

  it.each([1, 7, 1000])('gives row after row, in pieces of %s characters', async (length) => {
    expect(await all(streamCsv(pieces(flowers, length), options))).toEqual([
      { x: Float32Array.of(5.1, 3.5), species: Int32Array.of(0) },
      { x: Float32Array.of(4.9, -0.3), species: Int32Array.of(1) },
      { x: Float32Array.of(6, 0.25), species: Int32Array.of(0) },
    ]);
  });

  it('gives what the whole table gives, wherever it is cut', async () => {
    const cell = fc.constantFrom('a', 'b,c', 'with "quotes"', 'two\nlines', ' d', '7', '"', '5" pipe');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ word: cell, n: fc.integer({ min: -99, max: 99 }) }), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        async (records, length, newline) => {
          // beside the cells that a writer quotes, one that it has not
          const text = Papa.unparse(records, { newline }).replaceAll('"5"" pipe"', '5" pipe');
          const choices = { integers: { n: 'n' }, delimiter: ',' } as const;
          const whole = readCsv(text, { ...choices, categories: { word: 'word' } });
          const categories = { word: { column: 'word', table: whole.tables.word } };
          const rows = await all(streamCsv(pieces(text, length), { ...choices, categories }));
          expect(rows.map(({ n }) => n[0])).toEqual([...whole.data.n]);
          expect(rows.map(({ word }) => word[0])).toEqual([...whole.data.word]);
        },
      ),
    );
  });

  it.each(['\n', '\r\n', '\r'])(
    'holds no row back, lines ending in %j, for a quote within a cell',
    async (end) => {
      let given = 0;
      function* lines(): Generator<string> {
        for (const line of ['n,word', '1,5" pipe', '2,"6"" pipe"', '3,"two', 'lines"', '4,last'])
          yield (given++, `${line}${end}`);
      }
      const words = { column: 'word', table: ['5" pipe', '6" pipe', `two${end}lines`, 'last'] };
      const when: number[] = [];
      const read: number[] = [];
      for await (const { n, word } of streamCsv(lines(), {
        integers: { n: 'n' },
        categories: { word: words },
      })) {
        when.push(given);
        read.push(n[0]!, word[0]!);
      }
      expect(read).toEqual([1, 0, 2, 1, 3, 2, 4, 3]);
      expect(when).toEqual([2, 3, 5, 6]); // a row as soon as its line is there
    },
  );

  it('knows the lines of a file that ends them in CR', async () => {
    await expect(all(streamCsv(pieces('a\r1\r\r2\rx\r', 4), { reals: { a: 'a' } }))).rejects.toThrow(
      "row 2 (line 5), column 'a': 'x'",
    );
  });

  it('takes a delimiter of any characters', async () => {
    const rows = streamCsv(pieces('a||b\n"1"||2" or 3\n', 3), {
      delimiter: '||',
      integers: { a: 'a' },
      categories: { b: { column: 'b', table: ['2" or 3'] } },
    });
    expect(await all(rows)).toEqual([{ a: Int32Array.of(1), b: Int32Array.of(0) }]);
  });

  it('ends with an error that names the line', async () => {
    const text = `${flowers}7,,5,setosa\n`;
    await expect(all(streamCsv(pieces(text, 5), options))).rejects.toThrow(
      "row 3 (line 5), column 'sepal_width' is missing",
    );
    await expect(all(streamCsv(pieces(text, 5), options))).rejects.toBeInstanceOf(DataError);
    await expect(all(streamCsv([''], options))).rejects.toThrow('has no header line');
  });

  it('needs the tables of its words', async () => {
    const rows = streamCsv([flowers], { categories: { species: 'species' } });
    await expect(rows.next()).rejects.toThrow("the table of 'species' must be given");
  });
});
