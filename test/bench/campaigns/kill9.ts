/**
 * An agent with a file channel is killed under load and restarted, and the senders' records of what was
 * acknowledged are compared with what its sinks have stored.
 *
 *     npm run campaign -- kill9 [--kills 50] [--seed 1] [--senders 4] [--sinks 2]
 */
import { argument } from '../report.js'
import { Kill9Campaign } from '../../support/kill9/campaign.js'

const kills = Number(argument('kills', '50'))
const seed = Number(argument('seed', '1'))
const result = await new Kill9Campaign({
  kills,
  seed,
  senders: Number(argument('senders', '4')),
  sinks: Number(argument('sinks', '2')),
  onKill: ({ number, moment, afterMs }) =>
    console.log(`kill ${number} of ${kills}: ${moment}, after ${afterMs.toFixed(0)} ms`),
}).run()

const { acknowledged, lost, duplicates, duplicateBound, invented, complaints } = result
console.log(`\nseed                    ${seed}`)
console.log(`acknowledged            ${acknowledged}`)
console.log(`acknowledged and lost   ${lost.length}`)
console.log(`duplicates              ${duplicates} (at most ${duplicateBound})`)
console.log(`most of one run         ${result.mostDuplicatesOfARun}`)
console.log(`stored but never sent   ${invented.length}`)
console.log(`refused calls           ${result.refusals}`)
for (const event of lost.slice(0, 20)) console.log(`lost: ${event}`)
for (const complaint of complaints) console.log(`the agent said: ${complaint}`)
const isOk =
  lost.length === 0 &&
  invented.length === 0 &&
  duplicates <= duplicateBound &&
  complaints.length === 0
process.exitCode = isOk ? 0 : 1
