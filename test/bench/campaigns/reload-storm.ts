/**
 * An agent under load whose configuration is edited at random, again and again.
 *
 *     npm run campaign -- reload-storm [--edits 5000] [--seed 1]
 */
import { argument } from '../report.js'
import { ReloadStorm } from '../../support/reload/storm.js'

const edits = Number(argument('edits', '5000'))
const seed = Number(argument('seed', '1'))
const storm = await new ReloadStorm({ edits, seed }).run()
console.log(`seed                            ${seed}`)
console.log(`edits                           ${edits}, of these refused ${storm.refused}`)
console.log(`reloads                         ${storm.reloads}`)
console.log(`reroutes of an unchanged source ${storm.reroutes}`)
console.log(`restarts of an unchanged source ${storm.restartsOfUnchanged}`)
console.log(`failures at an unchanged source ${storm.failuresOfUnchanged.length}`)
console.log(`acknowledged                    ${storm.acknowledged}`)
for (const failure of storm.failuresOfUnchanged.slice(0, 20)) console.log(`failed: ${failure}`)
storm.audit()
process.exitCode = storm.restartsOfUnchanged + storm.failuresOfUnchanged.length === 0 ? 0 : 1
