/**
 * How long does a file channel with a large backlog take to open after kill -9, and do draining and
 * accepting hold each other up?
 *
 *     npm run bench -- durable-open [--gigabytes 0.6] [--rounds 3] [--json FILE]
 *
 * Fills a channel that nothing empties (that rate is "puts alone"), ends the agent by SIGKILL, and
 * times its start to the first connection that its source accepts, beside the start with an empty
 * channel. Then a null sink empties the backlog, once alone, once while new events arrive.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from './load.js'
import { fileChannel, type Peer, startMillrace, usage } from './peers.js'
import { argument, median, printTable, writeReport } from './report.js'

const SHAPE = { batch: 1_000, window: 4, connections: 4 }
/** Of one event of the load generator, encoded. */
const EVENT_BYTES = 260
const SAMPLE_MS = 50
const rounds = Number(argument('rounds', '3'))
const gigabytes = Number(argument('gigabytes', '0.6'))
const events = Math.round((gigabytes * 1e9) / EVENT_BYTES / 1_000) * 1_000

const directory = mkdtempSync(join(tmpdir(), 'millrace-durable-open-'))
const limits = { capacity: String(events * 3), minimumRequiredSpace: '0' }
const backlogged = fileChannel(join(directory, 'backlogged'), limits)

async function timed<T>(work: () => Promise<T>): Promise<readonly [T, number]> {
  const start = performance.now()
  const value = await work()
  return [value, performance.now() - start]
}

/** Checks that the agent holds what it should. */
async function expectBacklog(peer: Peer, least: number): Promise<void> {
  const { backlog } = await peer.figures(SHAPE.batch)
  if (backlog < least) throw new Error(`void: a backlog of ${backlog} events, not ${least}`)
}

interface Rates {
  readonly putsPerSecond: number
  readonly takesPerSecond: number
  readonly peakMegabytes: number
}

/** Fills the channel without a sink, and ends the agent by SIGKILL. */
async function fill(count: number): Promise<Rates> {
  const peer = await startMillrace({ sink: 'none', channel: backlogged })
  try {
    const { eventsPerSecond } = await load(peer.port, SHAPE, count)
    await expectBacklog(peer, count)
    const { peakMegabytes } = usage(peer.pids)
    return { putsPerSecond: eventsPerSecond, takesPerSecond: 0, peakMegabytes }
  } finally {
    await peer.kill()
  }
}

async function openingMs(channel: Record<string, string>, least: number): Promise<number> {
  const [peer, ms] = await timed(() => startMillrace({ sink: 'none', channel }))
  try {
    await expectBacklog(peer, least)
  } finally {
    await peer.kill()
  }
  return ms
}

/** Empties the channel, alone or while new events arrive; counts while both go on. */
async function drain(arriving: number): Promise<Rates> {
  const peer = await startMillrace({ channel: backlogged })
  try {
    const open = await peer.figures(SHAPE.batch)
    let isLoaded = false
    const loading =
      arriving > 0
        ? load(peer.port, SHAPE, arriving).finally(() => (isLoaded = true))
        : Promise.resolve(undefined)
    // From the first event that has arrived, to the last one or the end of the backlog.
    let first = open
    let start = performance.now()
    let last = open
    do {
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS))
      last = await peer.figures(SHAPE.batch)
      if (arriving > 0 && first.accepted === open.accepted) {
        first = last
        start = performance.now()
      }
    } while (last.backlog > 0 && !isLoaded)
    const seconds = (performance.now() - start) / 1_000
    await loading
    if (arriving > 0 && last.accepted === first.accepted)
      throw new Error('void: the backlog was empty before events arrived; take more --gigabytes')
    await untilEmpty(peer)
    return {
      putsPerSecond: (last.accepted - first.accepted) / seconds,
      takesPerSecond: (last.taken - first.taken) / seconds,
      peakMegabytes: usage(peer.pids).peakMegabytes,
    }
  } finally {
    await peer.stop()
  }
}

async function untilEmpty(peer: Peer): Promise<void> {
  while ((await peer.figures(SHAPE.batch)).backlog > 0)
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS))
}

const raw = {
  emptyMs: [] as number[],
  openMs: [] as number[],
  filling: [] as Rates[],
  draining: [] as Rates[],
  both: [] as Rates[],
}
try {
  for (let round = 0; round < rounds; round += 1) {
    const empty = fileChannel(join(directory, `empty-${round}`), limits)
    await openingMs(empty, 0)
    raw.emptyMs.push(await openingMs(empty, 0))
    raw.filling.push(await fill(events))
    raw.openMs.push(await openingMs(backlogged, events))
    raw.draining.push(await drain(0))
    raw.filling.push(await fill(events))
    raw.openMs.push(await openingMs(backlogged, events))
    raw.both.push(await drain(events * 2))
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}

const rate = (rates: readonly Rates[], key: keyof Rates) => median(rates.map((each) => each[key]))
const putsAlone = rate(raw.filling, 'putsPerSecond')
const takesAlone = rate(raw.draining, 'takesPerSecond')
const putsBoth = rate(raw.both, 'putsPerSecond')
const takesBoth = rate(raw.both, 'takesPerSecond')
const peak = Math.max(
  ...[...raw.filling, ...raw.draining, ...raw.both].map(({ peakMegabytes }) => peakMegabytes),
)
const k = (value: number) => `${Math.round(value / 1_000)} k`
const percent = (value: number, whole: number) => `${Math.round((value / whole) * 100)} %`
const summary = {
  backlog: `${k(events)} events, ${gigabytes} GB`,
  'start, empty': `${Math.round(median(raw.emptyMs))} ms`,
  'start after kill -9': `${Math.round(median(raw.openMs))} ms`,
  'puts alone /s': k(putsAlone),
  'drain alone /s': k(takesAlone),
  'puts while draining': `${k(putsBoth)} (${percent(putsBoth, putsAlone)})`,
  'drain while putting': `${k(takesBoth)} (${percent(takesBoth, takesAlone)})`,
  'peak MB': Math.round(peak),
}
printTable([summary])
writeReport('durable-open', { rounds, events, summary, raw })
