/** Lincoln's addresses on the state of the Union: the first nine tenths to train on, the end to validate with. */
import { ASCII, encode, readText } from '../common/text.ts';

export function loadLincoln(): { train: Uint8Array; validation: Uint8Array } {
  const codes = encode(readText(new URL('./data/lincoln-sotu.txt.gz', import.meta.url)), ASCII);
  const cut = Math.floor(codes.length * 0.9);
  return { train: codes.subarray(0, cut), validation: codes.subarray(cut) };
}
