/** @file An explanation as one page that needs nothing else: MathML, SVG and styles are in it, and no address leads out. */
import { inLines } from './lines.ts';
import { attribute, escape, nameHtml, proseHtml } from './markup.ts';
import { script, style } from './style.ts';
import { drawPicture } from './svg.ts';
import type {
  Change,
  Derivative,
  Excerpt,
  Explanation,
  Group,
  Journey,
  Place,
  StatementExplanation,
  Tex,
} from './types.ts';
import { chainRule, excerptLines, reading, summary } from './words.ts';

/** A model of more statements has its sections folded. */
const MOST_OPEN = 20;

/** The page of a model. MathML and the layout of pictures are loaded when this is called first. */
export async function renderHtml(explanation: Explanation): Promise<string> {
  const { default: temml } = await import('temml');
  const math = (tex: string): string =>
    temml.renderToString(tex, { displayMode: true, throwOnError: true, wrap: 'none' });
  return new Page(explanation, math).print();
}

class Page {
  private readonly explanation: Explanation;
  private readonly math: (tex: string) => string;

  constructor(explanation: Explanation, math: (tex: string) => string) {
    this.explanation = explanation;
    this.math = math;
  }

  async print(): Promise<string> {
    const { explanation } = this;
    const { model, file, picture, groups, version } = explanation;
    const statements = groups.reduce((sum, group) => sum + group.statements.length, 0);
    const sections: string[] = [];
    for (const group of groups) sections.push(await this.group(group, statements <= MOST_OPEN));
    return [
      '<!doctype html>',
      '<html lang="en">',
      '<head>',
      '<meta charset="utf-8">',
      '<meta name="viewport" content="width=device-width, initial-scale=1">',
      `<meta name="generator" content="chainrule ${attribute(version)}">`,
      `<title>${escape(model)}, explained</title>`,
      `<style>${style}</style>`,
      '</head>',
      '<body>',
      '<div class="page">',
      `<header><h1>${escape(model)}, explained</h1><p>${this.prose(summary(explanation))}</p></header>`,
      '<nav class="side" aria-label="Picture">',
      await drawPicture(picture, 'picture', `The graph of ${model}: values flow down, gradients flow up`),
      this.legend(),
      '</nav>',
      '<main>',
      this.opening(),
      this.source(),
      ...sections,
      this.backward(),
      this.updates(),
      this.functions(),
      `<p class="soft">Made from ${escape(file)} by chainrule ${escape(version)}.</p>`,
      '</main>',
      '</div>',
      `<script>${script}</script>`,
      '</body>',
      '</html>',
      '',
    ].join('\n');
  }

  private prose(words: string): string {
    return proseHtml(words, this.explanation.anchors);
  }

  private names(names: readonly string[]): string {
    return names.map((name) => nameHtml(name, this.explanation.anchors)).join(', ');
  }

  /** A line of an `aligned` block by itself. */
  private formula(tex: Tex, className = ''): string {
    return `<div class="formula${className === '' ? '' : ` ${className}`}" tabindex="0">${this.math(inLines(tex))}</div>`;
  }

  // ----------------------------------------------------------------------------------------------------------- the opening

  private legend(): string {
    const back =
      this.explanation.loss === undefined
        ? ''
        : '<span class="back"><i></i>gradients flow back to the weights</span>';
    return `<p class="legend"><span><i></i>values flow to the ${this.explanation.loss === undefined ? 'outputs' : 'loss'}</span>${back}</p>`;
  }

