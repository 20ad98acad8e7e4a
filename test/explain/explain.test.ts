/** What is explained of a model, and how pages say it. */
import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../compiler/explain/html.ts';
import { inLines } from '../../compiler/explain/lines.ts';
import { renderMarkdown } from '../../compiler/explain/markdown.ts';
import type { Explanation, Journey, StatementExplanation } from '../../compiler/explain/types.ts';
import { exampleFiles, explained, explainText, only } from './examples.ts';

function statementOf(explanation: Explanation, target: string): StatementExplanation {
  const found = explanation.groups
    .flatMap(({ statements }) => statements)
    .find((each) => each.target === target);
  if (found === undefined) throw new Error(`${target} is not explained`);
  return found;
}

const titles = ({ changes }: Journey): string[] => changes.map(({ title }) => title);

describe('the golden page', () => {
  it('of the model that is small enough to do on paper', async () => {
    const text = renderMarkdown(await only('examples/by-hand/by-hand.dsl'));
    await expect(text).toMatchFileSnapshot('./golden/by-hand.md');
  });
});

describe.each(exampleFiles)('%s', (path) => {
  it('as a page: each statement has its place, each link leads somewhere, nothing comes from elsewhere', async () => {
    // the models of finetune-gpt are alike
    for (const explanation of (await explained(path)).slice(-2)) {
      const html = await renderHtml(explanation);
      const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
      const places = new Set(ids);
      expect(ids.length).toBe(places.size);
      const links = [...html.matchAll(/ href="([^"]*)"/g)].map(([, link = '']) => link);
      expect(links.filter((link) => !link.startsWith('#') || !places.has(link.slice(1)))).toEqual([]);
      expect([...explanation.anchors.values()].filter((anchor) => !places.has(anchor))).toEqual([]);
      expect(html).not.toMatch(/https?:|\ssrc=|@import|<link|url\((?!#)/);
      // temml marks what it does not understand so
      expect(html).not.toMatch(/merror|temml-error|undefined|NaN|\[object/);
      expect(html.match(/<math\b/g)?.length).toBe(html.match(/<\/math>/g)?.length);
    }
  });

  it('as Markdown: links lead somewhere, blocks are closed', async () => {
    for (const explanation of await explained(path)) {
      const text = renderMarkdown(explanation);
      const places = new Set([...text.matchAll(/<a id="([^"]*)"/g)].map(([, id]) => id));
      const links = [...text.matchAll(/\]\(#([^)]*)\)/g)].map(([, link]) => link);
      expect(links.filter((link) => !places.has(link))).toEqual([]);
      expect((text.match(/^ *```/gm)?.length ?? 0) % 2).toBe(0);
      expect(text).not.toMatch(/undefined|NaN|\[object/);
    }
  });

  it('follows every statement to where it is computed', async () => {
    for (const { groups, backward } of await explained(path)) {
      const statements = groups.flatMap((group) => group.statements);
      const journeys = statements.flatMap(({ journey, cotangent, derivatives, extras }) => [
        journey,
        ...(cotangent?.journey === undefined ? [] : [cotangent.journey]),
        ...derivatives.map((derivative) => derivative.journey),
        ...extras.map((extra) => extra.journey),
      ]);
      for (const { last, into, changes } of journeys) {
        if (last !== undefined) expect(into).toEqual([]);
        else if (into.length === 0) expect(changes.at(-1)?.after).toBeUndefined();
      }
      const scheduled = new Set([
        ...backward.map(({ target }) => target),
        ...statements.flatMap(({ target, journey }) => (journey.last === undefined ? [] : [target])),
      ]);
      expect(journeys.flatMap(({ into }) => into).filter((name) => !scheduled.has(name))).toEqual([]);
    }
  });
});

describe('what a statement is told', () => {
  it('a sigmoid: its derivative by its result, and the code of both passes', async () => {
    const h = statementOf(await only('examples/xor/xor.dsl'), 'h');
    expect(h.title).toBe('sigmoid');
    const [bySum, byBias] = h.derivatives;
    expect(bySum?.local).toBe(
      String.raw`\frac{\partial h_{n, j}}{\partial \mathit{h\_sum}_{n, j}} &= h_{n, j} \cdot \left(1-h_{n, j}\right)`,
    );
    expect(bySum?.step).toBe(
      String.raw`\mathit{dh\_sum}_{n, j} &\mathrel{+}= \mathit{dh}_{n, j} \cdot h_{n, j} \cdot \left(1-h_{n, j}\right) \quad \text{for every } n, j`,
    );
    expect(byBias?.journey.first).toContain(String.raw`\mathit{db1}_{j} &= \sum_{n}`);
    expect(byBias?.journey.last).toBe(String.raw`\mathit{db1}_{j} &= \sum_{n} \mathit{dh\_sum}_{n, j}`);
    expect(titles(byBias!.journey)).toEqual(['shared']);
    expect(h.code.forward.map((excerpt) => excerpt.function)).toEqual(['forward_rows']);
    const marked = h.code.forward.flatMap(({ lines }) =>
      lines.flatMap((line) => (line?.isMarked ? line.text.trim() : [])),
    );
    expect(marked).toContain('h[n * 3] = h_0;');
    expect(marked).not.toContain('a[n] = a_n;');
  });

  it('a loss as tutorials spell it: stabilised, and the gradient (a - y) / n with its reason', async () => {
    const loss = statementOf(await only('examples/xor/xor.dsl'), 'loss_sum');
    expect(loss.journey.first).toContain(String.raw`\ln\left(a_{n, k}\right)`);
    const [stabilised] = loss.journey.changes;
    expect(stabilised?.pass).toBe('stabilise');
    expect(stabilised?.after).toContain('softplus');
    expect(loss.derivatives.map(({ target }) => target)).toEqual(['dz']);
    expect(loss.derivatives[0]?.journey.last).toBe(
      String.raw`\mathit{dz}_{n, k} &= \frac{a_{n, k}-y_{n, k}}{\left|n\right|}`,
    );
    expect(loss.remarks.join()).toMatch(
      /^Sigmoid and cross-entropy cancel.* The division by \|n\| comes from the mean/,
    );
  });

  it.each(['digits', 'lenet', 'names'])(
    'softmax and cross-entropy of %s: p - onehot over n',
    async (name) => {
      const [explanation] = await explained(`examples/${name}/${name}.dsl`);
      const z = statementOf(explanation!, 'z');
      expect(z.cotangent?.journey?.last).toMatch(/= .*label|next/);
      expect(z.remarks.join()).toContain('**p − onehot**');
    },
  );

  it('max pooling: the place is remembered, and only it gets the cotangent', async () => {
    const lenet = await only('examples/lenet/lenet.dsl');
    const c1 = statementOf(lenet, 'c1');
    expect(c1.title).toBe('maximum');
    expect(statementOf(lenet, 'c1_argmax').noGradient).toContain('integers');
    expect(c1.derivatives[0]?.turned).toContain('known only when it runs');
    expect(c1.derivatives[0]?.journey.first).toContain(String.raw`\mathrel{+}=`);
  });

  it('convolution: turned around for the picture, summed over places for the weights', async () => {
    const sum = statementOf(await only('examples/lenet/lenet.dsl'), 'c2_conv2d_y_sum');
    expect(sum.title).toBe('convolution');
    expect(sum.derivatives.map(({ operand, turned }) => [operand, turned.split(',')[0]])).toEqual([
      ['c1', 'Turned around'],
      ['c2_conv2d_K', 'Written for each element of the operand'],
    ]);
    expect(sum.derivatives[0]?.journey.first).toContain('i - u, j - v');
  });

  it('a recurrence, an embedding, dropout', async () => {
    const names = await only('examples/names/names.dsl');
    const h = statementOf(names, 'z_gru_h');
    expect(h.forward).toContain('one step of a recurrence over t');
    expect(h.backward).toContain('run backwards');
    expect(h.cotangent?.from).toEqual(['z_dropout_y', 'z_gru_h', 'z_gru_s_sum']);
    expect(statementOf(names, 'z_embedding_y').title).toBe('embedding');
    expect(statementOf(names, 'z_dropout_y').title).toBe('random mask');
  });

  it('a weight with several shares: all of them together', async () => {
    const iris = await only('examples/iris/iris.dsl');
    const extras = iris.groups.flatMap(({ statements }) =>
      statements.flatMap((statement) => statement.extras),
    );
    expect(extras.map(({ target, title }) => [target, title])).toEqual([['dW', 'all shares together']]);
  });

  it('what the loss does not depend on, and a model without one', async () => {
    expect(statementOf(await only('examples/xor/xor.dsl'), 'accuracy').noGradient).toMatch(
      /^The loss does not depend/,
    );
    const [, decoder] = await explained('examples/vae/vae.dsl');
    expect(decoder?.loss).toBeUndefined();
    expect(statementOf(decoder!, 'grey').noGradient).toMatch(/no loss/);
    expect(await renderHtml(decoder!)).not.toContain('chain-rule');
  });

  it('what the code calls by another name: the cotangent of the sum in h, when that of h is gone', async () => {
    const xor = await only('examples/xor/xor.dsl');
    const h = statementOf(xor, 'h');
    expect(h.derivatives.map(({ target, journey }) => [target, journey.codeName])).toEqual([
      ['dh_sum', 'dh'],
      ['db1', undefined],
    ]);
    const marked = h.code.backward.flatMap(({ lines }) =>
      lines.flatMap((line) => (line?.isMarked ? line.text.trim() : [])),
    );
    expect(marked).toContain('const dh_0 = dz_n * W2_0 * (h_0 * (1 - h_0));');
    expect(renderMarkdown(xor)).toContain('The code calls it `dh`.');
    expect(await renderHtml(xor)).toContain('The code calls it <code>dh</code>.');
  });

  it('marks the lines of the code that store it', async () => {
    const { code } = statementOf(await only('examples/lenet/lenet.dsl'), 'z');
    const marked = code.forward.flatMap(({ lines }) =>
      lines.flatMap((line) => (line?.isMarked ? line.text.trim() : [])),
    );
    expect(marked).toEqual([
      'z.fill(0);',
      expect.stringMatching(/^contract_nn_\w+\(h, z_W, z, batch, /),
      'z[z_at_n + o]! += z_b[o]!;',
    ]);
  });

  it('its line of the model, and that of the layer', async () => {
    const lenet = await only('examples/lenet/lenet.dsl');
    const group = lenet.groups.find(({ statements }) => statements.some(({ target }) => target === 'z'));
    expect(group?.place.text.trim()).toBe('z = h |> dense(10)');
    expect(group?.place.text.slice(group.place.start, group.place.end)).toBe('dense');
    expect(statementOf(lenet, 'z').place.file).toBe('layers.dsl');
  });
});

describe('a function with a derivative of its own', () => {
  it('is taken as it says, and spelled out when that is done', async () => {
    const [explanation] = await explainText(
      'fn sq(x) = x * x\nderivative sq(x) = 7 * x\nmodel Own {\n  input x[n]\n  param w ~ ones\n  y[n] = sq(w * x[n])\n  loss = mean[n](y[n])\n}\n',
    );
    const y = statementOf(explanation!, 'y');
    expect(y.title).toBe('own function');
    expect(y.derivatives[0]?.local).toContain('= 7 \\cdot');
    expect(titles(y.journey)[0]).toBe('spelled out');
  });
});

describe('a derivative that the model asks for', () => {
  it('is put in as statements, which have derivatives like others', async () => {
    const [explanation] = await explainText(
      'model Penalty {\n  input x[n, 3]\n  param W[3] ~ ones\n  y[n] = tanh(sum[i](x[n, i] * W[i]))\n  g = grad(y, x)\n  loss = mean[n](sum[i](g[n, i]^2))\n}\n',
    );
    const g = statementOf(explanation!, 'g');
    expect(titles(g.journey)[0]).toBe('derivative put in');
    const made = statementOf(explanation!, 'dy_dx');
    expect(made.derivatives.map(({ operand }) => operand)).toContain('W');
  });
});

describe('the picture', () => {
  it('shows values and the cotangents that go against them', async () => {
    const { picture } = await only('examples/by-hand/by-hand.dsl');
    expect(picture.edges).toContainEqual({ from: 'x', to: 'u', returns: false });
    expect(picture.edges).toContainEqual({ from: 'u', to: 'h', returns: true });
    expect(picture.nodes.map(({ name, cotangent }) => `${name} ${cotangent?.name ?? '-'}`)).toEqual([
      'x -',
      'W1 dW1',
      'u du',
      'h dh',
      'W2 dW2',
      'y dy',
      't -',
      'loss_sum dloss_sum',
      'loss -',
    ]);
  });

  it('of a large model is one of its lines, each with one of its own', async () => {
    const { picture, groups } = await only('examples/gpt/gpt.dsl');
    expect(picture.nodes.filter(({ kind }) => kind === 'group').map(({ title }) => title)).toContain(
      'block3[n, 64, 64]',
    );
    const block = groups.find(({ statements }) => statements.some(({ target }) => target === 'block3'));
    expect(block?.picture?.nodes.map(({ name }) => name)).toContain('block3_attention_Q');
  });
});

describe('what a name may be', () => {
  it('a name with a mark of HTML in its line, a state and a primed name', async () => {
    const [explanation] = await explainText(
      [
        'model Odd {',
        '  input x[n]',
        '  param w ~ ones',
        '  state m ~ zeros',
        '  y[n] = (x[n] < 0.5 and x[n] > -1) ? w * x[n] : x[n]   // "a" & <b>',
        "  m' = 0.9 * m + 0.1 * sum[n](x[n])",
        '  loss = mean[n]((y[n] - m)^2)',
        '}',
        '',
      ].join('\n'),
    );
    const html = await renderHtml(explanation!);
    expect(html).toContain('(x[n] &lt; 0.5 and');
    expect(html).toContain('id="s-m.next"');
    expect(html).not.toContain('<b>');
  });
});

describe('long formulas', () => {
  it('are broken outside of brackets, before an operator', () => {
    const term = String.raw`\mathit{somewhat\_long\_name}_{i, j}`;
    expect(inLines(`a &= ${term}+${term}`)).toBe(`a = ${term}+${term}`);
    expect(inLines(`a &= ${term}+${term}-${term}+${term}`)).toBe(
      String.raw`\begin{aligned}a & ${term}+${term}-${term} \\ &\quad {}+${term}\end{aligned}`.replace(
        '& ',
        '&= ',
      ),
    );
    const bracketed = String.raw`\left(${term}+${term}+${term}+${term}\right)`;
    expect(inLines(`a &= ${bracketed}`)).toBe(`a = ${bracketed}`);
  });
});
