/** docs/GRADIENTS.md, made of the models in docs/gallery, what the compiler makes of them, and words.ts. */
import { readFileSync } from 'node:fs';
import { emitGradient } from '../../../compiler/emit/dsl.ts';
import { analyse, compile, textbookGradient } from '../../../compiler/index.ts';
import type { Source } from '../../../compiler/index.ts';
import { exhibits, type Exhibit } from './words.ts';

export const documentPath = new URL('../../../docs/GRADIENTS.md', import.meta.url);

const introduction = `# Gradients to look at

Small models, the gradient that the compiler derives of each, and the TypeScript that it emits: what stands in a textbook, made by
machine. The gradient is a program of the [language](LANGUAGE.md) itself, so it compiles, and a test holds every program on this
page to that and to the numbers of the model.

\`\`\`
npx --no-install compile model.dsl --emit gradient
\`\`\`

prints it for a model of yours. \`dW\` is the gradient of the loss by \`W\`. Behind each line stands the place in the model that it
comes from. \`extent(n)\` is the number of rows in the batch; \`x[n, i - 1] else 0\` is 0 outside of x.

The TypeScript is what \`compile\` writes, with \`--no-pass unroll\`, since models as small as these would be written out number by
number. Shown are the functions of the forward and the backward pass; left out are the loss, where it is a mean of squares, and
all that a module has besides: parameters, memory, the lists of calls, training.

<!-- Made by \`npm run docs\` from docs/gallery and test/docs/gallery: do not edit. -->
`;

export const sourceOf = ({ name }: Exhibit): Source => {
  const path = `docs/gallery/${name}.dsl`;
  return { path, text: readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8') };
};

/** The gradient of a model as the command line prints it. */
export function gradientOf(exhibit: Exhibit): string {
  const [model] = analyse(sourceOf(exhibit)).models;
  if (model === undefined) throw new Error(`${exhibit.name} does not compile`);
  return emitGradient(textbookGradient(model));
}

/** The whole page. */
export async function renderGallery(): Promise<string> {
  const contents = exhibits.map(({ title }) => `- [${title}](#${anchorOf(title)})`).join('\n');
  const sections: string[] = [];
  for (const exhibit of exhibits) sections.push(await renderExhibit(exhibit));
  return [introduction, `${contents}\n`, ...sections].join('\n');
}

const anchorOf = (title: string): string => title.toLowerCase().replaceAll(' ', '-');

async function renderExhibit(exhibit: Exhibit): Promise<string> {
  const { title, formula, text } = exhibit;
  return [
    `## ${title}\n`,
    `${text}\n`,
    `> ${formula}\n`,
    fence('dsl', sourceOf(exhibit).text),
    'Its gradient:\n',
    fence('dsl', gradientOf(exhibit)),
    'In TypeScript:\n',
    fence('ts', await functionsOf(exhibit)),
  ].join('\n');
}

const fence = (language: string, text: string): string => `\`\`\`${language}\n${text.trim()}\n\`\`\`\n`;

/** The functions of the forward and the backward pass in the emitted module. */
async function functionsOf(exhibit: Exhibit): Promise<string> {
  const { modules } = await compile(sourceOf(exhibit), { without: new Set(['unroll']) });
  const text = modules[0]?.text ?? '';
  const begin = /^\/\/ -+ forward\n/m.exec(text);
  const end = /^\/\/ -+ (?:what they call|the program)\n/m.exec(text);
  if (begin === null || end === null) throw new Error(`the module of ${exhibit.name} has other headings`);
  const functions = text
    .slice(begin.index + begin[0].length, end.index)
    .trim()
    .split(/\n\n(?=\/\/ )/);
  return functions.filter((each) => !isSquaredError(each) && !each.startsWith('// dNAME')).join('\n\n');
}

const isSquaredError = (text: string): boolean => /^\/\/ loss = mean\[.*\^2\)/.test(text);
