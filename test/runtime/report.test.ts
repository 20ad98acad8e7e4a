/** The page of a report, as text: what it says of a training, and that nothing of it is taken for markup. */
import {
  DataError,
  getTraining,
  LearningRateScheduler,
  ModelCheckpoint,
  setTraining,
  summary,
  TerminateOnNaN,
  type CallbackState,
  type TrainingSnapshot,
} from 'chainrule/runtime';
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

  it('has the learning rate and norms of gradients, also of a training that was stopped and loaded', async () => {
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
    setTraining(loaded, getTraining(stopped));
    await loaded.fit(data, { callbacks: [new ReportRecorder({ every: 1 })], resume: true });

    const page = reportOf(loaded);
    expect(page).toContain('Norms of gradients, by parameter');
    expect(page.match(/<title>z_W, epoch \d: /g)).toHaveLength(3);
    expect(page.match(/<title>learning rate, epoch \d: 1</g)).toHaveLength(3);
    expect(page).toBe(reportOf(straight));
  });

  it('has the rate of each optimizer as the update took it: of a schedule, scaled by callbacks', async () => {
    const text = CLASSES.replace(
      'optimizer: sgd(rate = 1)',
      'optimizer[z_W]: sgd(rate = exponential(0.5, 0.9)), optimizer: adam(rate = 1e-2)',
    );
    const trainer = (await moduleOf(text)).createTrainer();
    expect(trainer.rates).toEqual({ 'sgd of z_W': NaN, adam: NaN });
    const halved = new LearningRateScheduler((epoch) => 0.5 ** (epoch - 1));
    await trainer.fit(data, { callbacks: [halved, new ReportRecorder()] });
    // two steps an epoch; the last of the third is step 5, counted from 0
    expect(trainer.rates['sgd of z_W']).toBeCloseTo(0.5 * 0.9 ** 5 * 0.25, 12);
    expect(trainer.rates['adam']).toBe(0.0025);
    const page = reportOf(trainer);
    const told = [...page.matchAll(/<title>(sgd of z_W|adam), epoch (\d): ([\d.e-]+)</g)].map((match) =>
      match.slice(1),
    );
    expect(told).toEqual([
      ['sgd of z_W', '1', '0.45'],
      ['sgd of z_W', '2', '0.1823'],
      ['sgd of z_W', '3', '0.07381'],
      ['adam', '1', '0.01'],
      ['adam', '2', '0.005'],
      ['adam', '3', '0.0025'],
    ]);
  });

  it('says that there is no rate, where no optimizer has one', async () => {
    const text = `optimizer plain(speed = 0.1) { p' = p - speed * g }\n${CLASSES.replace('sgd(rate = 1)', 'plain')}`;
    const trainer = (await moduleOf(text)).createTrainer();
    await trainer.fit(data, { callbacks: [new ReportRecorder()] });
    expect(trainer.rates).toEqual({});
    const page = reportOf(trainer);
    expect(page).toContain('no optimizer of this model has a hyper-parameter named rate');
    expect(page).not.toContain('Learning rate');
  });

  it.each<[string, CallbackState, string]>([
    ['numbers', { epoch: 1 }, "has 'epoch', which is no column"],
    ['columns of another', { waited: Float64Array.of(1) }, "has 'waited'"],
    [
      'columns that are too short',
      { epoch: Float64Array.of(1, 2), 'rate/0': Float64Array.of(1) },
      "'rate/0' in the state",
    ],
    ['epochs that go back', { epoch: Float64Array.of(2, 1) }, 'one after another'],
  ])('a recorder refuses %s as its state', (_, state, words) => {
    expect(() => new ReportRecorder().setState(state)).toThrow(DataError);
    expect(() => new ReportRecorder().setState(state)).toThrow(words);
  });

  it('refuses an option that it has not', () => {
    const trainer = classes.createTrainer();
    const wrong = (options: object) => () => reportOf(trainer, options);
    expect(wrong({ titel: 'x' })).toThrow("report has no option 'titel', did you mean 'title'?");
    expect(wrong({ title: 5 })).toThrow('title must be a text, found 5');
    const recorder = (options: unknown) => () =>
      new ReportRecorder(options as ConstructorParameters<typeof ReportRecorder>[0]);
    expect(recorder({ evry: 1 })).toThrow("ReportRecorder has no option 'evry', did you mean 'every'?");
    expect(recorder(null)).toThrow(DataError);
    expect(recorder({ every: 0 })).toThrow('every must be a whole number from 1, found 0');
  });

  it.each([1, 2, 10])(
    'is the same of a training that was stopped at any step, with every: %i',
    async (every) => {
      const recorder = (): ReportRecorder => new ReportRecorder({ every });
      const whole = classes.createTrainer({ batch: 1 });
      await whole.fit(data, { callbacks: [recorder()] });
      const wanted = reportOf(whole);
      expect(wanted).not.toContain('finite');
      for (let stop = 1; stop < 18; stop++) {
        const controller = new AbortController();
        const stopped = classes.createTrainer({ batch: 1 });
        await stopped.fit(data, {
          callbacks: [recorder()],
          signal: controller.signal,
          onBatch: () => stopped.step === stop && controller.abort(),
        });
        const resumed = classes.createTrainer({ batch: 1 });
        setTraining(resumed, getTraining(stopped));
        // one that goes on for no step loses nothing, either
        await resumed.fit(data, { callbacks: [recorder()], resume: true, signal: AbortSignal.abort() });
        await resumed.fit(data, { callbacks: [recorder()], resume: true });
        expect(reportOf(resumed) === wanted, `stopped at step ${stop}`).toBe(true);
      }
    },
  );

  it('has the epoch of a checkpoint, wherever in the list the recorder stands', async () => {
    const snapshots: TrainingSnapshot[] = [];
    const checkpoint = (): ModelCheckpoint =>
      new ModelCheckpoint({ path: 'x', write: (_, snapshot) => void snapshots.push(snapshot) });
    const whole = classes.createTrainer();
    await whole.fit(data, { callbacks: [checkpoint(), new ReportRecorder()] });
    const resumed = classes.createTrainer();
    setTraining(resumed, snapshots[0]!);
    await resumed.fit(data, { callbacks: [checkpoint(), new ReportRecorder()], resume: true });
    expect(reportOf(resumed)).toBe(reportOf(whole));
  });

  it('leaves a gap, and no sentence, where nobody has looked at the gradients', async () => {
    const controller = new AbortController();
    const trainer = classes.createTrainer({ batch: 1 });
    await trainer.fit(data, {
      signal: controller.signal,
      onBatch: () => trainer.step === 2 && controller.abort(),
    });
    await trainer.fit(data, { resume: true, callbacks: [new ReportRecorder()] });
    const page = reportOf(trainer);
    expect([...page.matchAll(/<title>z_b, epoch (\d)/g)].map((match) => match[1])).toEqual(['2', '3']);
    expect(page).not.toMatch(/finite|class="broken"/);
  });

  it('says what was not finite in an epoch that was left', async () => {
    const trainer = classes.createTrainer({ batch: 1 });
    trainer.setWeights({ z_W: [1e308, 1e308, 1e308, 1e308, 1e308, 1e308], z_b: [0, 0, 0] });
    const nowhere = new TerminateOnNaN({ onStop: () => {} });
    await trainer.fit(data, { shuffle: false, callbacks: [nowhere, new ReportRecorder()] });
    expect(nowhere.step).toBeGreaterThan(1);
    expect(reportOf(trainer)).toContain(
      `No epoch has been finished yet. Epoch 1 was left after ${nowhere.step} steps: loss was not finite.`,
    );
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
    const trainer = module.createTrainer();
    trainer.setWeights({ z_W: [1, 1], z_b: [0] });
    const split = { x: [3, 0, -3, 0, 2, 1, -2, -1], odd: [1, 0, 1, 0] };
    // these happen to be between 0 and 1
    const small = { x: [0.1, 0.1, 0.2, 0.2], odd: [1, 1] };
    for (const rows of [split, small]) {
      const page = reportOf(trainer, { split: { data: rows } });
      expect(page).not.toContain('Confusion matrix');
      expect(page).toContain(
        'No confusion matrix: nothing in the formula of output &#39;logit&#39; keeps it between 0 and 1',
      );
      expect(() => reportOf(trainer, { split: { data: rows, classes: ['even', 'odd'] } })).toThrow(
        'classes are given, but there is no confusion matrix: nothing in the formula',
      );
    }
    const named = reportOf(trainer, { split: { data: small, output: 'logit', classes: ['even', 'odd'] } });
    expect(named).toContain('(odd: logit &#62; 0.5)');
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

  it('says what it looked for, where there is no matrix', async () => {
    const silent = (await moduleOf(CLASSES.replace(/output .*/, ''))).createTrainer();
    expect(reportOf(silent, { split: { data } })).toContain(
      'No confusion matrix: no output has a real number for each of the 3 classes of input &#39;label&#39;',
    );
    const report = (): string => reportOf(silent, { split: { data, classes: ['a', 'b', 'c'] } });
    expect(report).toThrow(DataError);
    expect(report).toThrow(
      'classes are given, but there is no confusion matrix: no output has a real number for each',
    );
  });

  it('is made of a training that has diverged, too', () => {
    const trainer = classes.createTrainer();
    trainer.setWeights({ z_W: [1e308, 1e308, 1e308, 1e308, 1e308, 1e308], z_b: [0, 0, 0] });
    const page = reportOf(trainer, { split: { data, classes: ['a', 'b', 'c'] } });
    expect(page).toMatch(/No confusion matrix: output &#39;p&#39; is NaN in row \d\./);
  });

  it('cuts long names of classes, which are whole where they are pointed at', () => {
    const long = 'Iris setosa, the bristle-pointed one';
    const page = reportOf(classes.createTrainer(), { split: { data, classes: [long, 'b', 'c'] } });
    expect(page).toContain(`<th scope="col" title="${long}">Iris setosa, the br…</th>`);
    expect(page).toContain(`<th scope="row" title="${long}">Iris setosa, the br…</th>`);
  });

  it('counts one epoch as one', async () => {
    const trainer = classes.createTrainer();
    await trainer.fit(data, { epochs: 1 });
    expect(reportOf(trainer)).toMatch(/2 steps, 1 epoch, seed 1/);
  });

  it.each([
    ['an input without classes', { label: 'x' }, "'x' is no input with one class"],
    ['an unknown output', { output: 'q' }, "'q' is no output with a number for each class"],
    [
      'a misspelt option',
      { clases: ['a', 'b', 'c'] },
      "split has no option 'clases', did you mean 'classes'?",
    ],
    ['names that are none', { classes: [1, 2, null] }, 'classes must be a list of names'],
    ['one text for names', { classes: 'abc' }, 'classes must be a list of names, found abc'],
    ['few names', { classes: ['a'] }, "classes must have 3 names, those of input 'label'; found 1"],
  ] as [string, object, string][])('refuses %s', (_, options, words) => {
    const report = (): string => reportOf(classes.createTrainer(), { split: { data, ...options } });
    expect(report).toThrow(DataError);
    expect(report).toThrow(words);
  });

  it('is made of a checkpoint alone, too, and has the summary of the model', () => {
    const trainer = classes.createTrainer();
    const { description } = trainer;
    const page = reportHtml({
      description,
      training: getTraining(trainer),
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

  it.each<[string, number[], string]>([
    ['from an epoch on', [3, 2, NaN, NaN], 'loss was not finite from epoch 3 on.'],
    ['in one', [3, Infinity, 2, 1], 'loss was not finite in epoch 2.'],
    ['in some', [NaN, 2, NaN, 1], 'loss was not finite in 2 epochs, first in epoch 1.'],
    ['in the last', [4, 3, 2, NaN], 'loss was not finite in epoch 4.'],
    ['in all', [NaN, NaN, NaN, NaN], 'loss was finite in no epoch.'],
  ])('says where a curve is not finite: %s', (_, values, sentence) => {
    const { text } = lineChart('loss', [{ name: 'loss', values }], { epochs: [1, 2, 3, 4] });
    expect(text).toContain(sentence);
    expect(text.match(/class="broken"/g) ?? []).toHaveLength(values.some(Number.isFinite) ? 1 : 0);
  });

  const chartOf = (values: number[], logarithmic?: boolean): string =>
    lineChart('loss', [{ name: 'loss', values }], {
      epochs: values.map((__, k) => k + 1),
      ...(logarithmic !== undefined && { logarithmic }),
    }).text;
  const ticksIn = (text: string): string[] =>
    [...text.matchAll(/text-anchor="end">\s*([^<\s]+)/g)].map((match) => match[1]!);

  it('is not made flat by one value: it is marked beyond the axis, and said', () => {
    const text = chartOf([1, 0.9, 0.8, 500, 0.7, 0.6, 0.5, 0.4]);
    expect(text).toContain(
      '1 value beyond the axis is marked by triangles; the largest is 500 (loss, epoch 4).',
    );
    expect(text.match(/class="beyond series-0"/g)).toHaveLength(1);
    expect(ticksIn(text)).toEqual(['0.4', '0.5', '0.6', '0.7', '0.8', '0.9', '1']);
  });

  it('is by powers of ten where positive values are of many decades, and else is not', () => {
    const wide = chartOf([1, 1e5, 1e10, 1e15, 1e20]);
    expect(wide).toContain('The axis is logarithmic.');
    expect(ticksIn(wide)).toEqual(['1', '1e5', '1e10', '1e15', '1e20']);
    for (const values of [
      [2.3, 0.1, 0.01],
      [0, 1e-9, 1],
    ])
      expect(chartOf(values)).not.toContain('logarithmic');
  });

  it.each<[string, number[], string[]]>([
    ['huge', [1e29, 3e29], ['1e29', '1.5e29', '2e29', '2.5e29', '3e29']],
    ['tiny', [1e-7, 3e-7], ['1e-7', '1.5e-7', '2e-7', '2.5e-7', '3e-7']],
    ['close', [1234567.1, 1234567.3], ['1234567.1', '1234567.15', '1234567.2', '1234567.25', '1234567.3']],
    ['around 0', [-0.2, 0.1], ['-0.2', '-0.15', '-0.1', '-0.05', '0', '0.05', '0.1']],
  ])('has short and exact ticks of %s numbers, all of them on the page', (_, values, wanted) => {
    const text = chartOf(values);
    expect(ticksIn(text)).toEqual(wanted);
    const right = Math.min(
      ...[...text.matchAll(/<text x="([\d.]+)" [^>]*"end"/g)].map((match) => Number(match[1])),
    );
    expect(right).toBeGreaterThanOrEqual(7 * Math.max(...wanted.map(({ length }) => length)));
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
