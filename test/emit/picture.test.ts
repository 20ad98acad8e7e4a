import { describe, expect, it } from 'vitest';
import { emitDot } from '../../compiler/emit/dot.ts';
import { emitGradient } from '../../compiler/emit/dsl.ts';
import { emitMermaid } from '../../compiler/emit/mermaid.ts';
import { netProgram } from './net.ts';

describe('pictures of a program', () => {
  it('Mermaid: shapes by role, the backward pass in its own frame, an edge a read', () => {
    const lines = emitMermaid(netProgram).split('\n');
    expect(lines[0]).toBe('flowchart LR');
    expect(lines).toContain('  t0[/"x[n, 2]"/]');
    expect(lines).toContain('  t2[("W1[2, 2]")]');
    expect(lines).toContain('  t6("z[n]<br/>z[n] = sum[j](h[n, j] * W2[j])")');
    expect(lines.indexOf('  subgraph backward')).toBeLessThan(
      lines.indexOf('    t9["dh[n, 2]<br/>dh[n, j] = h[n, j] #gt; 0 ? dz[n] * W2[j] : 0"]'),
    );
    expect(lines.filter((line) => line.endsWith('--> t5'))).toEqual([
      '  t0 --> t5',
      '  t2 --> t5',
      '  t3 --> t5',
    ]);
  });

  it('DOT: the same graph', () => {
    const text = emitDot(netProgram);
    expect(text).toMatch(/^digraph "Net" \{\n/);
    expect(text).toContain('t2 [label="W1[2, 2]", shape=cylinder];');
    expect(text).toContain('t7 [label="loss", tooltip="loss = sum[n]((z[n] - y[n])^2)", shape=ellipse];');
    expect(text.match(/->/g)).toHaveLength(emitMermaid(netProgram).match(/-->/g)!.length);
  });

  it('a quote in a name cannot break out', () => {
    expect(emitDot({ ...netProgram, name: 'a"b\\' })).toContain('digraph "a\\"b\\\\" {');
  });
});

describe('the gradient in the language', () => {
  it('says what the gradients are called, and prints the program with its places', () => {
    const text = emitGradient(netProgram);
    expect(text.split('\n').slice(0, 3)).toEqual([
      '// Net and the gradient of its loss by each parameter: dW1 is that by W1, and so on.',
      'model Net {',
      '  input x[n, 2]                                       // net.dsl:2',
    ]);
    expect(text).toContain('dW1[i, j] = sum[n](x[n, i] * dh[n, j])');
  });
});
