// npm run campaign -- power-loss [--points N] [--lives N] [--seed N] [--faults] [--trace]: schedules from the seed on, until
// the process has ended N times. Prints the seed of each schedule that breaks the law and ends with 1 then.
import { parseArgs } from 'node:util'
import { addReport, emptyReport, powerLossSchedule } from '../../support/wal/power-loss.js'

const { values } = parseArgs({
  options: {
    points: { type: 'string', default: '10000' },
    lives: { type: 'string', default: '16' },
    seed: { type: 'string', default: '1' },
    faults: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
  },
})
const points = Number(values.points)
const lives = Number(values.lives)
const trace = values.trace ? { trace: (line: string) => console.log(line) } : {}
const sum = emptyReport()
const startedAt = performance.now()
let done = 0
for (let seed = Number(values.seed); done < points; seed += 1) {
  try {
    addReport(sum, await powerLossSchedule({ seed, lives, withFaults: values.faults, ...trace }))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    if (values['keep-going']) process.exitCode = 1
    else {
      console.error(error)
      process.exit(1)
    }
  }
  done += lives
  if (Math.floor(done / 1000) !== Math.floor((done - lives) / 1000)) {
    console.log(`${done} of ${points}: ${JSON.stringify(sum)}`)
  }
}
const seconds = (performance.now() - startedAt) / 1000
console.log(`${done} ends of the process in ${seconds.toFixed(1)} s: ${JSON.stringify(sum)}`)
