/** Declares what a trained network of the oracle is given; its `finish` adds the `train` block. */
import type { OracleCase, OracleTensor } from '../cases.ts';
import { trainBlock } from './training.ts';
import { CaseWriter, nameOf, type CaseProgram } from './writer.ts';

/** Given for each step apart, along the first axis; all others are given by rows, or whole. */
const BY_STEP = ['noise', 'ids'];

export const isByStep = ({ name }: OracleTensor): boolean => BY_STEP.includes(name);

/** Is the tensor's first axis, or its second where the first are the steps, the batch? */
export const isOfBatch = (tensor: OracleTensor): boolean =>
  tensor.role === 'input' || tensor.role === 'target' || isByStep(tensor);

/**
 * `rows` is the size of the batch; `training` leaves it open (the dimension n). Without it, inputs are parameters where
 * the case wants their gradient.
 */
export class TrainedWriter extends CaseWriter {
  constructor(of: OracleCase, rows: number, training: boolean) {
    super(of, (tensor) => !isOfBatch(tensor) && tensor.name !== 'batch_index');
    for (const tensor of of.tensors) {
      if (!isOfBatch(tensor)) continue;
      const axes = tensor.shape.slice(isByStep(tensor) ? 2 : 1);
      const head = `${nameOf(tensor.name)}[${[training ? 'n' : String(rows), ...axes].join(', ')}]`;
      if (tensor.dtype === 'i4') this.line(`input ${head}: 0 .. ${Math.max(...of.read(tensor))}`);
      else if (!training && tensor.has_gradient === true) this.line(`param ${head} ~ zeros`);
      else this.line(`input ${head}`);
    }
  }

  override finish(): CaseProgram {
    return super.finish(trainBlock(this.of));
  }
}
