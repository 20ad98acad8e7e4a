/**
 * Zip archives (PKWARE's APPNOTE.TXT 6.3). fflate inflates and writes. Directories are read here, because it compares no
 * checksum, and takes entries that overlap, come twice, or declare sizes that they cannot have.
 */
import { inflateSync, zipSync } from 'fflate';
import { quoted, type Fail } from './tensor.ts';

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;

const STORED = 0;
const DEFLATED = 8;
/** Deflate makes at most 258 bytes of two bits. */
const GREATEST_RATIO = 1032;

export interface ZipOptions {
  /** Bytes that compressed entries may have altogether once they are unpacked; 1 GiB by default. */
  readonly maximumBytes?: number;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly checksum: number;
  readonly packed: number;
  readonly unpacked: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The entries by name, in the order of the directory; those that are stored are views of `bytes`. Folders are left out.
 * @throws DataError by `fail`, before anything is unpacked, for all but a wrong checksum and a damaged deflate stream
 */
export function readZip(bytes: Uint8Array, fail: Fail, options: ZipOptions = {}): Map<string, Uint8Array> {
  const entries = readDirectory(bytes, fail);
  checkPlaces(entries, fail);
  checkSizes(entries, options.maximumBytes ?? 2 ** 30, fail);
  const result = new Map<string, Uint8Array>();
  for (const entry of entries) {
    if (!entry.name.endsWith('/')) result.set(entry.name, unpack(bytes, entry, fail));
  }
  return result;
}

/** Stored without compression and with a fixed date, so that equal entries make equal bytes. */
export function writeZip(entries: ReadonlyMap<string, Uint8Array>, fail: Fail): Uint8Array {
  for (const name of entries.keys()) checkPath(name, fail);
  let size = 22;
  // twice the name: once before the data, once in the directory
  for (const [name, bytes] of entries) size += bytes.length + 76 + 6 * name.length;
  if (size >= 2 ** 32) fail(`${size} bytes are more than a zip archive of 4 GiB can hold; use .safetensors`);
  if (entries.size >= 2 ** 16 - 1) fail(`${entries.size} entries are more than a zip archive can hold`);
  return zipSync(Object.fromEntries(entries), { level: 0, mtime: new Date(1980, 0, 1) });
}

function readDirectory(bytes: Uint8Array, fail: Fail): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view, fail);
  let count = view.getUint16(end + 10, true);
  let size = view.getUint32(end + 12, true);
  let offset = view.getUint32(end + 16, true);
  let limit = end;
  if (count === 0xffff || size === 0xffffffff || offset === 0xffffffff) {
    if (end < 20 || view.getUint32(end - 20, true) !== LOCATOR_64) fail('its directory is missing');
    limit = uint64(view, end - 12);
    if (limit > end - 76 || view.getUint32(limit, true) !== END_64) fail('its directory is missing');
    count = uint64(view, limit + 32);
    size = uint64(view, limit + 40);
    offset = uint64(view, limit + 48);
  }
  if (offset + size > limit) fail('its directory is cut short');

  const entries: Entry[] = [];
  let place = offset;
  for (let i = 0; i < count; i++) {
    if (place + 46 > offset + size || view.getUint32(place, true) !== CENTRAL)
      fail(`its directory is damaged at entry ${i + 1} of ${count}`);
    const nameLength = view.getUint16(place + 28, true);
    const extraLength = view.getUint16(place + 30, true);
    const next = place + 46 + nameLength + extraLength + view.getUint16(place + 32, true);
    if (next > offset + size) fail(`its directory is damaged at entry ${i + 1} of ${count}`);
    entries.push(readEntry(bytes, view, place, nameLength, extraLength, offset, fail));
    place = next;
  }
  if (place !== offset + size) fail('its directory has more than its entries');
  return entries;
}

/** The record at the end, behind which there may only be the comment that it announces. */
function findEnd(view: DataView, fail: Fail): number {
  const last = view.byteLength - 22;
  for (let place = last; place >= Math.max(0, last - 0xffff); place--) {
    if (view.getUint32(place, true) !== END || view.getUint16(place + 20, true) !== last - place) continue;
    if (view.getUint16(place + 4, true) !== 0) fail('it is a part of an archive of several files');
    return place;
  }
  return fail('it has no zip directory at its end: another format, or cut short');
}

/** Numbers from 2^53 come out rounded; they are greater than any file, which is all that matters. */
function uint64(view: DataView, place: number): number {
  return view.getUint32(place + 4, true) * 2 ** 32 + view.getUint32(place, true);
}

