// mocha's spec output, closed by the one line that .ci/run adds up: "N passed, N failed" (and ", N skipped").
// With --reporter-option minutes=1 the minutes of each file stand before it.
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(
  join(dirname(fileURLToPath(import.meta.url)), '..', 'test', 'package.json'),
)
const Mocha = require('mocha')
const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'test', 'dist')

/** Adds up the time of the tests and hooks of each file. Of files that run beside each other the sum is more than the time. */
class FileTimes {
  #msOf = new Map()

  constructor(runner) {
    for (const event of ['pass', 'fail', 'hook end'])
      runner.on(event, ({ file, duration }) => this.#add(file, duration))
  }

  #add(file = '', ms = 0) {
    if (file === '') return
    const name = relative(dist, file).replace(/\.js$/, '.ts')
    this.#msOf.set(name, (this.#msOf.get(name) ?? 0) + ms)
  }

  *lines() {
    for (const [name, ms] of this.#msOf)
      yield `${(ms / 60_000).toFixed(1).padStart(6)} min  ${name}`
  }
}

export default class MillraceReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const times = options?.reporterOptions?.minutes ? new FileTimes(runner) : undefined
    runner.once('end', () => {
      const { passes, failures, pending } = this.stats
      for (const line of times?.lines() ?? []) process.stdout.write(`${line}\n`)
      const skipped = pending > 0 ? `, ${pending} skipped` : ''
      process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`)
    })
  }
}
