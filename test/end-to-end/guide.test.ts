/** docs/GUIDE.md, followed by a user: its files are written and its commands run, in order, in an empty folder with the packed package. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packInto } from '../support/packed.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/GUIDE.md');
const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };

/** A section of the page, with its blocks in order. */
interface Section {
  readonly title: string;
  readonly blocks: { readonly language: string; readonly text: string }[];
}

const sections: Section[] = [];
for (const [, title, language, text] of page.matchAll(/^##? (.*)$|^```(\w+)\n([^]*?)^```$/gm)) {
  if (title !== undefined) sections.push({ title, blocks: [] });
  else sections.at(-1)!.blocks.push({ language: language!, text: text! });
}

const folder = mkdtempSync(join(tmpdir(), 'chainrule-guide-'));
let tarball = '';
beforeAll(() => {
  tarball = packInto(mkdtempSync(join(folder, '.package-')));
  cpSync(join(root, 'examples/iris/data/iris.csv'), join(folder, 'iris.csv'));
  cpSync(join(root, 'examples/finetune/data/digits.csv'), join(folder, 'digits.csv'));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a command of the page prints. The package is the one at hand, and tools have the versions of the project. */
function run(command: string): string {
  const words = command.split(' ');
  if (command.startsWith('npm install')) {
    const versions = { chainrule: tarball, tsx: `tsx@${devDependencies['tsx']}` };
    for (const [name, version] of Object.entries(versions)) words[words.indexOf(name)] = version;
    words.push('--no-audit', '--no-fund', '--prefer-offline');
  }
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  return execFileSync(words[0]!, words.slice(1), { cwd: folder, encoding: 'utf8', stdio: [...stdio] });
}

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g;
const shapeOf = (line: string): string => line.trimEnd().replaceAll(NUMBER, '#');
const numbersOf = (line: string): number[] => (line.match(NUMBER) ?? []).map(Number);

/** Words are the same, numbers to within a twentieth and, where there is no exponent, 0.02; seconds are what they are. */
function isLike(shown: string, printed: string): boolean {
  if (shapeOf(shown) !== shapeOf(printed)) return false;
  const [wanted, found] = [shown, printed].map((line) => numbersOf(line.replace(/\d+\.\d+ s$/, '')));
  const slack = /\de[+-]?\d/.test(shown) ? 0 : 0.02;
  return wanted!.every((value, i) => Math.abs(value - found![i]!) <= slack + 0.05 * Math.abs(value));
}

/** Whether a block shows what was printed; a line of `...` stands for any lines. */
function expectShown(block: string, printed: string): void {
  const lines = printed.trimEnd().split('\n');
  const isWhole = !/^\.\.\.$/m.test(block);
  if (isWhole) expect(lines.length, printed).toBe(block.trimEnd().split('\n').length);
  let from = 0;
  for (const shown of block.trimEnd().split('\n')) {
    if (shown === '...') continue;
    const place = lines.findIndex((line, i) => i >= from && isLike(shown, line));
    expect(place, `the guide shows\n${shown}\nbut what is printed is\n${printed}`).not.toBe(-1);
    from = place + 1;
  }
}

describe('docs/GUIDE.md', () => {
  it.each(sections.filter(({ blocks }) => blocks.length > 0))(
    '$title',
    ({ blocks }) => {
      let printed = '';
      for (const { language, text } of blocks) {
        if (language === 'sh') {
          printed = text
            .trim()
            .split('\n')
            .map((command) => [command, run(command)] as const)
            // what a compiler has written is shown where it is the only command
            .filter(([command], i, { length }) => length === i + 1 || !command.includes('compile'))
            .map(([, output]) => output)
            .join('');
        } else if (language === 'text') expectShown(text, printed);
        else {
          const [, name] = /^\/\/ ([\w.-]+)\n/.exec(text) ?? [];
          if (name === undefined) throw new Error(`this block has no name:\n${text}`);
          writeFileSync(join(folder, name), text);
        }
      }
    },
    180_000,
  );

  it('its files hold under the strictest settings of TypeScript', () => {
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2023', 'DOM'],
      module: 'NodeNext',
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noPropertyAccessFromIndexSignature: true,
      noUnusedLocals: true,
      verbatimModuleSyntax: true,
      erasableSyntaxOnly: true,
      noEmit: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], { cwd: folder });
  });

  it('runs every file that it shows, and shows what every program prints', () => {
    const commands = sections.flatMap(({ blocks }) =>
      blocks.filter(({ language }) => language === 'sh').map(({ text }) => text),
    );
    for (const name of readdirSync(folder).filter((file) => /\.(ts|dsl)$/.test(file) && file !== 'data.ts'))
      expect(commands.join('')).toContain(` ${name}`);
    for (const { blocks } of sections)
      for (const [i, { language, text }] of blocks.entries())
        if (language === 'sh' && text.includes('tsx ')) expect(blocks[i + 1]?.language).toMatch(/text/);
  });

  it('its table of losses is in losses.dsl', () => {
    const section = page.slice(page.indexOf('| what is predicted'), page.indexOf('```dsl\n// losses.dsl'));
    const formulas = [...section.matchAll(/^\|[^|`]*\| `([^`]*)`/gm)].map(([, formula]) => formula!);
    expect(formulas.length).toBeGreaterThan(5);
    const model = readFileSync(join(folder, 'losses.dsl'), 'utf8');
    for (const formula of formulas) expect(model).toContain(`(${formula})`);
  });
});
