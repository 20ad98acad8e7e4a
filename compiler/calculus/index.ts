/** Derivatives of programs: graph -> graph. */
export { cotangentNames, differentiate, type DifferentiateOptions } from './adjoint.ts';
export { expandDerivatives, hasDerivatives, type ExpandOptions } from './derivatives.ts';
export { tangent, type TangentProgram } from './tangent.ts';
