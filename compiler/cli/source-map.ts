/** Source maps as files: where they stand, what they call their sources, and how a module names them. */
import { dirname, relative, resolve, sep } from 'node:path';
import type { SourceMap } from '../index.ts';
import type { SourceMapKind } from './options.ts';

/** A text made from a file, and where it belongs. */
export interface Product {
  /** File name, without folder. */
  readonly name: string;
  readonly text: string;
  /** A source map: nobody reads how it differs from another. */
  readonly isMap?: boolean;
}

interface Mapped {
  readonly file: string;
  readonly text: string;
  readonly map: SourceMap;
  /** Where the module will be. */
  readonly folder: string;
  readonly kind: SourceMapKind;
}

/** The module with the comment that names its map, and the map unless the comment holds it. */
export function withMap({ file, text, map, folder, kind }: Mapped): Product[] {
  const { sources, ...rest } = map;
  const json = `${JSON.stringify({ file, sources: sources.map((path) => urlFrom(folder, path)), ...rest })}\n`;
  const inline = (): string => `data:application/json;base64,${Buffer.from(json).toString('base64')}`;
  const url = kind === 'file' ? encodeURIComponent(`${file}.map`) : inline();
  const module = { name: file, text: `${text}//# sourceMappingURL=${url}\n` };
  return kind === 'file' ? [module, { name: `${file}.map`, text: json, isMap: true }] : [module];
}

/** The path of a source as a URL relative to the folder of the module: no absolute path says where somebody works. */
function urlFrom(folder: string, path: string): string {
  // maps of a module in memory and of its file are read alike: both stand in the folder of the module
  const parts = relative(resolve(folder), resolve(dirname(path))).split(sep);
  const name = path.split(/[\\/]/).at(-1) ?? path;
  return [...parts, name]
    .filter((part) => part !== '')
    .map(encodeURIComponent)
    .join('/');
}
