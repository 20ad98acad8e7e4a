/** JSON from a stranger: `JSON.parse` alone keeps the last of equal keys in silence and follows any depth. */
import { quoted, type Fail } from './tensor.ts';

/**
 * @param deepest how many brackets may be open at once
 * @throws DataError by `fail`
 */
export function parseJson(bytes: Uint8Array, deepest: number, fail: Fail): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('its text is not UTF-8');
  }
  checkKeysAndDepth(text, deepest, fail);
  try {
    return JSON.parse(text);
  } catch {
    return fail('its text is not JSON');
  }
}

/** One walk over the text, whether or not it is JSON: strings are skipped whole, brackets counted, keys compared. */
function checkKeysAndDepth(text: string, deepest: number, fail: Fail): void {
  const open: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '{' || character === '[') {
      if (open.push(new Set()) > deepest) fail(`its JSON is nested deeper than ${deepest} brackets`);
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === '"') {
      const start = i++;
      while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
      let next = i + 1;
      while (' \t\n\r'.includes(text[next] ?? ':') && next < text.length) next++;
      const keys = open.at(-1);
      if (text[next] !== ':' || keys === undefined) continue;
      const key = keyOf(text.slice(start, i + 1), fail);
      if (keys.has(key)) fail(`its JSON has the key ${quoted(key)} twice`);
      keys.add(key);
    }
  }
}

function keyOf(token: string, fail: Fail): string {
  try {
    return JSON.parse(token) as string;
  } catch {
    return fail('its text is not JSON');
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
