/**
 * Property tests draw from one seed, so that a run can be repeated; FC_SEED=random (or a number) hunts elsewhere.
 */
import * as fc from 'fast-check';

const given = process.env['FC_SEED'];
if (given !== 'random') fc.configureGlobal({ seed: Number(given ?? 20261122) });
