// npm run campaign -- fault-sweep [--kind KIND]: each call of a fixed run fails once with each error.
import { parseArgs } from 'node:util'
import { sweepFaults, sweepRun } from '../../support/wal/fault-sweep.js'

const { values } = parseArgs({ options: { kind: { type: 'string' } } })
const { counts } = await sweepRun()
let runs = 0
let failures = 0
const broken: string[] = []
for (const fault of sweepFaults(counts)) {
  if (values.kind !== undefined && fault.kind !== values.kind) continue
  runs += 1
  try {
    failures += (await sweepRun(fault)).failures
  } catch (error) {
    broken.push(error instanceof Error ? error.message : String(error))
    console.error(broken.at(-1))
  }
}
console.log(`calls: ${JSON.stringify([...counts])}`)
console.log(`${runs} runs, ${failures} refusals, ${broken.length} broken`)
if (broken.length > 0) process.exitCode = 1
