/**
 * Who is timed: ours, and the libraries beside it that are installed here.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { dataFolder } from './data.ts';

export interface Peer {
  readonly name: string;
  /** The command and its first words. */
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether it takes part in a workload. */
  readonly takes: (workload: string) => boolean;
}

const everything = (): boolean => true;
const path = (file: string): string => fileURLToPath(new URL(`peers/${file}`, import.meta.url));

/** A program of the folder `peers`. */
export function script(
  name: string,
  file: string,
  words: readonly string[],
  takes = everything as Peer['takes'],
): Peer {
  return { name, words: [process.execPath, ...process.execArgv, path(file), ...words], takes };
}

const tooSlow = new Set(['W6', 'S3']); // more than five seconds a step

const libraries: readonly { readonly package: string; readonly peers: readonly Peer[] }[] = [
  {
    package: '@tensorflow/tfjs-backend-wasm',
    peers: [
      script('tfjs-cpu', 'tfjs.ts', ['--backend', 'cpu'], (id) => !tooSlow.has(id)),
      script('tfjs-wasm', 'tfjs.ts', ['--backend', 'wasm']),
      script('tfjs-wasm-tuned', 'tfjs.ts', ['--backend', 'wasm', '--tuned']),
    ],
  },
  {
    package: '@jax-js/jax',
    peers: [
      script('jax-wasm', 'jax.ts', []),
      script('jax-wasm-tuned', 'jax.ts', ['--tuned'], (id) => id === 'W4'),
    ],
  },
];

const python = process.env['PYTHON'] ?? '/usr/bin/python3';

/** The folder of OpenBLAS in Debian; its OpenMP build shares PyTorch's own threads. */
function openBlas(): string | undefined {
  const root = '/usr/lib';
  if (!existsSync(root)) return undefined;
  return readdirSync(root)
    .flatMap((machine) => [`${root}/${machine}/openblas-openmp`, `${root}/${machine}/openblas-pthread`])
    .find((folder) => existsSync(folder));
}

/** PyTorch on one thread, with how fast its products are; or why it is left out. */
function findTorch(): { peer: Peer; note: string } | { missing: string } {
  const folder = openBlas();
  if (!existsSync(python) || folder === undefined) {
    return {
      missing: 'PyTorch is left out: it takes the packages python3-torch and libopenblas0-openmp of Debian',
    };
  }
  const environment = { LD_LIBRARY_PATH: folder, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
  const words = [python, '-W', 'ignore', path('torch_peer.py')];
  const { status, stdout } = spawnSync(words[0]!, [...words.slice(1), '--product'], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  if (status !== 0) return { missing: `PyTorch is left out: ${python} cannot import torch (python3-torch)` };
  const { version, gflops } = JSON.parse(stdout) as { version: string; gflops: number };
  return {
    peer: { name: 'torch', words: [...words, '--data', dataFolder], environment, takes: everything },
    note: `PyTorch ${version}, one thread, a product of 512 by 512 at ${gflops.toFixed(0)} GFLOP/s`,
  };
}

export interface Found {
  readonly peers: readonly Peer[];
  /** What there is and what is missing, a line each. */
  readonly notes: readonly string[];
}

/** @param left passes of the compiler that ours is timed without */
export function findPeers(left: readonly string[]): Found {
  const peers = [
    script(
      'chainrule',
      'chainrule.ts',
      left.flatMap((pass) => ['--no-pass', pass]),
    ),
  ];
  const notes: string[] = [`Node ${process.version}`];
  const torch = findTorch();
  if ('peer' in torch) peers.push(torch.peer);
  notes.push('peer' in torch ? torch.note : torch.missing);
  const { resolve } = createRequire(import.meta.url);
  for (const { package: name, peers: own } of libraries) {
    try {
      resolve(name);
    } catch {
      notes.push(`${name} is left out: npm ci --prefix bench installs it`);
      continue;
    }
    peers.push(...own);
  }
  return { peers, notes };
}

/** Keeps a process on one CPU, where that can be done. */
function pinned(cpu: number): readonly string[] {
  const canPin = process.platform === 'linux' && availableParallelism() > cpu;
  return canPin && existsSync('/usr/bin/taskset') ? ['/usr/bin/taskset', '-c', String(cpu)] : [];
}

/** One run of a peer's process: the line that it prints. @throws where it fails */
export function runProcess<Line>(
  { words, environment = {} }: Pick<Peer, 'words' | 'environment'>,
  more: readonly string[],
  cpu: number,
): Line {
  const [command = '', ...rest] = [...pinned(cpu), ...words, ...more];
  const { status, stdout, stderr, error } = spawnSync(command, rest, {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    timeout: 600_000,
  });
  const line = stdout?.trim().split('\n').at(-1) ?? '';
  if (status !== 0 || !line.startsWith('{')) {
    const reason = stderr?.split('\n').find((text) => /error/i.test(text));
    throw new Error(error?.message ?? reason ?? `ended with ${status}`);
  }
  return JSON.parse(line) as Line;
}

/** The scalar peak, in GFLOP/s. */
export function measurePeak(cpu: number): number {
  return runProcess<{ gflops: number }>(script('peak', 'peak.ts', []), [], cpu).gflops;
}
