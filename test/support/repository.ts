import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository; this file runs from test/dist/support. */
export const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
