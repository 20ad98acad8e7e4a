/** Writes docs/GRADIENTS.md. Run by `npm run docs`. */
import { writeFileSync } from 'node:fs';
import { documentPath, renderGallery } from './render.ts';

writeFileSync(documentPath, await renderGallery());
