// npm run campaign -- idle-connections [--connections N] [--seconds N] [--seed S] [--cases N]: an idle crowd, then hostile
// conversations, N in a second, beside a good client whose calls are timed.
import { parseArgs } from 'node:util'
import { crowdedAgent } from '../../support/fuzz/crowded-agent.js'

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    cases: { type: 'string', default: '50' },
  },
})
const report = await crowdedAgent({
  connections: Number(values.connections),
  seconds: Number(values.seconds),
  seed: Number(values.seed),
  casesPerSecond: Number(values.cases),
})
const { alone, attacked } = report.p99Ms
console.log(JSON.stringify(report))
console.log(
  `p99 beside the crowd and the attacks is ${(attacked / alone).toFixed(2)} times that alone`,
)
