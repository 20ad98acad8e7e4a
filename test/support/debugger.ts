/**
 * What a debugger does with source maps, which V8 does not know: it reads the map of each script that names one, looks up where
 * a line of the user's text is in the script, sets the breakpoint there, and translates back where the script stands still.
 * Chrome's and VS Code's debuggers both take the first place in the script of the smallest column of the line.
 */
import {
  allGeneratedPositionsFor,
  LEAST_UPPER_BOUND,
  originalPositionFor,
  TraceMap,
} from '@jridgewell/trace-mapping';

/** The part of the Chrome DevTools Protocol that is needed, in Node and in Chromium. */
export interface Connection {
  send(method: string, params?: object): Promise<unknown>;
  on(event: string, listener: (params: never) => void): void;
}

interface Script {
  readonly scriptId: string;
  readonly url: string;
  readonly sourceMapURL: string;
}

interface Location {
  readonly scriptId: string;
  /** Counted from 0, as the protocol does. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface CallFrame {
  readonly functionName: string;
  readonly location: Location;
}

/** A frame of the stack as a person sees it. */
export interface Frame {
  readonly function: string;
  /** `model.dsl:7`, or nothing where the code is of no mapped script. */
  readonly place: string;
}

export class Debugger {
  private readonly connection: Connection;
  private readonly load: (url: string) => Promise<string>;
  private readonly scripts = new Map<string, Script>();
  private readonly maps = new Map<string, TraceMap>();
  /** For each stop, the stack, innermost first. */
  readonly stops: (readonly Frame[])[] = [];

  /** @param load the text at the URL of a map */
  constructor(connection: Connection, load: (url: string) => Promise<string>) {
    this.connection = connection;
    this.load = load;
    connection.on('Debugger.scriptParsed', (script: Script) => {
      if (script.sourceMapURL !== '') this.scripts.set(script.scriptId, script);
    });
    connection.on('Debugger.paused', ({ callFrames }: { readonly callFrames: readonly CallFrame[] }) => {
      this.stops.push(callFrames.map((frame) => this.frameOf(frame)));
      void connection.send('Debugger.resume');
    });
  }

  async start(): Promise<void> {
    await this.connection.send('Debugger.enable');
  }

  /** @returns how many scripts have the line: in each, a breakpoint is set */
  async setBreakpoint(file: string, line: number, column = 1): Promise<number> {
    let set = 0;
    for (const script of this.scripts.values()) {
      const map = await this.mapOf(script);
      for (const source of map.sources) {
        if (source === null || !source.endsWith(`/${file}`)) continue;
        const needle = { source, line, column: column - 1, bias: LEAST_UPPER_BOUND } as const;
        const [first] = allGeneratedPositionsFor(map, needle).toSorted(
          (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
        );
        if (first?.line == null) continue;
        const location = { lineNumber: first.line - 1, columnNumber: first.column };
        await this.connection.send('Debugger.setBreakpointByUrl', { url: script.url, ...location });
        set++;
      }
    }
    return set;
  }

  private async mapOf({ scriptId, url, sourceMapURL }: Script): Promise<TraceMap> {
    const address = new URL(sourceMapURL, url).href;
    const map = this.maps.get(scriptId) ?? new TraceMap(await this.load(address), address);
    this.maps.set(scriptId, map);
    return map;
  }

  private frameOf({ functionName, location }: CallFrame): Frame {
    const map = this.maps.get(location.scriptId);
    const at = { line: location.lineNumber + 1, column: location.columnNumber };
    const found = map && originalPositionFor(map, at);
    const file = found?.source?.split('/').at(-1);
    return { function: functionName, place: file === undefined ? '' : `${file}:${found?.line}` };
  }
}
