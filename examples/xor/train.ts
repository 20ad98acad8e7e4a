/** Learns exclusive or from its four rows. */
import { ProgressBar } from 'chainrule/node';
import { createTrainer } from '../../generated/xor.ts';

const data = { x: [0, 0, 0, 1, 1, 0, 1, 1], y: [0, 1, 1, 0] };
const trainer = createTrainer();
await trainer.fit(data, { callbacks: [new ProgressBar({ every: 500 })] });

const { a } = trainer.predict(data);
for (let row = 0; row < 4; row++) {
  console.log(
    `${data.x[2 * row]} xor ${data.x[2 * row + 1]} = ${data.y[row]}   network: ${a[row]!.toFixed(4)}`,
  );
}
