/** Learns exclusive or from its four rows. */
import { createTrainer } from '../../generated/xor.ts';
import { progress } from '../common/progress.ts';

const data = { x: [0, 0, 0, 1, 1, 0, 1, 1], y: [0, 1, 1, 0] };
const trainer = createTrainer();
await trainer.fit(data, { onEpoch: progress(500).onEpoch! });

const { a } = trainer.predict(data);
for (let row = 0; row < 4; row++) {
  console.log(
    `${data.x[2 * row]} xor ${data.x[2 * row + 1]} = ${data.y[row]}   network: ${a[row]!.toFixed(4)}`,
  );
}
