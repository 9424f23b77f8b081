/**
 * How many events of about 260 bytes the operations of EventBatch handle in a second of processor time.
 *
 *     node event-scan.js [EVENTS_PER_BATCH] [MILLISECONDS_PER_OPERATION]
 *
 * Prints one JSON line: events a second by operation, with the length of an event in bytes.
 */
import { EventBatch } from '@millrace/event'

const [size = 100, timeMs = 300] = process.argv.slice(2).map(Number)

const events = EventBatch.of(
  Array.from({ length: size }, (_, i) => ({
    headers: {
      timestamp: '1700000000000',
      host: 'web-frontend-01',
      level: i % 3 ? 'INFO' : 'WARN',
    },
    body: 'x'.repeat(200),
  })),
)
/** The array as a frame holds it. */
const array = Buffer.concat([varint(size), events.bytes, Buffer.from([0])])
const edits = [
  { name: 'datacenter', value: 'eu-central-1' },
  { name: 'received', value: '1700000000001', preserveExisting: true },
]

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value * 2
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}

const operations: Readonly<Record<string, () => unknown>> = {
  scanArray: () => EventBatch.scanArray(array),
  addTwoHeaders: () => events.withHeaders(edits),
  replaceOneHeader: () => events.withHeaders([{ name: 'host', value: 'another-host' }]),
  keepOneHeader: () =>
    events.withHeaders([{ name: 'timestamp', value: '1', preserveExisting: true }]),
  headerAt: () => {
    for (let i = 0; i < size; i += 1) events.headerAt(i, 'level')
  },
  headersAt: () => {
    for (let i = 0; i < size; i += 1) events.headersAt(i)
  },
  bodyAt: () => {
    for (let i = 0; i < size; i += 1) events.bodyAt(i)
  },
  filterHalf: () => events.filter((i) => i % 2 === 0),
  sliceInTwo: () => [events.slice(0, size >> 1), events.slice(size >> 1)],
  concatTwo: () => EventBatch.concat([events, events]),
}

/** Events for each second of processor time, which other programs on the machine do not take away. */
function measure(operation: () => unknown): number {
  let rounds = 0
  const start = process.cpuUsage()
  let usedMs = 0
  while (usedMs < timeMs) {
    for (let i = 0; i < 20; i += 1) operation()
    rounds += 20
    const used = process.cpuUsage(start)
    usedMs = (used.user + used.system) / 1_000
  }
  return Math.round((rounds * size * 1_000) / usedMs)
}

const eventsPerSecond = Object.fromEntries(
  Object.entries(operations).map(([name, operation]) => {
    measure(operation)
    return [name, measure(operation)]
  }),
)
console.log(
  JSON.stringify({
    node: process.version,
    eventBytes: events.byteLength / size,
    size,
    eventsPerSecond,
  }),
)
