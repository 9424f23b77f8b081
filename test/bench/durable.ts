/**
 * How near does avro source → file channel → null sink come to the disk's own limit? In one run, round
 * by round: a bare loop (receive, append to a preallocated file, one `fdatasync` for all that wait,
 * answer), an agent whose file channel is emptied at the same time, and on demand a real Flume 1.11.
 *
 *     npm run bench -- durable [--rounds 5] [--scale 1] [--shape 1000x4x4] [--flume] [--profile] [--json FILE]
 *
 * `--scale` multiplies the events of each run. A run whose receiver did not count what was sent is void.
 * `--profile` adds a run of its own with Node's profiler for the shape with most events.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hottest, type ProfileLine } from './cpu-profile.js'
import { load, type Shape, shapeName } from './load.js'
import {
  fileChannel,
  flumeClassPath,
  type Peer,
  startBare,
  startFlume,
  startMillrace,
  usage,
} from './peers.js'
import { argument, hasFlag, median, printTable, writeReport } from './report.js'

/** And a first guess of events for one to two seconds of the bare loop. */
const SHAPES = [
  { batch: 100, window: 1, connections: 1, events: 150_000 },
  { batch: 100, window: 1, connections: 8, events: 500_000 },
  { batch: 100, window: 16, connections: 1, events: 800_000 },
  { batch: 1_000, window: 1, connections: 4, events: 1_500_000 },
  { batch: 1_000, window: 4, connections: 4, events: 2_000_000 },
  { batch: 1, window: 1, connections: 1, events: 2_000 },
]

/** Enough for all the segments that are then used again and again. */
const FILLING = { batch: 1_000, window: 4, connections: 4, events: 1_500_000 }
/** Flume gets this share of a run's events: it is an order of magnitude slower. */
const FLUME_SHARE = 0.15
/** How long an agent may take to empty its channel behind a run, in milliseconds. */
const DRAIN_DEADLINE_MS = 120_000

interface Measured {
  readonly eventsPerSecond: number
  /** Of the receiver, from the first event to the empty channel. */
  readonly cpuSecondsPerMillion: number
  readonly systemSecondsPerMillion: number
  readonly mainSecondsPerMillion: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Events in the channel when the last one was answered. */
  readonly backlog: number
  readonly peakMegabytes: number
  readonly syncsPerSecond: number
  readonly eventsPerSync: number
  /** Bytes returned by the write calls on the receiver's own files for each byte of an event. */
  readonly writtenPerByte: number
}

