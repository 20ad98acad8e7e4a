/** `cotangent` is a word only where a name follows it on its line. */
import { describe, expect, it } from 'vitest';
import { bare, modelItems, parseClean, show, statementError } from './helpers.ts';

describe('cotangent', () => {
  it('has a tensor, perhaps with indices, and what flows on', () => {
    const [item] = modelItems('cotangent h[n, j] -> clip(dh[n, j], -1, 1)');
    if (item?.kind !== 'cotangent') throw new Error('no cotangent');
    expect(item.name.text).toBe('h');
    expect(bare(item.bindings)).toEqual([
      { kind: 'index', name: { text: 'n' } },
      { kind: 'index', name: { text: 'j' } },
    ]);
    expect(show(item.value)).toBe('(clip (read dh n j) (- 1) 1)');
    expect(modelItems('cotangent h -> dh / 2')).toMatchObject([{ kind: 'cotangent', name: { text: 'h' } }]);
  });

  it('may stand in a layer, and not in a scan, of which a hint tells', () => {
    const [item] = parseClean('layer l(x[n]) -> y[n] {\n y = x\n cotangent y -> dy\n}');
    expect(item).toMatchObject({ items: [{ kind: 'assignment' }, { kind: 'cotangent' }] });
    expect(statementError('scan t {\n cotangent h[t] -> 2\n}')).toEqual({
      error: 'E608 3:2 `cotangent` cannot stand in a scan',
      hint: 'put it behind the block: the tensors of the block can be read there',
    });
  });

  it('is not for the loss', () => {
    expect(statementError('cotangent loss -> 2').error).toBe('E608 2:11 the cotangent of the loss is 1');
  });

  it('needs an arrow', () => {
    expect(statementError('cotangent h[n] = 2').error).toBe(
      'E102 2:16 expected `->` and what flows on, after `h`, found `=`',
    );
  });
});
