/**
 * How fast is avro source → memory channel → null sink, beside the bare loopback server and a real
 * Flume 1.11 agent, in one run?
 *
 *     npm run bench -- throughput [--rounds 5] [--seconds 1.5] [--no-flume] [--json FILE]
 */
import { load, type Shape } from './load.js'
import { flumeClassPath, type Peer, startBare, startFlume, startMillrace, usage } from './peers.js'
import { argument, hasFlag, median, printTable, writeReport } from './report.js'

/** Batch × window × connections, and a first guess of events for about one second at the ceiling. */
const SHAPES = [
  { batch: 100, window: 1, connections: 1, events: 700_000 },
  { batch: 100, window: 1, connections: 8, events: 1_000_000 },
  { batch: 100, window: 16, connections: 1, events: 1_500_000 },
  { batch: 1_000, window: 1, connections: 1, events: 1_400_000 },
  { batch: 1_000, window: 4, connections: 4, events: 2_000_000 },
]

interface Measured {
  readonly eventsPerSecond: number
  readonly cpuSecondsPerMillion: number
  readonly p99Ms: number
  readonly peakMegabytes: number
}

async function measure(peer: Peer, shape: Shape, events: number): Promise<Measured> {
  const acceptedBefore = await peer.accepted(shape.batch)
  const before = usage(peer.pids)
  const result = await load(peer.port, shape, events)
  const after = usage(peer.pids)
  const counted = (await peer.accepted(shape.batch)) - acceptedBefore
  if (counted !== result.events) {
    throw new Error(`void: ${peer.name} counted ${counted} of ${result.events} events`)
  }
  return {
    eventsPerSecond: result.eventsPerSecond,
    cpuSecondsPerMillion: ((after.cpuSeconds - before.cpuSeconds) / result.events) * 1e6,
    p99Ms: result.p99Ms,
    peakMegabytes: after.peakMegabytes,
  }
}

const rounds = Number(argument('rounds', '5'))
const seconds = Number(argument('seconds', '1'))
const classPath = hasFlag('no-flume') ? undefined : flumeClassPath()
if (!classPath && !hasFlag('no-flume'))
  console.log('No Java or Maven here: measured without Flume.\n')

const peers: Peer[] = [await startBare(), await startMillrace()]
if (classPath) peers.push(await startFlume(classPath))
const results = []
try {
  // A warm-up of every peer, longest for the one with a compiler to warm.
  for (const peer of peers) for (const shape of SHAPES) await load(peer.port, shape, 200_000)
  for (const shape of SHAPES) {
    const measured = new Map<string, Measured[]>(peers.map((peer) => [peer.name, []]))
    for (let round = 0; round < rounds; round += 1) {
      for (const peer of peers) {
        const share = peer.name.includes('Flume') ? 0.3 : 1
        measured
          .get(peer.name)
          ?.push(await measure(peer, shape, Math.round(shape.events * seconds * share)))
      }
    }
    results.push({ shape, measured: Object.fromEntries(measured) })
  }
} finally {
  for (const peer of peers) await peer.stop()
}

const rows = results.map(({ shape, measured }) => {
  const of = (name: string, key: keyof Measured) =>
    median((measured[name] ?? []).map((each) => each[key]))
  const [bare = '', millrace = '', flume = ''] = peers.map((peer) => peer.name)
  const bareRate = of(bare, 'eventsPerSecond')
  const rate = of(millrace, 'eventsPerSecond')
  const cpu = of(millrace, 'cpuSecondsPerMillion')
  const k = (value: number) => (Number.isNaN(value) ? '–' : `${Math.round(value / 1_000)} k`)
  return {
    'batch × window × connections': `${shape.batch} × ${shape.window} × ${shape.connections}`,
    'bare ev/s': k(bareRate),
    'millrace ev/s': k(rate),
    'of bare': `${Math.round((rate / bareRate) * 100)} %`,
    'CPU-s/M': cpu.toFixed(2),
    'bare CPU-s/M': of(bare, 'cpuSecondsPerMillion').toFixed(2),
    'Flume ev/s': k(of(flume, 'eventsPerSecond')),
    'CPU of Flume': flume
      ? `${Math.round((cpu / of(flume, 'cpuSecondsPerMillion')) * 100)} %`
      : '–',
    'p99 ms': of(millrace, 'p99Ms').toFixed(2),
    'peak MB': Math.round(
      Math.max(...(measured[millrace] ?? []).map((each) => each.peakMegabytes)),
    ),
  }
})
printTable(rows)
writeReport('throughput', { rounds, rows, raw: results })