function readEntry(
  bytes: Uint8Array,
  view: DataView,
  place: number,
  nameLength: number,
  extraLength: number,
  directory: number,
  fail: Fail,
): Entry {
  const nameBytes = bytes.subarray(place + 46, place + 46 + nameLength);
  const name = decodeName(nameBytes, fail);
  const failHere: Fail = (what) => fail(`entry ${quoted(name)} ${what}`);
  if ((view.getUint16(place + 8, true) & 1) !== 0) failHere('is encrypted');
  const method = view.getUint16(place + 10, true);
  if (method !== STORED && method !== DEFLATED) failHere(`is compressed by method ${method}`);

  // sizes and offset that do not fit into 32 bits stand in an extra field, in this order
  const wide = wideValues(view, place + 46 + nameLength, extraLength, failHere);
  const valueAt = (from: number): number => {
    const value = view.getUint32(from, true);
    return value === 0xffffffff ? (wide.shift() ?? failHere('has no size')) : value;
  };
  const unpacked = valueAt(place + 24);
  const packed = valueAt(place + 20);
  const start = valueAt(place + 42);

  if (start + 30 > directory || view.getUint32(start, true) !== LOCAL) failHere('is not where it should be');
  const localName = bytes.subarray(start + 30, start + 30 + view.getUint16(start + 26, true));
  if (localName.length !== nameLength || localName.some((byte, i) => byte !== nameBytes[i]))
    failHere('has another name in the directory than before its data');
  const end = start + 30 + localName.length + view.getUint16(start + 28, true) + packed;
  if (end > directory) failHere('is cut short');
  return { name, method, checksum: view.getUint32(place + 16, true), packed, unpacked, start, end };
}

function decodeName(bytes: Uint8Array, fail: Fail): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('it has an entry whose name is not UTF-8');
  }
}

function wideValues(view: DataView, place: number, length: number, fail: Fail): number[] {
  const stop = place + length;
  while (place + 4 <= stop) {
    const size = view.getUint16(place + 2, true);
    if (place + 4 + size > stop) fail('has a damaged extra field');
    if (view.getUint16(place, true) === 1)
      return Array.from({ length: Math.floor(size / 8) }, (_, i) => uint64(view, place + 4 + 8 * i));
    place += 4 + size;
  }
  return [];
}

/** Names are harmless here, as nothing is unpacked to a disk; those that would not be there are refused all the same. */
function checkPath(name: string, fail: Fail): void {
  if (/^\/|\\|^[a-z]:|(^|\/)\.\.(\/|$)/i.test(name))
    fail(`entry ${quoted(name)} has a path that leads out of the archive`);
}

function checkPlaces(entries: readonly Entry[], fail: Fail): void {
  const names = new Set<string>();
  for (const { name } of entries) {
    if (names.has(name)) fail(`it has the entry ${quoted(name)} twice`);
    names.add(name);
    checkPath(name, fail);
  }
  let done = 0;
  for (const { name, start, end } of entries.toSorted((a, b) => a.start - b.start)) {
    if (start < done) fail(`entry ${quoted(name)} overlaps the one before it`);
    done = end;
  }
}

function checkSizes(entries: readonly Entry[], maximum: number, fail: Fail): void {
  let total = 0;
  for (const { name, method, packed, unpacked } of entries) {
    const impossible = method === STORED ? unpacked !== packed : unpacked > packed * GREATEST_RATIO;
    if (impossible) fail(`entry ${quoted(name)} cannot make ${unpacked} bytes of ${packed}`);
    if (method === DEFLATED) total += unpacked;
  }
  if (total > maximum)
    fail(
      `its compressed entries make ${total} bytes, more than ${maximum} (raise maximumBytes if that is right)`,
    );
}

function unpack(bytes: Uint8Array, entry: Entry, fail: Fail): Uint8Array {
  const { name, method, packed, unpacked, end, checksum } = entry;
  const source = bytes.subarray(end - packed, end);
  let result = source;
  if (method === DEFLATED) {
    try {
      result = inflateSync(source, { out: new Uint8Array(unpacked) });
    } catch {
      fail(`entry ${quoted(name)} is damaged`);
    }
  }
  if (result.length !== unpacked || crc32(result) !== checksum)
    fail(`entry ${quoted(name)} is damaged (its checksum does not agree)`);
  return result;
}

const CRC_TABLE = /* @__PURE__ */ Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  return remainder;
});

/** The checksum of zip, gzip and PNG: polynomial 0x04c11db7, reflected. */
export function crc32(bytes: Uint8Array): number {
  let remainder = -1;
  for (let i = 0; i < bytes.length; i++)
    remainder = CRC_TABLE[(remainder ^ bytes[i]!) & 255]! ^ (remainder >>> 8);
  return ~remainder >>> 0;
}
