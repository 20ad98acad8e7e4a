/** One step of backpropagation on x = [1, 2], t = 0, each value beside the formula that gives it. */
import { createTrainer } from '../../generated/by-hand.ts';

const data = { x: [1, 2], t: [0] };
const trainer = createTrainer();
const { loss } = trainer.gradientsOnBatch(data);
const { W1: dW1, W2: dW2 } = trainer.getGradients();
const { h, y } = trainer.predict(data);
const list = (values: ArrayLike<number>): string => `[${Array.from(values).join(', ')}]`;

console.log(`x    = ${list(data.x)}, t = ${data.t[0]}, all weights 1`);
console.log(`h    = relu(x W1)         = ${list(h)}`);
console.log(`y    = h W2               = ${y[0]}`);
console.log(`loss = 1/2 (y - t)^2      = ${loss}`);
console.log(`dy   = y - t              = ${y[0]! - data.t[0]!}`);
console.log(`dW2  = h dy               = ${list(dW2!)}`);
console.log(`dh   = W2 dy              = ${list([y[0]!, y[0]!])}`);
console.log(`dW1  = x (dh where h > 0) = [${list(dW1!.slice(0, 2))}, ${list(dW1!.slice(2))}]`);
