/** The page of a report, as text: what it says of a training, and that nothing of it is taken for markup. */
import { DataError, summary } from 'chainrule/runtime';
import { ReportRecorder, reportHtml, reportOf } from 'chainrule/report';
import { beforeAll, describe, expect, it } from 'vitest';
import { lineChart } from '../../runtime/report/chart.ts';
import { html } from '../../runtime/report/html.ts';
import type { EmittedModule } from '../support/load.ts';
import { moduleOf } from './support.ts';

const CLASSES = `model Classes {
  input x[n, 2]
  input label[n]: 3
  z = x |> dense(3)
  output p[n, k] = softmax[k](z[n, k])
  loss = mean[n](cross_entropy[k](z[n, k], label[n]))
  metric accuracy = mean[n](argmax[k](z[n, k]) == label[n])
  train { optimizer: sgd(rate = 1), batch: 4, epochs: 3, seed: 1 }
}`;

const YES_OR_NO = `model Yes {
  input x[n, 2]
  input label[n]: 2
  z = x |> dense(1)
  output p[n, k] = sigmoid(z[n, k])
  loss = mean[n, k](label[n] * softplus(-z[n, k]) + (1 - label[n]) * softplus(z[n, k]))
  train { optimizer: sgd(rate = 1), batch: 4, epochs: 3, seed: 1 }
}`;

const data = { x: [0, 0, 1, 0, 0, 1, 1, 1, 0, 0.1, 0.9, 0], label: [0, 1, 2, 2, 0, 1] };

