/**
 * Loaded before the tests: property tests draw the same inputs in every run. `MILLRACE_SEED=random`
 * draws new ones, another number those of that seed; a failure prints the seed that it needs.
 */
import * as fc from 'fast-check'

const wanted = process.env['MILLRACE_SEED'] ?? '20261124'
if (wanted !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(wanted) })
