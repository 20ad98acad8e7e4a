/** `train` blocks: optimizer, schedule and clipping of a case, in the library's words. */
import type { Hyper, OracleCase } from '../cases.ts';
import { nameOf, Unsupported } from './writer.ts';

interface OptimizerHyper {
  readonly kind: string;
  readonly lr: number;
  readonly betas?: readonly [number, number];
  readonly [key: string]: unknown;
}

/** The library's names for PyTorch's hyper-parameters, optimizer by optimizer. */
const optimizers: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sgd: { momentum: 'momentum', dampening: 'dampening', nesterov: 'nesterov', weight_decay: 'weight_decay' },
  rmsprop: {
    alpha: 'alpha',
    eps: 'eps',
    centered: 'centered',
    momentum: 'momentum',
    weight_decay: 'weight_decay',
  },
  adagrad: {
    lr_decay: 'rate_decay',
    initial_accumulator_value: 'initial',
    eps: 'eps',
    weight_decay: 'weight_decay',
  },
  adadelta: { rho: 'rho', eps: 'eps', weight_decay: 'weight_decay' },
  adam: { eps: 'eps', weight_decay: 'weight_decay', amsgrad: 'amsgrad' },
  adamw: { eps: 'eps', weight_decay: 'weight_decay', amsgrad: 'amsgrad' },
  adamax: { eps: 'eps', weight_decay: 'weight_decay' },
  nadam: { eps: 'eps', weight_decay: 'weight_decay', momentum_decay: 'momentum_decay' },
  radam: { eps: 'eps', weight_decay: 'weight_decay' },
  lion: { weight_decay: 'weight_decay' },
  lamb: { eps: 'eps', weight_decay: 'weight_decay' },
};

/** PyTorch's names of optimizer states -> the library's. */
export const stateNames: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sgd: { momentum_buffer: 'u' },
  rmsprop: { square_avg: 'v', grad_avg: 'a', momentum_buffer: 'u' },
  adagrad: { sum: 's' },
  adadelta: { square_avg: 'v', acc_delta: 'a' },
  adam: { exp_avg: 'm', exp_avg_sq: 'v', max_exp_avg_sq: 'w' },
  adamw: { exp_avg: 'm', exp_avg_sq: 'v', max_exp_avg_sq: 'w' },
  adamax: { exp_avg: 'm', exp_inf: 'u' },
  nadam: { exp_avg: 'm', exp_avg_sq: 'v' },
  radam: { exp_avg: 'm', exp_avg_sq: 'v' },
  lion: { exp_avg: 'm' },
  lamb: { exp_avg: 'm', exp_avg_sq: 'v' },
};

/** Parameters with hyper-parameters of their own. */
interface ParameterGroup {
  readonly params: readonly string[];
  readonly [key: string]: unknown;
}

export function trainBlock(of: OracleCase): string {
  const hyper = of.hyper ?? {};
  const optimizer = hyper['optimizer'] as OptimizerHyper;
  const groups = hyper['param_groups'];
  const optimizers = Array.isArray(groups)
    ? (groups as ParameterGroup[]).map(
        (group) =>
          `optimizer[${group.params.map(nameOf).join(', ')}]: ${optimizerCall({ ...optimizer, ...group }, hyper)}`,
      )
    : [`optimizer: ${optimizerCall(optimizer, hyper)}`];
  const frozen = of.tensors.filter((tensor) => tensor.frozen === true).map(({ name }) => nameOf(name));
  const entries = [
    ...optimizers,
    ...(frozen.length === 0 ? [] : [`freeze: [${frozen.join(', ')}]`]),
    ...clip(hyper),
    'batch: 1',
    'epochs: 1',
    'shuffle: false',
  ];
  return `train { ${entries.join(', ')} }`;
}

