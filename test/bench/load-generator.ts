/**
 * A raw Avro-RPC client that sends prebuilt `appendBatch` frames as fast as the answers allow.
 *
 *     node load-generator.js PORT EVENTS BATCH WINDOW CONNECTIONS [BODY_BYTES]
 *
 * Prints one JSON line: answered events, events a second and the latencies of the calls. It exits
 * with 1 when an answer is not OK, since the figure would then mean nothing.
 */
import { createConnection } from 'node:net'
import { EventBatch } from '@millrace/event'

const HASH = Buffer.from('86aadae2c45474c0fe93ffd0f2350a65', 'hex')
const [port = 0, total = 0, batchSize = 100, window = 1, connections = 1, bodyBytes = 200] =
  process.argv.slice(2).map(Number)

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value * 2
  while (rest > 127) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  return Buffer.from([...bytes, rest])
}

function frame(payload: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeInt32BE(1, 4)
  head.writeInt32BE(payload.length, 8)
  return Buffer.concat([head, payload])
}

const events = EventBatch.of(
  Array.from({ length: batchSize }, () => ({
    headers: { timestamp: '1700000000000', host: 'web-frontend-01', level: 'INFO' },
    body: Buffer.from(Array.from({ length: bodyBytes }, (_, i) => 32 + ((i * 31 + 7) % 90))),
  })),
)
const call = Buffer.concat([
  Buffer.from([0]),
  varint('appendBatch'.length),
  Buffer.from('appendBatch'),
  varint(batchSize),
  events.bytes,
  Buffer.from([0]),
])
const firstFrame = frame(Buffer.concat([HASH, Buffer.from([0]), HASH, Buffer.from([2, 0]), call]))
const laterFrame = frame(call)
const callsEach = Math.ceil(total / batchSize / connections)
const latenciesMs: number[] = []
let answered = 0
let refused = 0

/** Length of the answer that begins at `start`, or -1 when it is not whole. */
function answerLength(bytes: Buffer, start: number): number {
  if (bytes.length - start < 8) return -1
  let at = start + 8
  for (let left = bytes.readInt32BE(start + 4); left > 0; left -= 1) {
    if (at + 4 > bytes.length) return -1
    at += 4 + bytes.readInt32BE(at)
    if (at > bytes.length) return -1
  }
  return at - start
}

/** True for an answer whose last two bytes are "no error" and Status OK. */
function isOk(answer: Buffer): boolean {
  return answer[answer.length - 1] === 0 && answer[answer.length - 2] === 0
}

function runConnection(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1', noDelay: true })
    const sentAt: number[] = []
    let sent = 0
    let done = 0
    let pending: Buffer = Buffer.alloc(0)
    const send = () => {
      const copy = Buffer.from(sent === 0 ? firstFrame : laterFrame)
      copy.writeInt32BE(sent + 1, 0)
      sentAt.push(performance.now())
      sent += 1
      socket.write(copy)
    }
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('close', () =>
      done < callsEach ? reject(new Error(`closed after ${done} calls`)) : resolve(),
    )
    socket.on('data', (chunk) => {
      pending = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk
      let at = 0
      for (;;) {
        const length = answerLength(pending, at)
        if (length < 0) break
        if (isOk(pending.subarray(at, at + length))) answered += batchSize
        else refused += 1
        const serial = pending.readInt32BE(at)
        latenciesMs.push(performance.now() - (sentAt[serial - 1] ?? 0))
        done += 1
        at += length
        if (done >= callsEach) {
          socket.end()
          return
        }
        while (sent < callsEach && sent - done < window) send()
      }
      pending = pending.subarray(at)
    })
  })
}

const start = performance.now()
await Promise.all(Array.from({ length: connections }, runConnection))
const seconds = (performance.now() - start) / 1_000
latenciesMs.sort((a, b) => a - b)
const quantile = (q: number) =>
  latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * q))] ?? 0
console.log(
  JSON.stringify({
    events: answered,
    refusedCalls: refused,
    seconds,
    eventsPerSecond: Math.round(answered / seconds),
    eventBytes: events.bytes.length / batchSize,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: quantile(1),
  }),
)
if (refused > 0) process.exitCode = 1
