/** @file An explanation as Markdown with LaTeX: formulas are blocks of `math`, the picture is one of `mermaid`. */
import { inLines } from './lines.ts';
import type {
  Change,
  Derivative,
  Excerpt,
  Explanation,
  Group,
  Journey,
  Picture,
  Prose,
  StatementExplanation,
  Tex,
} from './types.ts';
import { chainRule, excerptLines, reading, summary } from './words.ts';

export function renderMarkdown(explanation: Explanation): string {
  return `${new Document(explanation).print().join('\n\n')}\n`;
}

class Document {
  private readonly explanation: Explanation;

  constructor(explanation: Explanation) {
    this.explanation = explanation;
  }

  print(): string[] {
    const { model, file, version, groups, picture } = this.explanation;
    return [
      `# ${model}, explained`,
      this.prose(summary(this.explanation)),
      fenced('mermaid', mermaid(picture)),
      this.parameters(),
      '## How to read this',
      ...reading.map((sentence) => this.prose(sentence)),
      ...this.chainRule(),
      ...groups.flatMap((group) => this.group(group)),
      ...this.backward(),
      ...this.updates(),
      ...this.functions(),
      `Made from ${file} by chainrule ${version}.`,
    ].filter((part) => part !== '');
  }

  private prose(words: Prose): string {
    return words
      .split(/(`[^`]*`)/)
      .map((part) => (part.startsWith('`') ? this.name(part.slice(1, -1)) : part))
      .join('');
  }

  private name(name: string): string {
    const anchor = this.explanation.anchors.get(name);
    return anchor === undefined ? `\`${name}\`` : `[\`${name}\`](#${anchor})`;
  }

  private names(names: readonly string[]): string {
    return names.map((name) => this.name(name)).join(', ');
  }

  private anchor(name: string): string {
    const anchor = this.explanation.anchors.get(name);
    return anchor === undefined ? '' : `<a id="${anchor}"></a>`;
  }

  // ----------------------------------------------------------------------------------------------------------- the opening

  private parameters(): string {
    const { parameters } = this.explanation;
    if (parameters.length === 0) return '';
    return [
      '| parameter | shape | numbers | gradient |',
      '| --- | --- | ---: | --- |',
      ...parameters.map(
        ({ name, shape, count, isFrozen, gradient }) =>
          `| \`${name}\` | ${shape === '' ? 'a number' : shape} | ${count.toLocaleString('en')} | ${gradient === undefined ? (isFrozen ? 'frozen' : '') : this.name(gradient)} |`,
      ),
    ].join('\n');
  }

  private chainRule(): string[] {
    const { loss, example } = this.explanation;
    if (loss === undefined) return [];
    const shown =
      example === undefined
        ? []
        : [
            this.prose(
              `In this model: \`${example.statement}\` reads \`${example.derivative.operand}\`. What is its derivative by it?`,
            ),
            formula(example.derivative.local),
            this.prose(
              `So every element of \`${example.derivative.operand}\` gets, for each time that it was read, this share of the derivative that came back to \`${example.statement}\`:`,
            ),
            formula(example.derivative.step),
            this.prose(`And that is the gradient \`${example.derivative.target}\`:`),
            formula(example.derivative.journey.first),
          ];
    return ['## The chain rule in three sentences', this.prose(chainRule.join(' ')), ...shown];
  }

  // -------------------------------------------------------------------------------------------------------- lines, statements

  private group({ id, place, statements, picture }: Group): string[] {
    return [
      `<a id="${id}"></a>`,
      `## ${place.file}, line ${place.line}`,
      fenced('', place.text.trim()),
      picture === undefined ? '' : fenced('mermaid', mermaid(picture)),
      ...statements.flatMap((statement) => this.statement(statement, place)),
    ];
  }

  private statement(statement: StatementExplanation, site: Group['place']): string[] {
    const { target, title, shape, place, forward, journey } = statement;
    const isElsewhere = place.file !== site.file || place.line !== site.line;
    return [
      `### ${this.anchor(target)}\`${target}\`: ${title}`,
      isElsewhere ? `${place.file}, line ${place.line}: \`${place.text.trim()}\`` : '',
      '**Forward**',
      formula(journey.first),
      `${this.prose(forward)} This is ${shape}.`,
      ...this.changes(journey, 'What the compiler did to it'),
      ...this.backwardOf(statement),
      ...this.code(statement),
    ];
  }

  private backwardOf(statement: StatementExplanation): string[] {
    const { target, cotangent, derivatives, noGradient, backward, differentiated, extras, remarks } =
      statement;
    const arrives =
      cotangent === undefined
        ? noGradient === ''
          ? ['This is the loss itself: the derivative by it is 1, and here the backward pass begins.']
          : []
        : cotangent.journey === undefined
          ? [`What comes back is ${this.name(cotangent.name)}, from ${this.names(cotangent.from)}.`]
          : [
              `${this.anchor(cotangent.name)}What comes back is the sum of what its readers ${this.names(cotangent.from)} send:`,
              formula(cotangent.journey.first),
              ...this.changes(cotangent.journey, 'What became of it'),
            ];
    return [
      '**Backward**',
      ...arrives,
      ...remarks.map((remark) => `> ${this.prose(remark)}`),
      this.prose(backward === '' ? noGradient : backward),
      ...(differentiated === undefined
        ? []
        : ['The derivative is taken of this form:', formula(differentiated)]),
      ...derivatives.flatMap((derivative) => this.derivative(derivative, target)),
      ...extras.flatMap((extra) => [
        `#### ${this.anchor(extra.target)}\`${extra.target}\`, ${extra.title}`,
        formula(extra.journey.first),
        ...this.changes(extra.journey, 'What became of it'),
      ]),
    ];
  }

  private derivative(
    { operand, local, step, turned, target, isShare, journey }: Derivative,
    whole: string,
  ): string[] {
    return [
      `#### ${this.anchor(target)}by ${this.name(operand)}: \`${target}\`${isShare ? ', a share' : ''}`,
      'The local derivative:',
      formula(local),
      `The chain rule, what came back to \`${whole}\` times the local derivative:`,
      formula(step),
      turned,
      formula(journey.first),
      ...this.changes(journey, 'What became of it'),
    ];
  }

  private changes({ changes, last, into, codeName }: Journey, title: string): string[] {
    const called = codeName === undefined ? [] : [`The code calls it \`${codeName}\`.`];
    if (changes.length === 0) return called;
    const list = changes.map((change, place) => this.change(change, place + 1, place === changes.length - 1));
    return [
      `${title}:`,
      list.join('\n'),
      ...(last !== undefined ? [formula(last)] : into.length > 0 ? [`Computed in ${this.names(into)}.`] : []),
      ...called,
    ];
  }

  private change({ title, why, detail, after }: Change, place: number, isLast: boolean): string {
    const words = this.prose([why, detail].filter((part) => part !== '').join(' '));
    const shown = after === undefined || isLast ? '' : `\n\n${indented(formula(after))}\n`;
    return `${place}. **${title}**. ${words}${shown}`;
  }

  // ------------------------------------------------------------------------------------------------------------------ code

  private code({ code, journey }: StatementExplanation): string[] {
    const elsewhere =
      journey.into.length === 0 ? [] : [`Its forward code is that of ${this.names(journey.into)}.`];
    return [
      ...elsewhere,
      ...code.forward.flatMap((excerpt) => excerptText(excerpt, 'forward')),
      ...code.backward.flatMap((excerpt) => excerptText(excerpt, 'backward')),
    ];
  }

  // ------------------------------------------------------------------------------------------------------------- at the end

  private backward(): string[] {
    const { backward } = this.explanation;
    if (backward.length === 0) return [];
    return [
      '## The backward pass, in order',
      'From the loss back to the first layer, as it is computed after all rewriting. Each line needs only what stands above it, and what the forward pass kept.',
      ...backward.flatMap(({ target, formula: tex, of }, place) => [
        `${place + 1}. ${this.name(target)}, through ${this.name(of)}\n\n${indented(formula(tex))}`,
      ]),
    ];
  }

  private updates(): string[] {
    const { updates } = this.explanation;
    if (updates.length === 0) return [];
    return [
      '## What is done with the gradient',
      'With `p` for a parameter and `g` for its gradient, a prime for the next value:',
      ...updates.flatMap(({ optimizer, parameters, formulas }) => [
        `**${optimizer}**, for ${parameters.map((name) => `\`${name}\``).join(', ')}`,
        ...formulas.map(formula),
      ]),
    ];
  }

  private functions(): string[] {
    return [
      '## The TypeScript, function by function',
      ...this.explanation.functions.map(
        ({ name, part, text }) =>
          `<details><summary><code>${name}</code>, ${part}</summary>\n\n${fenced('ts', text)}\n\n</details>`,
      ),
    ];
  }
}

/** A line of an `aligned` block by itself. Some renderers forbid \operatorname. */
function formula(tex: Tex): string {
  const alone = inLines(tex)
    .replaceAll(/\\operatorname\*?\{([^{}]*)\}/g, '\\mathop{\\mathrm{$1}}')
    .replaceAll('  ', ' ');
  return fenced('math', alone);
}

function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}

const indented = (text: string): string => text.replaceAll(/^/gm, '   ');

function excerptText(excerpt: Excerpt, part: string): string[] {
  const { function: name, isWhole } = excerpt;
  const text = excerptLines(excerpt, '// ...').map((line) => line.text);
  const words = isWhole ? `\`${name}\`` : `of \`${name}\`, the lines that are about it`;
  return [`TypeScript, ${part}: ${words}`, fenced('ts', text.join('\n'))];
}

/** Values by full lines, cotangents by dashed ones the other way. */
function mermaid({ nodes, edges }: Picture): string {
  const ids = new Map(nodes.map(({ name }, place) => [name, `t${place}`]));
  const id = (name: string): string => ids.get(name) ?? name;
  const label = (text: string): string => `"${text.replaceAll('"', '#quot;')}"`;
  return [
    'flowchart TB',
    ...nodes.map(({ name, title, kind, cotangent }) => {
      const text = label(cotangent === undefined ? title : `${title}<br/>${cotangent.name}`);
      if (kind === 'given') return `  ${id(name)}[/${text}/]`;
      return kind === 'parameter' ? `  ${id(name)}[(${text})]` : `  ${id(name)}[${text}]`;
    }),
    ...edges.flatMap(({ from, to, returns }) => [
      `  ${id(from)} --> ${id(to)}`,
      ...(returns ? [`  ${id(to)} -.-> ${id(from)}`] : []),
    ]),
  ].join('\n');
}