function optimizerCall(optimizer: OptimizerHyper, hyper: Hyper): string {
  const names = optimizers[optimizer.kind];
  if (names === undefined) throw new Unsupported(`optimizer ${optimizer.kind}`);
  const schedule = hyper['schedule'] as ScheduleHyper | undefined;
  const values: Record<string, string> = {
    rate: schedule === undefined ? String(optimizer.lr) : scheduleCall(schedule, optimizer.lr),
  };
  if (optimizer.betas !== undefined)
    [values['beta1'], values['beta2']] = optimizer.betas.map(String) as [string, string];
  for (const [theirs, ours] of Object.entries(names)) {
    if (optimizer[theirs] !== undefined) values[ours] = String(optimizer[theirs]);
  }
  if (schedule?.['cycle_momentum'] === true) {
    values[optimizer.kind === 'sgd' ? 'momentum' : 'beta1'] = momentumCall(schedule);
  }
  return `${optimizer.kind}(${Object.entries(values)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ')})`;
}

export interface ScheduleHyper {
  readonly kind: string;
  readonly [key: string]: unknown;
}

/** The rate's schedule in the library's words. */
export function scheduleCall(schedule: ScheduleHyper, base: number): string {
  const at = (key: string): string => String(schedule[key]);
  const linear = schedule['anneal_strategy'] === 'linear';
  const threePhase = schedule['three_phase'] === true ? ', three_phase = true' : '';
  switch (schedule.kind) {
    case 'step':
      return `step_decay(${base}, period = ${at('step_size')}, factor = ${at('gamma')})`;
    case 'exponential':
      return `exponential(${base}, factor = ${at('gamma')})`;
    case 'cosine':
      return `cosine(${base}, period = ${at('T_max')}, floor = ${at('eta_min')})`;
    case 'warmup_cosine':
      return `warmup_cosine(${base}, warmup = ${at('warmup_steps')}, total = ${at('total_steps')}, ratio = ${at('min_ratio')})`;
    case 'one_cycle':
      return (
        `one_cycle(${at('max_lr')}, total = ${at('total_steps')}, warm = ${at('pct_start')}, ` +
        `start = ${at('div_factor')}, end = ${at('final_div_factor')}, linear = ${linear}${threePhase})`
      );
    case 'reduce_on_plateau':
      return (
        `reduce_on_plateau(${base}, factor = ${at('factor')}, patience = ${at('patience')}, ` +
        `threshold = ${at('threshold')}, relative = ${schedule['threshold_mode'] === 'rel'}, ` +
        `cooldown = ${at('cooldown')}, floor = ${at('min_lr')}, eps = ${at('eps')}` +
        `${schedule['mode'] === 'max' ? ', maximize = true' : ''})`
      );
    default:
      throw new Unsupported(`schedule ${schedule.kind}`);
  }
}

function momentumCall(schedule: ScheduleHyper): string {
  const threePhase = schedule['three_phase'] === true ? ', three_phase = true' : '';
  return (
    `one_cycle_momentum(total = ${String(schedule['total_steps'])}, low = ${String(schedule['base_momentum'])}, ` +
    `high = ${String(schedule['max_momentum'])}, warm = ${String(schedule['pct_start'])}, ` +
    `linear = ${schedule['anneal_strategy'] === 'linear'}${threePhase})`
  );
}

function clip(hyper: Hyper): string[] {
  const given = hyper['clip'] as { kind: string; max_norm?: number; clip_value?: number } | undefined;
  if (given === undefined) return [];
  if (given.kind === 'global_norm') return [`clip_norm: ${given.max_norm}`];
  if (given.kind === 'value') return [`clip_value: ${given.clip_value}`];
  throw new Unsupported(`clipping ${given.kind}`);
}

/**
 * A schedule without a network: w falls by the rate at every step, because its gradient is 1; `metric` is the loss
 * that the schedule sees.
 */
export function traceProgram(of: OracleCase): string {
  const hyper = of.hyper ?? {};
  const schedule = scheduleCall(hyper['schedule'] as ScheduleHyper, Number(hyper['base_lr']));
  return [
    'model Trace {',
    '  input metric_',
    '  param w ~ zeros',
    '  loss = metric_ + w - stop_gradient(w)',
    `  train { optimizer: sgd(rate = ${schedule}), batch: 1, epochs: 1 }`,
    '}',
    '',
  ].join('\n');
}
