/** What docs/ERRORS.md says of every code, beside the example of the same name. A new code without words here does not compile. */
import type { DiagnosticCode } from '../../../compiler/diagnostics/codes.ts';

export interface Explanation {
  /** What the compiler has found. */
  readonly meaning: string;
  /** What to do. */
  readonly mend: string;
  /** Why there is no example: no text leads to this code. */
  readonly withoutExample?: string;
}

export const explanations: Readonly<Record<DiagnosticCode, Explanation>> = {
  E101: {
    meaning:
      'A character stands here that no word of the language begins with, such as a comment sign, a quotation mark or a letter with an accent from elsewhere.',
    mend: 'Write what the hint says. Names consist of the letters `A` to `Z` and `a` to `z`, digits and `_`; a comment begins with `//`.',
  },
  E102: {
    meaning:
      'The text is no statement of the language from this place on: a sign is missing, or one too many, or one that other languages have. The message says what was expected and what was found.',
    mend: 'Write what was expected. If the line looks right, look at the line above: a line that is indented deeper than the statement before continues that statement.',
  },
  E103: {
    meaning: 'A bracket is opened and its statement, block or file ends before it is closed.',
    mend: 'Close it. The place that is shown is the bracket that was opened.',
  },
  E104: {
    meaning:
      'What begins like a number is none: letters or a second point follow the digits, or digits are missing before the point or in the exponent, or the number is too large.',
    mend: 'Numbers are written `2`, `0.5` or `1e-3`; a product needs its `*`. Infinity is written `inf`.',
  },
  E105: {
    meaning: 'A string is opened and its line ends before the closing `"`.',
    mend: 'Close it on the same line.',
  },
  E106: {
    meaning:
      'An expression is nested deeper than the compiler follows: 200 brackets, 1000 operations, or 1200 levels when the calls of functions and layers are counted in.',
    mend: 'Give an inner part a name, in a statement of its own.',
  },
  E107: {
    meaning:
      'The file defines no model, so there is nothing to compile; or, with `--inference`, a model has no output, so there is nothing to predict.',
    mend: 'Add a `model Name { ... }`. A file that only defines layers and functions is imported by another. Write `output` before the statements whose values are wanted.',
  },
  E201: {
    meaning:
      'Nothing has this name: no statement, parameter, dim, function, layer or optimizer that can be seen from here. If a similar name is known the hint shows it.',
    mend: 'Correct the name, or define it. Upper and lower case differ.',
  },
  E202: {
    meaning:
      'A name is given a second meaning in the same model, layer, function or file, or a parameter is given two optimizers. In a formula a name means one thing, so names are assigned once.',
    mend: 'Give the second one another name.',
  },
  E203: {
    meaning:
      'A name is used above the statement that defines it, or inside of that statement. Statements are read from top to bottom.',
    mend: 'Move the definition up. For a new value made from an old one take a new name.',
  },
  E204: {
    meaning:
      'Something is called that is no function or layer: a tensor, a size, or an optimizer or schedule in a place where only a value makes sense (or a layer or function where an optimizer is expected).',
    mend: 'A tensor is read with square brackets, `W[i]`; a product is written with `*`; optimizers and schedules are called in `train`.',
  },
  E205: {
    meaning:
      'A call has too many arguments, too few, one that the function does not know, one twice, or index names in brackets where the function takes none (or the other way round).',
    mend: 'Compare the call with the definition, which the note shows. Arguments are given in order or by name, those with names last.',
  },
  E206: {
    meaning:
      'A layer or function calls itself, directly or through others. A call is replaced by what it stands for, which here would never end.',
    mend: 'Write the repetition out, one statement for each call.',
  },
  E207: {
    meaning: 'The file of an `import` cannot be found.',
    mend: 'Correct the path. It is relative to the file that imports.',
  },
  E208: {
    meaning: 'A file imports itself, directly or through other files.',
    mend: 'Move what both files need into a third one and import that.',
  },
  E209: {
    meaning:
      'A word of the language is used as a name: a keyword such as `state`, a reduction such as `sum`, or in an optimizer or schedule a name that it is given anyway, such as `p`, `g` or `step`.',
    mend: 'Choose another name.',
  },
  E210: {
    meaning:
      "A part is missing that the definition cannot do without: a model has neither a loss nor an output, a `train` block has no optimizer, a parameter is left without one, a layer never assigns its result, a function has no `return`, an optimizer no `p'`, a schedule no `value`.",
    mend: 'Add the part that the hint names.',
  },
  E301: {
    meaning:
      'One index runs over axes of different sizes, or an axis of a tensor has another size than the layer declares. Both places are shown.',
    mend: 'Correct the size of one of the tensors; or if the indices are in the wrong order, exchange them. To read only a part of an axis, use index arithmetic, such as `x[n, i + 0]` with an extent `i: 10` on the left side.',
  },
  E302: {
    meaning:
      'A tensor is read with more or fewer indices than it has axes, or a whole tensor stands in a statement whose left side has indices, or a layer is given a tensor with the wrong number of axes.',
    mend: 'Give one index for each axis. In a statement with indices on the left every tensor is read with indices: `b[j]`, not `b`.',
  },
  E303: {
    meaning:
      'A size is zero, negative, not a whole number, or larger than 2147483647; or a range of integers is empty, or the default of an input does not fit it.',
    mend: 'Sizes are whole numbers from 1. A division that may leave a rest is rounded with `floor` or `ceil`.',
  },
  E304: {
    meaning:
      'A size must be known when the model is compiled, but this one is a tensor, or the open dimension (the batch) where only a fixed size will do.',
    mend: 'Use numbers, dims and arithmetic on them.',
  },
  E305: {
    meaning:
      'A name on the axis of an input is not a dim, so it would be the open dimension; but the model has one already, and there can be only one. Often a dim is misspelt or was forgotten. Or a tensor that must be stored would have three open axes; derivatives through what mixes the rows of a batch lead to it.',
    mend: 'Declare the size: `dim features = 10`. If it is the batch, call it the same everywhere. Where derivatives lead to it, differentiate once less, or what keeps rows apart.',
  },
  E306: {
    meaning:
      'It cannot be told how far an index runs: it does not occur on the right side, or it occurs only in arithmetic inside reads with `else`, which are allowed to leave the tensor.',
    mend: 'Give the extent on the left side, `y[n, i: 14] = ...`, or where the index is bound, `sum[u: 3](...)`. For the batch write its name: `y[n: n, i: 4]`.',
  },
  E307: {
    meaning:
      'Two whole tensors of different shapes are combined element by element. Shapes are not stretched to fit one another; only a single number goes with every shape.',
    mend: 'Write the statement with indices, which say what belongs to what: `y[n, j] = x[n, j] + b[j]`.',
  },
  E308: {
    meaning:
      'Something of the wrong kind stands here: an element where a layer needs the whole tensor, a string or a list in an expression, the name of a function without its call, an input as an output.',
    mend: 'Follow the hint. Layers take and give whole tensors: `h = x |> dense(10)`.',
  },
  E309: {
    meaning:
      'A layer or model says with `require` what must hold of its sizes and hyper-parameters, and it does not. The message is that of the layer.',
    mend: 'Call the layer with other numbers. The values that count stand beside the condition.',
  },
  E401: {
    meaning:
      'An index is used that nothing binds: neither the left side of the statement nor a reduction around it; or a reduction binds an index that does not occur in what it runs over.',
    mend: 'Put the index on the left side, or reduce over it: `sum[n](...)`.',
  },
  E402: {
    meaning:
      'Between the brackets of a read stands something that is not a whole number by construction, such as an element of a real tensor or the product of two indices.',
    mend: 'Indices are made of index names, whole numbers, dims, `+`, `-`, `*` and `/` with constants, `mod(i, 2)`, and elements of integer tensors. An input holds integers if its range is declared: `input token[n]: 1000`.',
  },
  E403: {
    meaning:
      'A read may leave its tensor. The compiler works out the least and greatest value of every index and compares them with the size of the axis. The open dimension can only be read at an index that runs over all of it.',
    mend: 'Let the index run less far, say what is read outside, `x[n, i + 1] else 0`, or declare the range of the integer tensor that is the index as it is.',
  },
  E404: {
    meaning: 'The same index name is bound twice: on one left side, or in the brackets of one reduction.',
    mend: 'Take a name for each axis. To set the diagonal of a tensor, write `y[i, j] = i == j ? x[i] : 0`.',
  },
  E405: {
    meaning:
      'An index is free on the right side and missing on the left. There is no silent summation: every index is either an axis of the result or reduced.',
    mend: 'Put it on the left side, or reduce over it: `sum[i](...)`.',
  },
  E406: {
    meaning:
      'A `scan` goes through its steps in order. Inside it, a tensor that it computes can be read at earlier steps only, and at the present one if its statement stands above.',
    mend: 'Read it a step before, `h[n, t - 1] else 0`; for a recurrence from the end write `scan t reversed` and read at `t + 1`. After the block every step can be read.',
  },
  E407: {
    meaning:
      'A read with `else reflect` or `else circular` goes further beyond its tensor than there are elements to read in its stead: `reflect` mirrors all places but the border itself, one less than the axis has, `circular` begins again once.',
    mend: 'Let the index run less far, or take `else edge` or a number, which go on for ever. To repeat an axis many times write `x[mod(i, 5)]`.',
  },
  E501: {
    meaning:
      'A number of the training, or a hyper-parameter of an optimizer, schedule or layer, is outside of what makes sense, or is not known when the model is compiled.',
    mend: 'Choose a value in the range that the message gives.',
  },
  E502: {
    meaning: 'A `train` block has no entry of this name.',
    mend: 'The entries are `optimizer`, `batch`, `epochs`, `seed`, `shuffle`, `clip_norm`, `clip_value` and `freeze`.',
  },
  E503: {
    meaning:
      'What stands after `~` is not an initialiser, is one that does not fit the shape, or a list whose nesting is not the shape of the parameter.',
    mend: 'Take one of the initialisers of the language reference, a number, or a list of numbers nested as the shape is. An expression is written `constant(1 / 3)`.',
  },
  E504: {
    meaning:
      'What stands after `~` in a `random` declaration is not a distribution, or its numbers are not right. They must be known at compile time: through a draw whose distribution depends on a parameter no gradient would flow.',
    mend: 'Draw standard numbers, `random eps[n, k] ~ normal(0, 1)`, and compute what depends on parameters from them, `mean[n, k] + deviation[n, k] * eps[n, k]`.',
  },
  E601: {
    meaning:
      'The loss does not depend on a parameter, so that its gradient would be zero for ever. This is nearly always a mistake in the model: a statement that is never read.',
    mend: 'Use the parameter, remove it, or `freeze` it in the `train` block.',
  },
  E602: {
    meaning: 'The loss, or a metric, is a tensor with axes. It must be a single number.',
    mend: 'Reduce it: `mean[n](...)`, or `mean(...)` over all axes of a whole tensor.',
  },
  E603: {
    meaning:
      'A statement has no derivative that the compiler could write down. A gradient that may be wrong is an error.',
    mend: 'Write the formula in another way, or take the gradient off it with `stop_gradient`.',
  },
  E604: {
    meaning:
      '`checkpoint` says that what lies inside of a statement is not kept for the backward pass. It stands before an assignment of a model that is trained, or of a layer, and something must lie inside: not before an output or the next value of a state, and not in a `scan`.',
    mend: 'Put it before the call of a layer of several statements, `checkpoint h = x |> block`, or leave it out.',
  },
  E607: {
    meaning:
      '`derivative f(x) = ...` stands in the file of `fn f(x)`, has its parameters, and one expression for each of them. The function takes numbers and gives a number: it reduces nothing, reads nothing at indices and has no parameters of a layer.',
    mend: 'Put the rule beside its function, and what is no function of numbers around the call.',
  },
  E608: {
    meaning:
      '`cotangent h[n, j] -> ...` edits the gradient of the loss with respect to `h` on its way back. It is a statement of a model that is trained, or of a layer, behind that of `h`; `h` is computed or trained, real, and leads to the loss; it has one such statement at most.',
    mend: 'Put it behind the statement of a tensor that the loss depends on through something that has a derivative.',
  },
  E610: {
    meaning:
      'A derivative, `grad(...)` or one of its kin, stands where there is no program yet that could be differentiated: in a `scan`, of which all steps must be there first, in an optimizer or a schedule, or in an index.',
    mend: 'Give it a statement of its own in the model or the layer, after what it is taken of.',
  },
  E611: {
    meaning:
      'A derivative is asked for of what has none, or in a form that does not say which elements are meant: of or by integers, by something without a name, or of a tensor with several elements a row. Nothing is summed silently.',
    mend: 'Take the derivative of a sum, `grad(sum(z), x)`, or of each element by each, `grad(z[n, k], x[n, i])` or `jacobian(z, x)`.',
  },
  E612: {
    meaning:
      'What is differentiated does not depend on what it is differentiated by, so that the derivative would be zero everywhere.',
    mend: 'Differentiate by a tensor that it is computed from. Statements that only look alike do not count: `grad(y, h)` needs `h` itself to be read on the way to `y`.',
  },
  W701: {
    meaning: 'A dim, an input or a statement of a model, or a function or layer of the file, is never used.',
    mend: 'Remove it, use it, or make it an output. The model compiles all the same.',
  },
  W702: {
    meaning:
      'The loss depends on a parameter, but only through functions that are flat: comparisons, `floor`, `sign`, `argmax`, `stop_gradient`. The gradient is zero everywhere and training does not change the parameter. The same is said of a derivative in the model that is zero everywhere, and of a parameter that only what is differentiated there depends on.',
    mend: 'Replace the step by something smooth (`sigmoid(y)` instead of `y > 0`), or `freeze` the parameter.',
  },
  W703: {
    meaning: 'A state is declared, but no statement gives its next value: it keeps its first value for ever.',
    mend: "Add a statement for its next value, `m' = ...`, or use a number or a frozen parameter instead.",
  },
  W704: {
    meaning:
      'A part of a formula that is known at compile time has no finite value, though what it is made of has: `1 / 0`, `log(-1)`.',
    mend: 'Correct the formula. Where infinity is meant, write `inf`.',
  },
  W705: {
    meaning:
      'A logarithm, root, quotient, power, `atanh`, `acosh`, `asin` or `acos` that a gradient has to pass is taken of a value which its formula does not keep where the function and its slope are finite. What the compiler can prove is not reported (a softmax, `exp`, a sum of squares plus a small number, a value behind a condition that looks at it), nor what it makes stable itself, nor data.',
    mend: 'Write what the hint says. If you know that it cannot happen, say so at the end of the line or in a comment above it: `// allow W705: prices are positive`.',
  },
  W706: {
    meaning:
      'Weights begin so large that the tanh, sigmoid or softmax of their sums is flat for nearly all rows (a sum of n products with weights of deviation s has a deviation of about s √n when inputs have 1; 5 and more is reported). Little gradient passes, and training begins slowly or not at all.',
    mend: 'Take an initialiser that counts the inputs: `glorot_uniform` for tanh and sigmoid, `he_normal` for relu. If large scores are wanted, write `// allow W706`.',
  },
  W707: {
    meaning:
      'Every parameter that has the axis of the hidden units begins with equal values along it (`zeros`, `ones`, a constant). All of these units then compute the same and get the same gradient, for ever: the layer is as good as one unit. One drawn parameter is enough to tell them apart, so zeros in a last layer or in one factor of a low-rank update are not reported.',
    mend: 'Draw the first values of a weight: `~ glorot_uniform`. Where values are loaded before training, write `// allow W707`, or `freeze` what is not trained.',
  },
  W708: {
    meaning:
      'The loss is a squared difference of a softmax or a sigmoid and data. Its gradient has the slope of that function as a factor, which is nearly 0 where the prediction is sure and wrong: what most needs correction gets least.',
    mend: 'For classes use `cross_entropy` or `bce_logits` of the scores, whose gradients are `p - y`. If the squared error is meant (a Brier score, an intensity between 0 and 1), write `// allow W708`.',
  },
  W709: {
    meaning:
      'A loss or softmax that takes scores is given probabilities: a softmax is taken of a softmax, or a sigmoid of a sigmoid. The scores then are between 0 and 1, so that no prediction can be sure and the gradient is small.',
    mend: 'Give the scores that stand before the first softmax or sigmoid. `cross_entropy_probabilities` and `binary_cross_entropy` take probabilities.',
  },
  E801: {
    meaning:
      '`compile check` found that the emitted gradient is not what it should be: the derivative of the emitted loss, by differences and by forward mode, and the same in every form and type. The message names the element in which it is most wrong, what it is and what it should be. Where the loss itself is not that of the formulas as they were written, the message says so.',
    mend: 'This is a fault of the compiler, not of the model. `--no-pass NAME` may tell which pass is to blame, and serve meanwhile. Please report it with the model.',
    withoutExample:
      'No text leads to it as long as the compiler is right. `test/check` plants faults to see that each of them is found.',
  },
  E802: {
    meaning:
      '`compile check` could not compare the gradient with differences: the loss is not finite, or it has kinks or jumps so close to each other that no step is free of them. Nothing is said for the gradient or against it.',
    mend: 'Give data such as the model is made for (`--data FILE`), or another `--seed`.',
    withoutExample: 'It is a matter of the numbers, not of the text: `compile check` reports it.',
  },
  E803: {
    meaning:
      'What `compile check --data FILE` was given does not fit the inputs of the model: an array is missing, has no input, has another size, or holds what the input does not allow.',
    mend: 'Give one array for each input, named as the input, with one row for each row of the batch.',
    withoutExample: 'It is a matter of the data, not of the text: `compile check` reports it.',
  },
  E804: {
    meaning:
      '`compile check` was asked for a model that has no gradient: it has no loss, or nothing in it is trained.',
    mend: 'Give the model a `loss` and a parameter that is not frozen.',
    withoutExample: 'The compiler itself needs no gradient: `compile check` reports it.',
  },
};
