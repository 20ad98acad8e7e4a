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

// The one-cycle policy (Smith & Topin 2019) as in PyTorch: from rate/start up to rate until step warm·total - 1, then
// down to rate/start/end at the last step, total - 1; along half cosines, or straight lines with linear = true.
schedule one_cycle(rate, total, warm = 0.3, start = 25, end = 1e4, linear = false) {
  peak  = warm * total - 1
  low   = rate / start
  up    = step / peak
  down  = min(1, (step - peak) / (total - 1 - peak))
  value = step < peak
    ? low + (rate - low) * (linear ? up : (1 - cos(pi * up)) / 2)
    : rate + (low / end - rate) * (linear ? down : (1 - cos(pi * down)) / 2)
}

// The momentum that goes with it: from high to low while the rate rises, and back
schedule one_cycle_momentum(total, low = 0.85, high = 0.95, warm = 0.3, linear = false) {
  peak  = warm * total - 1
  up    = step / peak
  down  = min(1, (step - peak) / (total - 1 - peak))
  value = step < peak
    ? high + (low - high) * (linear ? up : (1 - cos(pi * up)) / 2)
    : low + (high - low) * (linear ? down : (1 - cos(pi * down)) / 2)
}

// Multiplies the rate by factor when the loss has not been better than its best for more than `patience` steps, then
// waits `cooldown` steps; as PyTorch's ReduceLROnPlateau, mode min, threshold relative (or absolute with
// relative = false). A reduction by eps or less is not made.
schedule reduce_on_plateau(
  rate, factor = 0.1, patience = 10, threshold = 1e-4, relative = true, cooldown = 0, floor = 0, eps = 1e-8
) {
  state current ~ constant(rate), best ~ zeros, bad ~ zeros, cool ~ zeros
  value    = current
  better   = step == 0 or loss < (relative ? best * (1 - threshold) : best - threshold)
  count    = better or cool > 0 ? 0 : bad + 1
  reduce   = count > patience
  lower    = max(current * factor, floor)
  best'    = better ? loss : best
  current' = reduce and current - lower > eps ? lower : current
  cool'    = reduce ? cooldown : max(cool - 1, 0)
  bad'     = reduce ? 0 : count
}
