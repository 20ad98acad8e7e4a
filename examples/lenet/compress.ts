/** What the network of lenet.dsl loses when its weights are pruned and stored in one byte each; `--quick`: one short epoch. */
import { createPredictor } from '../../generated/lenet.inference.ts';
import { createTrainer } from '../../generated/lenet.ts';
import { compress } from '../common/compress.ts';

await compress({ name: 'lenet', createTrainer, createPredictor });