describe('a report', () => {
  let classes: EmittedModule;
  let yes: EmittedModule;
  beforeAll(async () => {
    [classes, yes] = await Promise.all([moduleOf(CLASSES), moduleOf(YES_OR_NO)]);
  });

  it('has a curve of each result, with and without val_, and every number in a table', async () => {
    const trainer = classes.createTrainer();
    const { history } = await trainer.fit(data, { validationData: data });
    const page = reportOf(trainer);
    for (const name of ['loss', 'accuracy']) expect(page).toContain(`<figcaption>${name}</figcaption>`);
    expect(page.match(/class="curve/g)).toHaveLength(4);
    for (const values of Object.values(history as Record<string, number[]>))
      for (const value of values) expect(page).toContain(`<td>${value.toFixed(4)}</td>`);
    expect(page).toContain('where a ReportRecorder is among');
    expect(page).not.toMatch(/<script|https?:|\bon\w+=/);
  });

  it('says that nothing was trained, where nothing was', () => {
    expect(reportOf(classes.createTrainer())).toContain('No epoch has been finished yet.');
  });

  it('has the factor of the rate and norms of gradients, also of a training that was stopped and loaded', async () => {
    const straight = classes.createTrainer();
    await straight.fit(data, { callbacks: [new ReportRecorder({ every: 1 })] });

    const stopped = classes.createTrainer();
    const controller = new AbortController();
    await stopped.fit(data, {
      callbacks: [new ReportRecorder({ every: 1 })],
      signal: controller.signal,
      onEpoch: ({ epoch }: { epoch: number }) => epoch === 2 && controller.abort(),
    });
    const loaded = classes.createTrainer();
    loaded.setTraining(stopped.getTraining());
    await loaded.fit(data, { callbacks: [new ReportRecorder({ every: 1 })], resume: true });

    const page = reportOf(loaded);
    expect(page).toContain('Norms of gradients, by parameter');
    expect(page.match(/<title>z_W, epoch \d: /g)).toHaveLength(3);
    expect(page.match(/<title>rate factor, epoch \d: 1</g)).toHaveLength(3);
    expect(page).toBe(reportOf(straight));
  });

  it('counts which classes were taken for which', async () => {
    const trainer = classes.createTrainer();
    await trainer.fit(data, { epochs: 200 });
    const names = ['rain & wind', 'sun', '<b>snow</b>'];
    const page = reportOf(trainer, { split: { data, name: 'six days', classes: names } });
    expect(page).toContain('Confusion matrix of six days');
    expect(page).toContain('&#60;b&#62;snow&#60;/b&#62;');
    expect(page).not.toContain('<b>');
    const counts = [...page.matchAll(/--share: [\d.]+">(\d+)</g)].map((match) => Number(match[1]));
    expect(counts).toEqual([2, 0, 0, 0, 2, 0, 0, 0, 2]);
  });

  it('takes one probability for two classes', async () => {
    const two = { x: data.x, label: data.label.map((label) => Number(label > 0)) };
    const trainer = yes.createTrainer();
    await trainer.fit(two, { epochs: 100 });
    expect(reportOf(trainer, { split: { data: two } })).toMatch(
      /class="right"[^>]*>2<.*class="right"[^>]*>4</s,
    );
  });

  it('takes no logit for a probability', async () => {
    const module = await moduleOf(`model Logit {
      input x[n, 2]
      input odd[n]: 2
      z = x |> dense(1)
      output logit[n] = z[n, 0]
      loss = mean[n](bce_logits(logit[n], odd[n]))
      train { optimizer: sgd(rate = 1), batch: 4 }
    }`);
    const split = { x: [3, 0, -3, 0, 2, 1, -2, -1], odd: [1, 0, 1, 0] };
    const trainer = module.createTrainer();
    trainer.setWeights({ z_W: [1, 1], z_b: [0] });
    expect(reportOf(trainer, { split: { data: split } })).not.toContain('Confusion matrix');
    expect(() => reportOf(trainer, { split: { data: split, output: 'logit' } })).toThrow(
      "output 'logit' must be the probability of class 1",
    );
  });

  it('keeps the names of curves whole', async () => {
    const text = CLASSES.replace('metric accuracy', 'metric interval_accuracy');
    const trainer = (await moduleOf(text)).createTrainer();
    await trainer.fit(data, { validationData: data });
    const titles = [...reportOf(trainer).matchAll(/<figcaption>([^<]*)</g)].map((match) => match[1]);
    expect(titles).toEqual(['loss', 'interval_accuracy']);
  });

  it.each([
    ['an input without classes', { label: 'x' }, "'x' is no input with one class"],
    ['an unknown output', { output: 'q' }, "'q' is no output with a number for each class"],
    ['few names', { classes: ['a'] }, "classes must have 3 names, those of input 'label'; found 1"],
  ])('refuses %s', (_, options, words) => {
    const report = (): string => reportOf(classes.createTrainer(), { split: { data, ...options } });
    expect(report).toThrow(DataError);
    expect(report).toThrow(words);
  });

  it('is made of a checkpoint alone, too, and has the summary of the model', () => {
    const trainer = classes.createTrainer();
    const { description } = trainer;
    const page = reportHtml({
      description,
      training: trainer.getTraining(),
      title: '"T"',
    });
    expect(page).toContain(`<pre>${summary({ description })}</pre>`);
    expect(page).toContain('<title>&#34;T&#34;</title>');
  });
});

describe('a chart', () => {
  it('leaves gaps where a value is not finite', () => {
    const { text } = lineChart('loss', [{ name: 'loss', values: [1, NaN, 2, 3] }], { epochs: [1, 2, 3, 4] });
    expect(text).toMatch(/class="curve series-0" d="M[\d.,]+ZM[\d.,]+L[\d.,]+"/);
    expect(text.match(/<circle/g)).toHaveLength(3);
    expect(text).not.toMatch(/ d="[^"]*NaN/);
  });

  it('has a sentence where there is no finite value', () => {
    expect(lineChart('loss', [{ name: 'loss', values: [NaN] }], { epochs: [1] }).text).toContain(
      'No finite value.',
    );
  });

  it('draws what is always the same, and a single epoch', () => {
    const { text } = lineChart('loss', [{ name: 'loss', values: [2] }], { epochs: [1] });
    expect(text).not.toContain('NaN');
    expect(text).toContain('<title>loss, epoch 1: 2</title>');
  });

  it('by powers of ten has ticks that one reads', () => {
    const ticksOf = (values: number[]): string[] => {
      const { text } = lineChart('norms', [{ name: 'W', values }], { epochs: [1, 2], logarithmic: true });
      return [...text.matchAll(/text-anchor="end">\s*([^<\s]+)/g)].map((match) => match[1]!);
    };
    expect(ticksOf([0.03, 1])).toEqual(['0.05', '0.1', '0.2', '0.5', '1']);
    expect(ticksOf([1e-6, 1])).toEqual(['1e-6', '1e-5', '1e-4', '0.001', '0.01', '0.1', '1']);
  });

  it('of many curves colours the first, and says how many others there are', () => {
    const series = Array.from({ length: 9 }, (_, k) => ({ name: `W${k}`, values: [k + 1, k] }));
    const { text } = lineChart('norms', series, { epochs: [1, 2], coloured: 6 });
    expect(text).toContain('3 others');
    expect(text.match(/class="curve series-rest"/g)).toHaveLength(3);
  });
});

describe('markup', () => {
  it('escapes what is put into it, but markup', () => {
    expect(html`<p title="${'"&'}">${['<i>', html`<b>${1}</b>`]}</p>`.text).toBe(
      '<p title="&#34;&#38;">&#60;i&#62;<b>1</b></p>',
    );
  });
});
