// Schedules: the value of a hyper-parameter (mostly the rate) at step = 0, 1, 2, ...
//   optimizer: sgd(rate = one_cycle(0.3, total = 2000), momentum = one_cycle_momentum(total = 2000))
// A block has states of one number each, updated after each step with the loss of that step.

// rate · factor^⌊step / period⌋
schedule step_decay(rate, period, factor = 0.1) = rate * factor^floor(step / period)

// rate · factor^step
schedule exponential(rate, factor) = rate * factor^step

// from rate to floor along half a cosine of `period` steps, and back again (Loshchilov & Hutter 2017)
schedule cosine(rate, period, floor = 0) = floor + (rate - floor) * (1 + cos(pi * step / period)) / 2

// in a straight line from rate to end within `total` steps, then constant
schedule linear(rate, total, end = 0) = rate + (end - rate) * min(1, step / total)

// in a straight line up to rate within `warmup` steps, then constant
schedule warmup(rate, warmup) = rate * min(1, (step + 1) / warmup)

// up to rate within `warmup` steps, then half a cosine down to rate · ratio at `total`, then constant
schedule warmup_cosine(rate, warmup, total, ratio = 0) =
  step < warmup
    ? rate * (step + 1) / warmup
    : rate * (ratio + (1 - ratio) * (1 + cos(pi * min(1, (step - warmup) / max(1, total - warmup)))) / 2)

// From x at u = 0 to y at u = 1, along half a cosine or a straight line
fn anneal(x, y, u, linear = false) = linear ? x + (y - x) * u : y + (x - y) * (1 + cos(pi * u)) / 2

// The one-cycle policy (Smith & Topin 2019) as in PyTorch: from rate/start up to rate until step warm·total - 1, then
// down to rate/start/end at the last step, total - 1. With three_phase = true it comes down as it went up, to rate/start,
// before it goes on to rate/start/end.
schedule one_cycle(rate, total, warm = 0.3, start = 25, end = 1e4, linear = false, three_phase = false) {
  peak  = warm * total - 1
  low   = rate / start
  from  = three_phase ? low : rate
  since = three_phase ? 2 * peak : peak
  value = step < peak ? anneal(low, rate, step / peak, linear)
    : three_phase and step < since ? anneal(rate, low, (step - peak) / peak, linear)
    : anneal(from, low / end, min(1, (step - since) / (total - 1 - since)), linear)
}

// The momentum that goes with it: from high to low while the rate rises, and back
schedule one_cycle_momentum(total, low = 0.85, high = 0.95, warm = 0.3, linear = false, three_phase = false) {
  peak  = warm * total - 1
  back  = three_phase ? 2 * peak : total - 1
  value = step < peak ? anneal(high, low, step / peak, linear)
    : anneal(low, high, min(1, (step - peak) / (back - peak)), linear)
}

// Multiplies the rate by factor when the loss has not been better than its best for more than `patience` steps, then
// waits `cooldown` steps; as PyTorch's ReduceLROnPlateau. Better is less by `threshold` times the best (or by `threshold`
// itself, with relative = false), or greater with maximize = true. A reduction by eps or less is not made.
schedule reduce_on_plateau(
  rate, factor = 0.1, patience = 10, threshold = 1e-4, relative = true, cooldown = 0, floor = 0, eps = 1e-8,
  maximize = false
) {
  state current ~ constant(rate), best ~ zeros, bad ~ zeros, cool ~ zeros
  value    = current
  less     = loss < (relative ? best * (1 - threshold) : best - threshold)
  greater  = loss > (relative ? best * (1 + threshold) : best + threshold)
  better   = step == 0 or (maximize ? greater : less)
  count    = better or cool > 0 ? 0 : bad + 1
  reduce   = count > patience
  lower    = max(current * factor, floor)
  best'    = better ? loss : best
  current' = reduce and current - lower > eps ? lower : current
  cool'    = reduce ? cooldown : max(cool - 1, 0)
  bad'     = reduce ? 0 : count
}

// 0 before the step `start`, then 1: a factor for the rate of parameters that are unfrozen then (Howard & Ruder 2018)
schedule from_step(start) = step < start ? 0 : 1

// rate · factor^depth: the rate of a layer that is `depth` layers below the last (Howard & Ruder 2018, Clark et al. 2020)
fn layerwise(rate, factor, depth) = rate * factor^depth
