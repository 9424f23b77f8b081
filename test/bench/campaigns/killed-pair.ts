/** Program: Flume's load-balancing client against two agents, one killed each few seconds, for minutes. */
import { parseArgs } from 'node:util'
import { FLUME_VERSIONS } from '../../support/interop/class-path.js'
import { closeJavaPeers } from '../../support/interop/java-peer.js'
import { killedPair } from '../../support/interop/killed-pair.js'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '60' },
    every: { type: 'string', default: '5000' },
    flume: { type: 'string', default: '1.11' },
  },
})
const version = FLUME_VERSIONS.find((each) => each === values.flume)
if (version === undefined) throw new Error(`--flume is one of ${FLUME_VERSIONS.join(', ')}`)
const result = await killedPair({
  version,
  kills: Number(values.kills),
  everyMs: Number(values.every),
})
const { acknowledged, doubles, failures } = result
console.log(
  `${values.kills} kills: ${acknowledged} events acknowledged, 0 lost, ${doubles} doubled, ${failures} calls sent again`,
)
await closeJavaPeers()