async function untilDrained(peer: Peer, shape: Shape): Promise<void> {
  const deadline = performance.now() + DRAIN_DEADLINE_MS
  while ((await peer.figures(shape.batch)).backlog > 0) {
    if (performance.now() > deadline)
      throw new Error(`void: ${peer.name} does not empty its channel`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function measure(peer: Peer, shape: Shape, events: number): Promise<Measured> {
  const start = await peer.figures(shape.batch)
  const before = usage(peer.pids)
  const result = await load(peer.port, shape, events)
  const end = await peer.figures(shape.batch)
  await untilDrained(peer, shape)
  const after = usage(peer.pids)
  const last = await peer.figures(shape.batch)
  const counted = last.accepted - start.accepted
  if (counted !== result.events)
    throw new Error(`void: ${peer.name} counted ${counted} of ${result.events} events`)
  const syncs = (end.syncs ?? Number.NaN) - (start.syncs ?? Number.NaN)
  const written = (last.bytesWritten ?? Number.NaN) - (start.bytesWritten ?? Number.NaN)
  const perMillion = (key: 'cpuSeconds' | 'systemSeconds' | 'mainSeconds') =>
    ((after[key] - before[key]) / result.events) * 1e6
  return {
    eventsPerSecond: result.eventsPerSecond,
    cpuSecondsPerMillion: perMillion('cpuSeconds'),
    systemSecondsPerMillion: perMillion('systemSeconds'),
    mainSecondsPerMillion: perMillion('mainSeconds'),
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    backlog: end.backlog,
    peakMegabytes: after.peakMegabytes,
    syncsPerSecond: syncs / result.seconds,
    eventsPerSync: result.events / syncs,
    writtenPerByte: written / (result.events * result.eventBytes),
  }
}

/** Runs the largest shape under Node's profiler and gives the functions that took most time. */
async function profiled(directory: string): Promise<ProfileLine[]> {
  const shape = shapes.reduce((a, b) => (b.events > a.events ? b : a))
  const profiles = join(directory, 'profiles')
  const peer = await startMillrace({
    channel: fileChannel(join(directory, 'profiled')),
    nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${profiles}`],
  })
  try {
    await load(peer.port, shape, Math.max(shape.batch, shape.events * 2 * scale))
    await untilDrained(peer, shape)
  } finally {
    await peer.stop()
  }
  console.log(`Hottest functions of the main thread at ${shapeName(shape)}:\n`)
  return hottest(profiles, 20)
}

const rounds = Number(argument('rounds', '5'))
const scale = Number(argument('scale', '1'))
const only = argument('shape', '')
const shapes = SHAPES.filter(
  ({ batch, window, connections }) => only === '' || only === `${batch}x${window}x${connections}`,
)
const directory = mkdtempSync(join(tmpdir(), 'millrace-durable-'))
const peers: Peer[] = []
let receivers: readonly string[] = []
let profile: ProfileLine[] = []
const results: { shape: Shape; measured: Record<string, Measured[]> }[] = []
try {
  peers.push(await startBare(join(directory, 'bare')))
  peers.push(await startMillrace({ channel: fileChannel(join(directory, 'millrace')) }))
  if (hasFlag('flume')) {
    const classPath = flumeClassPath()
    if (!classPath) throw new Error('--flume needs Java and Maven')
    peers.push(await startFlume(classPath, { channel: fileChannel(join(directory, 'flume')) }))
  }
  // A warm-up of every peer: compilers, and the first segments, which are filled with zeroes once.
  for (const peer of peers) {
    if (!peer.name.includes('Flume')) await load(peer.port, FILLING, FILLING.events * scale)
    for (const shape of shapes) {
      await load(peer.port, shape, Math.min(100_000, shape.events) * scale)
      await untilDrained(peer, shape)
    }
  }
  for (const shape of shapes) {
    const measured = new Map<string, Measured[]>(peers.map((peer) => [peer.name, []]))
    for (let round = 0; round < rounds; round += 1) {
      for (const peer of peers) {
        const share = peer.name.includes('Flume') ? FLUME_SHARE : 1
        const events = Math.max(shape.batch, Math.round(shape.events * scale * share))
        measured.get(peer.name)?.push(await measure(peer, shape, events))
      }
    }
    results.push({ shape, measured: Object.fromEntries(measured) })
  }
  receivers = peers.map(({ name }) => name)
  for (const peer of peers.splice(0)) await peer.stop()
  if (hasFlag('profile')) profile = await profiled(directory)
} finally {
  for (const peer of peers) await peer.stop()
  rmSync(directory, { recursive: true, force: true })
}

const shown = (value: number, digits: number) => (Number.isNaN(value) ? '–' : value.toFixed(digits))
const share = (value: number, whole: number) => shown((value / whole) * 100, 0)
const thousands = (value: number) => shown(value / 1_000, value < 10_000 ? 1 : 0)

const rows = results.flatMap(({ shape, measured }) => {
  const of = (name: string, key: keyof Measured) =>
    median((measured[name] ?? []).map((each) => each[key]))
  return receivers.map((name) => ({
    'batch × window × connections': shapeName(shape),
    receiver: name,
    'k events/s': thousands(of(name, 'eventsPerSecond')),
    '% of bare': share(of(name, 'eventsPerSecond'), of(receivers[0] ?? '', 'eventsPerSecond')),
    'CPU-s/M': shown(of(name, 'cpuSecondsPerMillion'), 2),
    'of them system': shown(of(name, 'systemSecondsPerMillion'), 2),
    'main thread': shown(of(name, 'mainSecondsPerMillion'), 2),
    'p50 ms': shown(of(name, 'p50Ms'), 2),
    'p99 ms': shown(of(name, 'p99Ms'), 2),
    'syncs/s': shown(of(name, 'syncsPerSecond'), 0),
    'events/sync': shown(of(name, 'eventsPerSync'), 0),
    'written/byte': shown(of(name, 'writtenPerByte'), 3),
    backlog: shown(of(name, 'backlog'), 0),
    'peak MB': shown(Math.max(...(measured[name] ?? []).map((each) => each.peakMegabytes)), 0),
  }))
})
if (profile.length > 0) {
  printTable(profile.map(({ where, percent }) => ({ where, '%': percent.toFixed(1) })))
  console.log()
}
printTable(rows)
writeReport('durable', { rounds, scale, rows, profile, raw: results })