  private opening(): string {
    const { explanation } = this;
    const { example, parameters, loss } = explanation;
    const rows = parameters.map(
      ({ name, shape, count, isFrozen, gradient }) =>
        `<tr><td><code>${escape(name)}</code></td><td>${escape(shape === '' ? 'a number' : shape)}</td><td class="number">${count.toLocaleString('en')}</td>` +
        `<td>${gradient === undefined ? (isFrozen ? 'frozen' : '') : nameHtml(gradient, explanation.anchors)}</td></tr>`,
    );
    const table =
      rows.length === 0
        ? ''
        : `<details class="whole"${rows.length > 12 ? '' : ' open'}><summary>The parameters</summary><div class="scrolls"><table><thead><tr><th>name</th><th>shape</th><th>numbers</th><th>gradient</th></tr></thead><tbody>${rows.join('')}</tbody></table></div></details>`;
    const rule =
      loss === undefined
        ? ''
        : [
            '<h2 id="chain-rule">The chain rule in three sentences</h2>',
            `<p>${chainRule.map((sentence) => this.prose(sentence)).join(' ')}</p>`,
            example === undefined
              ? ''
              : [
                  `<p>In this model: ${this.prose(`\`${example.statement}\` reads \`${example.derivative.operand}\`. What is its derivative by it?`)}</p>`,
                  this.formula(example.derivative.local),
                  `<p>${this.prose(`So every element of \`${example.derivative.operand}\` gets, for each time that it was read, this share of the derivative that came back to \`${example.statement}\`:`)}</p>`,
                  this.formula(example.derivative.step),
                  `<p>${this.prose(`And that is the gradient \`${example.derivative.target}\`:`)}</p>`,
                  this.formula(example.derivative.journey.first, 'result'),
                ].join('\n'),
          ].join('\n');
    return [
      table,
      '<h2 id="reading">How to read this page</h2>',
      ...reading.map((sentence) => `<p>${this.prose(sentence)}</p>`),
      rule,
    ].join('\n');
  }

  private source(): string {
    const { source, file } = this.explanation;
    const width = String(source.length).length;
    const lines = source.map(({ number, text, group }) => {
      const words = text.trimStart();
      const indent = text.slice(0, text.length - words.length);
      const body = group === undefined ? escape(text) : `${indent}<a href="#${group}">${escape(words)}</a>`;
      return `<span class="number">${String(number).padStart(width)}  </span>${body}`;
    });
    return `<h2 id="source">The model as written</h2>\n<p class="soft">${escape(file)}; a line leads to what became of it.</p>\n<pre>${lines.join('\n')}</pre>`;
  }

  // -------------------------------------------------------------------------------------------------------- lines, statements

  private async group({ id, place, statements, picture }: Group, isOpen: boolean): Promise<string> {
    const drawn =
      picture === undefined
        ? ''
        : `<div class="group-picture">${await drawPicture(picture, `picture-${id}`, `The statements of line ${place.line}`)}</div>`;
    const heading = `<div class="line-of-model">${marked(place)}</div>`;
    const body = [drawn, ...statements.map((statement) => this.statement(statement, place))].join('\n');
    return [
      `<section class="group" id="${id}">`,
      `<h2>${escape(place.file)}, line ${place.line}</h2>`,
      heading,
      `<details class="group"${isOpen ? ' open' : ''}><summary class="soft">${statements.length === 1 ? 'one statement' : `${statements.length} statements`}</summary>`,
      body,
      '</details>',
      '</section>',
    ].join('\n');
  }

  private statement(statement: StatementExplanation, site: Place): string {
    const { target, title, shape, place, forward, journey } = statement;
    const isElsewhere = place.file !== site.file || place.line !== site.line;
    return [
      `<article class="statement" id="${this.anchor(target)}">`,
      `<h3><code>${escape(target)}</code><span class="kind">${escape(title)}</span></h3>`,
      isElsewhere
        ? `<p class="place">${escape(place.file)}, line ${place.line}: <code>${escape(place.text.trim())}</code></p>`
        : '',
      '<div class="forward">',
      '<h4>Forward</h4>',
      this.formula(journey.first),
      `<p>${this.prose(forward)} <span class="soft">This is ${escape(shape)}.</span></p>`,
      this.changes(journey, 'What the compiler did to it'),
      '</div>',
      this.backwardOf(statement),
      this.code(statement),
      '</article>',
    ].join('\n');
  }

  private backwardOf(statement: StatementExplanation): string {
    const { target, cotangent, derivatives, noGradient, backward, differentiated, extras, remarks } =
      statement;
    if (noGradient !== '' && cotangent === undefined && extras.length === 0)
      return `<div class="backward"><h4>Backward</h4><p class="soft">${this.prose(noGradient)}</p></div>`;
    const arrives =
      cotangent === undefined && noGradient !== ''
        ? ''
        : cotangent === undefined
          ? this.prose(
              `This is the loss itself: the derivative by it is 1, and here the backward pass begins.`,
            )
          : cotangent.journey === undefined
            ? `What comes back is ${nameHtml(cotangent.name, this.explanation.anchors)}, from ${this.names(cotangent.from)}.`
            : `What comes back is the sum of what its readers ${this.names(cotangent.from)} send:`;
    const total =
      cotangent?.journey === undefined
        ? ''
        : `<div class="derivative" id="${this.anchor(cotangent.name)}"><h5>${escape(cotangent.name)}, all shares together</h5>${this.formula(cotangent.journey.first)}${this.changes(cotangent.journey, 'What became of it')}</div>`;
    return [
      '<div class="backward">',
      '<h4>Backward</h4>',
      `<p>${arrives}</p>`,
      total,
      ...remarks.map((remark) => `<p class="remark">${this.prose(remark)}</p>`),
      backward === '' ? `<p class="soft">${this.prose(noGradient)}</p>` : `<p>${this.prose(backward)}</p>`,
      differentiated === undefined
        ? ''
        : `<p>The derivative is taken of this form:</p>${this.formula(differentiated)}`,
      ...derivatives.map((derivative) => this.derivative(derivative, target)),
      ...extras.map(
        (extra) =>
          `<div class="derivative extra" id="${this.anchor(extra.target)}"><h5>${escape(extra.target)}, ${escape(extra.title)}</h5>${this.formula(extra.journey.first)}${this.changes(extra.journey, 'What became of it')}</div>`,
      ),
      '</div>',
    ].join('\n');
  }

  private derivative(
    { operand, local, step, turned, target, isShare, journey }: Derivative,
    whole: string,
  ): string {
    return [
      `<div class="derivative" id="${this.anchor(target)}">`,
      `<h5>by ${nameHtml(operand, this.explanation.anchors)}: ${escape(target)}${isShare ? ', a share' : ''}</h5>`,
      '<p class="soft">The local derivative:</p>',
      this.formula(local),
      `<p class="soft">The chain rule, what came back to <code>${escape(whole)}</code> times the local derivative:</p>`,
      this.formula(step),
      `<p class="soft">${this.prose(turned)}</p>`,
      this.formula(journey.first),
      this.changes(journey, 'What became of it'),
      '</div>',
    ].join('\n');
  }

  /** Each pass with its reason and the formula after it; the last one is what is computed. */
  private changes({ changes, last, into, codeName }: Journey, title: string): string {
    const called =
      codeName === undefined ? '' : `<p class="soft">The code calls it <code>${escape(codeName)}</code>.</p>`;
    if (changes.length === 0) return called;
    const end =
      last !== undefined
        ? this.formula(last, 'result')
        : into.length > 0
          ? `<p>Computed in ${this.names(into)}.</p>`
          : '';
    return [
      `<details class="steps"${changes.length <= 2 ? ' open' : ''}><summary>${escape(title)}: ${escape(changes.map((change) => change.title).join(', '))}</summary>`,
      '<ol>',
      ...changes.map((change, place) => this.change(change, place === changes.length - 1)),
      '</ol>',
      '</details>',
      end,
      called,
    ].join('\n');
  }

  private change({ title, why, detail, after }: Change, isLast: boolean): string {
    const formula = after === undefined || isLast ? '' : this.formula(after);
    return `<li><span class="pass">${escape(title)}</span>. ${this.prose([why, detail].filter((words) => words !== '').join(' '))}${formula}</li>`;
  }

  private anchor(name: string): string {
    return this.explanation.anchors.get(name) ?? '';
  }

  // ------------------------------------------------------------------------------------------------------------------ code

  private code({ code, target, journey }: StatementExplanation): string {
    const elsewhere =
      journey.into.length === 0
        ? ''
        : `<p class="soft">Its forward code is that of ${this.names(journey.into)}.</p>`;
    const column = (title: string, excerpts: readonly Excerpt[]): string =>
      `<div><h4>TypeScript, ${title}</h4>${excerpts.map((excerpt) => this.excerpt(excerpt, target)).join('\n')}</div>`;
    const columns = [
      ...(code.forward.length === 0 ? [] : [column('forward', code.forward)]),
      ...(code.backward.length === 0 ? [] : [column('backward', code.backward)]),
    ];
    if (columns.length === 0) return elsewhere;
    const alone = columns.length === 1 ? ' alone' : '';
    return `<div class="code${alone}">${columns.join('\n')}</div>${elsewhere}`;
  }

  private excerpt(excerpt: Excerpt, target: string): string {
    const { function: name, isWhole } = excerpt;
    const text = excerptLines(excerpt, '...').map(({ text, isMarked, isGap }) => {
      if (isGap) return `<span class="gap">${text}</span>`;
      return isMarked ? `<span class="marked">${escape(text)}</span>` : escape(text);
    });
    const link = `<a href="#function-${attribute(name)}"><code>${escape(name)}</code></a>`;
    const words = isWhole ? link : `of ${link}, the lines that are about <code>${escape(target)}</code>`;
    return `<p class="soft">${words}</p><pre tabindex="0">${text.join('\n')}</pre>`;
  }

  // ------------------------------------------------------------------------------------------------------------- at the end

  private backward(): string {
    const { backward, anchors } = this.explanation;
    if (backward.length === 0) return '';
    const items = backward.map(
      ({ target, formula, of }) =>
        `<li>${nameHtml(target, anchors)} <span class="soft">through ${nameHtml(of, anchors)}</span>${this.formula(formula)}</li>`,
    );
    return [
      '<h2 id="backward">The backward pass, in order</h2>',
      '<p>From the loss back to the first layer, as it is computed after all rewriting. Each line needs only what stands above it, and what the forward pass kept.</p>',
      `<ol class="backward-list">${items.join('\n')}</ol>`,
    ].join('\n');
  }

  private updates(): string {
    const { updates } = this.explanation;
    if (updates.length === 0) return '';
    const parts = updates.map(
      ({ optimizer, parameters, formulas }) =>
        `<h3>${escape(optimizer)}</h3><p class="soft">for ${parameters.map((name) => `<code>${escape(name)}</code>`).join(', ')}</p>${formulas.map((formula) => this.formula(formula)).join('\n')}`,
    );
    return [
      '<h2 id="update">What is done with the gradient</h2>',
      `<p>${this.prose('With `p` for a parameter and `g` for its gradient, a prime for the next value:')}</p>`,
      ...parts,
    ].join('\n');
  }

  private functions(): string {
    const { functions } = this.explanation;
    const parts = functions.map(
      ({ name, part, text }) =>
        `<details class="whole" id="function-${attribute(name)}"><summary><code>${escape(name)}</code> <span class="soft">${part}</span></summary><pre tabindex="0">${escape(text)}</pre></details>`,
    );
    return ['<h2 id="functions">The TypeScript, function by function</h2>', ...parts].join('\n');
  }
}

/** A line with what is meant of it marked. */
function marked({ text, start, end }: Place): string {
  const indent = text.length - text.trimStart().length;
  const from = Math.max(start, indent);
  return `<span class="elsewhere">${escape(text.slice(indent, from))}</span><mark>${escape(text.slice(from, end))}</mark><span class="elsewhere">${escape(text.slice(end))}</span>`;
}
