/** Writes docs/ERRORS.md. Run by `npm run docs`. */
import { writeFileSync } from 'node:fs';
import { documentPath, renderErrors } from './render.ts';

writeFileSync(documentPath, renderErrors());
