/**
 * What does a second hop cost: agent → avro sink → agent beside one agent, in processor time per event?
 *
 *     npm run bench -- two-hops [--rounds 5] [--events 1000000] [--json FILE]
 */
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Peer, startMillrace, usage } from './peers.js'
import { argument, median, printTable, writeReport } from './report.js'

const rounds = Number(argument('rounds', '5'))
const events = Number(argument('events', '1000000'))
const here = dirname(fileURLToPath(import.meta.url))

function load(port: number): Promise<void> {
  const args = [join(here, 'load-generator.js'), String(port), String(events), '1000', '4', '4']
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, (error) => (error ? reject(error) : resolve()))
  })
}

async function cpuPerMillion(first: Peer, last: Peer): Promise<number> {
  const pids = [...new Set([...first.pids, ...last.pids])]
  const before = usage(pids)
  const target = (await last.accepted(1_000)) + events
  await load(first.port)
  const deadline = performance.now() + 60_000
  while ((await last.accepted(1_000)) < target) {
    if (performance.now() > deadline)
      throw new Error('void: the last agent did not count all events')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return ((usage(pids).cpuSeconds - before.cpuSeconds) / events) * 1e6
}

const single = await startMillrace()
const last = await startMillrace()
const first = await startMillrace({
  sink: {
    type: 'avro',
    hostname: '127.0.0.1',
    port: String(last.port),
    'batch-size': '1000',
  },
})
const oneHop: number[] = []
const twoHops: number[] = []
try {
  await cpuPerMillion(single, single)
  await cpuPerMillion(first, last)
  for (let round = 0; round < rounds; round += 1) {
    oneHop.push(await cpuPerMillion(single, single))
    twoHops.push(await cpuPerMillion(first, last))
  }
} finally {
  for (const peer of [first, single, last]) await peer.stop()
}
const ratio = median(twoHops) / median(oneHop)
printTable([
  {
    'one hop CPU-s/M': median(oneHop).toFixed(2),
    'two hops CPU-s/M': median(twoHops).toFixed(2),
    ratio: ratio.toFixed(2),
  },
])
writeReport('two-hops', {
  rounds,
  events,
  oneHop: median(oneHop),
  twoHops: median(twoHops),
  ratio,
  raw: { oneHop, twoHops },
})
