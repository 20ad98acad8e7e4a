/**
 * Losses of PyTorch 1.13.1 on batch 0, before and after 1 and 20 steps on it, from the first weights of `workloads.ts`.
 */
import type { Losses } from './measure.ts';

export const reference: Readonly<Record<string, Losses>> = {
  W1: { loss0: 0.819480062, loss1: 0.808260441, loss20: 0.709878147 },
  W2: { loss0: 2.64787054, loss1: 2.42911983, loss20: 1.89334249 },
  W3: { loss0: 2.46956182, loss1: 2.20153403, loss20: 0.111559339 },
  W4: { loss0: 2.45642877, loss1: 2.37474132, loss20: 2.00650597 },
  W5: { loss0: 4.16034985, loss1: 4.15766335, loss20: 4.07776976 },
  W6: { loss0: 5.14709139, loss1: 4.57083273, loss20: 0.215722546 },
  S1: { loss0: 1.60435426, loss1: 1.58397186, loss20: 1.30041039 },
  S2: { loss0: 2.76093721, loss1: 2.67998075, loss20: 2.01212716 },
  S3: { loss0: 2.37507963, loss1: 2.3484211, loss20: 2.13335776 },
};
