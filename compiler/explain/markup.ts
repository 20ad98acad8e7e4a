/** @file Text in HTML. */
import type { Prose } from './types.ts';

export function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export function attribute(text: string): string {
  return escape(text).replaceAll('"', '&quot;');
}

/** `code` and **strong**; code that names something with an anchor leads there. */
export function proseHtml(prose: Prose, anchors: ReadonlyMap<string, string>): string {
  return prose
    .split(/(`[^`]*`)/)
    .map((part) => {
      if (!part.startsWith('`')) return escape(part).replaceAll(/\*\*(.+?)\*\*/g, '<strong>$1</strong>');
      return nameHtml(part.slice(1, -1), anchors);
    })
    .join('');
}

export function nameHtml(name: string, anchors: ReadonlyMap<string, string>): string {
  const anchor = anchors.get(name);
  const code = `<code>${escape(name)}</code>`;
  return anchor === undefined ? code : `<a href="#${anchor}">${code}</a>`;
}
