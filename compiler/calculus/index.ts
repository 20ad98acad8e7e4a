/** Derivatives of programs: graph -> graph. */
export { differentiate, type DifferentiateOptions } from './adjoint.ts';
export { tangent, type TangentProgram } from './tangent.ts';
