/** Solves a differential equation by training: the loss is how far the network is from fulfilling it. */
import { ProgressBar } from 'chainrule/node';
import { createTrainer } from '../../generated/pinn.ts';

const points = (count: number): number[] => Array.from({ length: count }, (_, place) => place / (count - 1));

const trainer = createTrainer();
await trainer.fit({ x: points(32) }, { callbacks: [new ProgressBar({ every: 250 })] });

const x = points(101);
const { u } = trainer.predict({ x });
const errors = x.map((at, place) => Math.abs(u[place]! - Math.sin(Math.PI * at)));
for (const at of [0, 25, 50, 75, 100])
  console.log(
    `u(${x[at]!.toFixed(2)}) = ${u[at]!.toFixed(4)}   sin(pi x) = ${Math.sin(Math.PI * x[at]!).toFixed(4)}`,
  );
console.log(`greatest error ${Math.max(...errors).toFixed(5)}`);
