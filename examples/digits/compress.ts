/** What the network of digits.dsl loses when its weights are pruned and stored in one byte each; `--quick`: one short epoch. */
import { createPredictor } from '../../generated/digits.inference.ts';
import { createTrainer } from '../../generated/digits.ts';
import { compress } from '../common/compress.ts';

await compress({ name: 'digits', createTrainer, createPredictor });
