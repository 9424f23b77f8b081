// mocha's spec output, closed by the one line that .ci/run adds up: "N passed, N failed" (and ", N skipped").
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(
  join(dirname(fileURLToPath(import.meta.url)), '..', 'test', 'package.json'),
)
const Mocha = require('mocha')

export default class MillraceReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats
      const skipped = pending > 0 ? `, ${pending} skipped` : ''
      process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`)
    })
  }
}
