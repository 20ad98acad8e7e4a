/** Text to syntax tree. */
export { parse } from './parser.ts';
