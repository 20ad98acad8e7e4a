/** A canvas to draw a digit on, and the digit as the network wants it. */

const SIDE = 28;

/** @param onDigit gets the 784 grey levels, 0 .. 1, whenever a stroke ends */
export function watchDrawing(
  canvas: HTMLCanvasElement,
  clear: HTMLButtonElement,
  onDigit: (x: Float32Array) => void,
): void {
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.lineWidth = canvas.width / 12;
  context.lineCap = 'round';
  context.strokeStyle = 'white';
  let isDrawing = false;
  canvas.addEventListener('pointerdown', (event) => {
    isDrawing = true;
    context.beginPath();
    context.moveTo(event.offsetX, event.offsetY);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!isDrawing) return;
    context.lineTo(event.offsetX, event.offsetY);
    context.stroke();
  });
  addEventListener('pointerup', () => {
    if (isDrawing) onDigit(greyLevels(context));
    isDrawing = false;
  });
  clear.addEventListener('click', () => context.clearRect(0, 0, canvas.width, canvas.height));
}

/** As in MNIST: scaled into 20 x 20 points, its centre of mass in the middle of 28 x 28. */
function greyLevels(context: CanvasRenderingContext2D): Float32Array {
  const { width, height } = context.canvas;
  const { data } = context.getImageData(0, 0, width, height);
  let [left, top, right, bottom, mass, atX, atY] = [width, height, 0, 0, 0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const alpha = data[4 * (y * width + x) + 3]!;
      if (alpha === 0) continue;
      [left, top, right, bottom] = [
        Math.min(left, x),
        Math.min(top, y),
        Math.max(right, x + 1),
        Math.max(bottom, y + 1),
      ];
      mass += alpha;
      atX += alpha * (x + 0.5);
      atY += alpha * (y + 0.5);
    }
  }
  const levels = new Float32Array(SIDE * SIDE);
  if (mass === 0) return levels;
  const scale = 20 / Math.max(right - left, bottom - top);
  const small = new OffscreenCanvas(SIDE, SIDE).getContext('2d')!;
  small.imageSmoothingQuality = 'high';
  small.drawImage(
    context.canvas,
    SIDE / 2 - (scale * atX) / mass,
    SIDE / 2 - (scale * atY) / mass,
    scale * width,
    scale * height,
  );
  const pixels = small.getImageData(0, 0, SIDE, SIDE).data;
  return levels.map((_, k) => pixels[4 * k + 3]! / 255);
}
