// npm run campaign -- damage [--every N] [--pages N] [--seed N]: each bit and each length of a small log, zeroed
// pages of a larger one. With --every N each N-th of them.
import { parseArgs } from 'node:util'
import {
  flipClosedLog,
  flipKilledLog,
  flipPairs,
  truncateClosedLog,
  zeroPages,
} from '../../support/wal/damage-campaigns.js'

const { values } = parseArgs({
  options: {
    every: { type: 'string', default: '1' },
    pages: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
  },
})
const every = Number(values.every)
let broken = 0
const onBroken = (error: unknown) => {
  broken += 1
  if (broken <= 20) console.error(error instanceof Error ? error.message : error)
}
const report = (what: string, runs: number) => {
  console.log(`${what}: ${runs} runs, ${broken} broken so far`)
}
report('truncations', await truncateClosedLog(every, onBroken))
report(
  'zeroed pages',
  await zeroPages({ runs: Number(values.pages), segments: 6, seed: Number(values.seed) }, onBroken),
)
report('pairs of damaged headers', await flipPairs(Math.ceil(400 / every), onBroken))
report('turned bits of a killed log', await flipKilledLog(every, onBroken))
report('turned bits of a closed log', await flipClosedLog(every, onBroken))
if (broken > 0) process.exitCode = 1
