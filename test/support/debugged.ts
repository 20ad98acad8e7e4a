/**
 * A program that debugs another module in its own process: breakpoints are set when the module is loaded, then its `run` is
 * called. Prints the stops as JSON. It is bundled by the tests, since loaders that strip types have maps of their own.
 *
 *     node debugged.mjs main.js model.dsl:7 ...
 */
import { readFile } from 'node:fs/promises';
import { Session } from 'node:inspector';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Debugger } from './debugger.ts';

const [main = '', ...breakpoints] = process.argv.slice(2);
const session = new Session();
session.connect();
const connection = {
  send: (method: string, params: object = {}): Promise<unknown> =>
    new Promise((done, failed) => {
      session.post(method, params, (error, result) => (error ? failed(error) : done(result)));
    }),
  on: (event: string, listener: (params: never) => void): void => {
    session.on(event, ({ params }: { readonly params: never }) => listener(params));
  },
};
const debug = new Debugger(connection, async (url) =>
  url.startsWith('data:') ? await (await fetch(url)).text() : await readFile(fileURLToPath(url), 'utf8'),
);
await debug.start();
const module = (await import(pathToFileURL(main).href)) as { run(): void };
const set: number[] = [];
for (const breakpoint of breakpoints) {
  const [file = '', line, column] = breakpoint.split(':');
  set.push(await debug.setBreakpoint(file, Number(line), column === undefined ? 1 : Number(column)));
}
module.run();
process.stdout.write(JSON.stringify({ set, stops: debug.stops }));
