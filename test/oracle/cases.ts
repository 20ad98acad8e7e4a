/**
 * Reference cases: a folder FAMILY/NAME/ with `case.json` and `.npy` files, or bundles `FAMILY.json.gz` that hold the
 * same in one file each (made by pack.ts).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readNpy } from '../../runtime/formats/npy.ts';
import type { Tensor } from '../../runtime/formats/tensor.ts';

export interface OracleTensor {
  readonly file: string;
  readonly role: 'input' | 'target' | 'const' | 'param' | 'buffer' | 'forward' | 'grad' | 'after' | 'state';
  readonly name: string;
  readonly shape: readonly number[];
  readonly dims: readonly string[];
  readonly dtype: 'f8' | 'f4' | 'i4';
  readonly has_gradient?: boolean;
  readonly frozen?: boolean;
  readonly step?: number;
}

export type Hyper = Readonly<Record<string, unknown>>;

/** What case.json says; see the oracle's README for each key. */
export interface CaseDescription {
  readonly name: string;
  readonly family: string;
  readonly topic: string;
  readonly op: string;
  readonly description: string;
  readonly formulas: readonly string[];
  readonly dims: Readonly<Record<string, number>>;
  readonly dtype?: 'float64' | 'float32';
  readonly hyper?: Hyper;
  readonly scalars?: Readonly<Record<string, unknown>>;
  readonly tolerance: { readonly rtol: number; readonly atol: number };
  readonly tensors: readonly OracleTensor[];
}

export interface OracleCase extends CaseDescription {
  /** The case in float64, where this is the same in float32; see float32.ts. */
  readonly exact?: OracleCase;
  /** The values of a tensor of `tensors`. */
  read(tensor: OracleTensor): Tensor['data'];
}

/** One entry of a bundle: the files are the .npy files in base64. */
export interface PackedCase {
  readonly case: CaseDescription;
  readonly files: Readonly<Record<string, string>>;
}

/** All cases of a folder, in the order of family and name. @throws Error where there are none */
export function loadCases(directory: string): OracleCase[] {
  const entries = readdirSync(directory, { withFileTypes: true }).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  const cases = entries.flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return loadFamily(path);
    return entry.name.endsWith('.json.gz') ? loadBundle(path) : [];
  });
  if (cases.length === 0) throw new Error(`${directory} has no reference cases`);
  return cases;
}

function loadFamily(directory: string): OracleCase[] {
  const names = existsSync(join(directory, 'case.json')) ? ['.'] : readdirSync(directory).toSorted();
  return names
    .map((name) => join(directory, name))
    .filter((path) => existsSync(join(path, 'case.json')))
    .map((path) => ({
      ...(JSON.parse(readFileSync(join(path, 'case.json'), 'utf8')) as CaseDescription),
      read: ({ file }: OracleTensor) => readNpy(readFileSync(join(path, file)), file).data,
    }));
}

function loadBundle(path: string): OracleCase[] {
  const packed = JSON.parse(gunzipSync(readFileSync(path)).toString()) as PackedCase[];
  return packed.map(({ case: description, files }) => ({
    ...description,
    read: ({ file }: OracleTensor) => readNpy(Buffer.from(files[file] ?? '', 'base64'), file).data,
  }));
}
