/** What functions and initialisers of other libraries are called here. */

const functions: Readonly<Record<string, string>> = {
  matmul: 'a matrix product is `sum[k](a[i, k] * b[k, j])`',
  dot: 'a product of vectors is `sum[k](a[k] * b[k])`',
  mm: 'a matrix product is `sum[k](a[i, k] * b[k, j])`',
  bmm: 'a product of matrices is `sum[k](a[n, i, k] * b[n, k, j])`',
  einsum: 'write the indices: `sum[k](a[i, k] * b[k, j])`',
  transpose: 'write the indices in another order: `y[j, i] = x[i, j]`',
  permute: 'write the indices in another order: `y[j, i] = x[i, j]`',
  reshape: 'write the place: `y[n, i] = x[n, i / 28, mod(i, 28)]`',
  view: 'write the place: `y[n, i] = x[n, i / 28, mod(i, 28)]`',
  flatten: 'write the place: `y[n, i] = x[n, i / 28, mod(i, 28)]`',
  concat: 'write `y[n, i: 6] = i < 3 ? (a[n, i] else 0) : (b[n, i - 3] else 0)`',
  concatenate: 'write `y[n, i: 6] = i < 3 ? (a[n, i] else 0) : (b[n, i - 3] else 0)`',
  one_hot: 'write `y[n, k: 10] = k == label[n]`',
  ln: 'the natural logarithm is `log`',
  log10: 'write `log(x) / log(10)`',
  logsoftmax: 'it is called `log_softmax`',
  lrelu: 'it is called `leaky_relu`',
  leakyrelu: 'it is called `leaky_relu`',
  swiglu: 'write `silu(a) * b`',
  linear: 'it is called `dense`: `x |> dense(10)`',
  fc: 'it is called `dense`: `x |> dense(10)`',
  mse: 'write `mean[n](squared_error(p[n], y[n]))`',
  mse_loss: 'write `mean[n](squared_error(p[n], y[n]))`',
  mae: 'write `mean[n](absolute_error(p[n], y[n]))`',
  l1_loss: 'write `mean[n](absolute_error(p[n], y[n]))`',
  bce: 'it is called `binary_cross_entropy`',
  bce_with_logits: 'it is called `bce_logits`',
  crossentropy: 'write `cross_entropy[k](z[n, k], label[n])`',
  crossentropyloss: 'write `cross_entropy[k](z[n, k], label[n])`',
  nll_loss: 'it is called `nll`',
  norm: 'write `sqrt(sum(x^2))`',
  product: 'it is called `prod`',
  average: 'it is called `mean`',
  maximum: 'it is called `max`',
  minimum: 'it is called `min`',
  clamp: 'it is called `clip`',
  detach: 'it is called `stop_gradient`',
  no_grad: 'it is called `stop_gradient`',
  length: 'write `extent(i)`, or a dim',
  len: 'write `extent(i)`, or a dim',
  size: 'write `extent(i)`, or a dim',
  range: 'an index is a number by itself: `y[i: 10] = i`',
  arange: 'an index is a number by itself: `y[i: 10] = i`',
};

/** A hint for the name of a function as other libraries know it. */
export function foreignName(name: string): string | undefined {
  const key = name.toLowerCase();
  return Object.hasOwn(functions, key) ? functions[key] : undefined;
}
