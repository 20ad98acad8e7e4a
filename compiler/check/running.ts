/** An emitted module at a point: parameters, states and data in its arrays, loss and gradients out of them. */
import type { CompiledProgram, RealArray } from '../../runtime/types.ts';
import type { InputData, LoadedModule } from './types.ts';

/** Where a program is looked at: numbers that float32 holds exactly, so that both types see the same point. */
export interface Point {
  readonly rows: number;
  readonly inputs: InputData;
  readonly parameters: ReadonlyMap<string, Float64Array>;
  /** Running statistics and the like, by name. */
  readonly states: Readonly<Record<string, RealArray>>;
}

export class Running {
  private readonly program: CompiledProgram;
  private readonly module: LoadedModule;
  readonly rows: number;

  constructor(module: LoadedModule, rows: number, seed: number) {
    this.module = module;
    this.rows = rows;
    this.program = module.createProgram(rows, seed);
  }

  /** Every parameter, state and input at the point; inputs that the module has besides stay 0. */
  moveTo({ inputs, parameters, states }: Point): void {
    for (const [name, values] of parameters) this.parameter(name)?.set(values);
    for (const { name, offset, scalar } of this.module.description.states) {
      const values = states[name];
      if (values !== undefined) (scalar ? this.program.scalars : this.program.state).set(values, offset);
    }
    for (const [name, values] of Object.entries(inputs)) this.program.inputs[name]?.set(values);
  }

  /** The array of an input that the check itself has added. */
  input(name: string): RealArray | Int32Array | undefined {
    return this.program.inputs[name];
  }

  /** The place of a parameter in this program; undefined where the program does not read it. */
  parameter(name: string): RealArray | undefined {
    return this.placeIn(this.program.parameters, name);
  }

  /** A view of the gradient of the last `backward`. */
  gradient(name: string): RealArray | undefined {
    return this.placeIn(this.program.gradients, name);
  }

  /** The loss, and what else the program gives. */
  forward(): Float64Array {
    this.program.forward(this.rows, 0, 0);
    return this.program.results;
  }

  loss(): number {
    return this.forward()[0] ?? NaN;
  }

  backward(): void {
    this.program.backward(this.rows);
  }

  private placeIn(pool: RealArray, name: string): RealArray | undefined {
    const found = this.module.description.parameters.find((parameter) => parameter.name === name);
    return found && pool.subarray(found.offset, found.offset + found.size);
  }
}
