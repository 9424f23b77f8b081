/** Shows from a trace that nothing was answered before the disk had it. */
import { type SystemCall, SYNCS, WRITES } from './trace.js'

export interface Reply {
  /** Port of the client's end of the connection. */
  readonly clientPort: number
  readonly serial: number
  /** Line of the trace at which the write of its first byte began. */
  readonly begin: number
  readonly isOk: boolean
}

const SENDS = new Set(['write', 'writev', 'sendto', 'sendmsg'])

/** The answers that a server wrote to its connections. */
export function repliesOf(calls: readonly SystemCall[], serverPort: number): Reply[] {
  const target = new RegExp(`^TCP(?:v6)?:\\[.*:${serverPort}->.*:(\\d+)\\]$`)
  const streams = new Map<number, { bytes: Buffer; begins: { from: number; line: number }[] }>()
  for (const { name, target: written, data, begin, result = 0 } of calls) {
    const clientPort = Number(target.exec(written)?.[1] ?? 0)
    if (!SENDS.has(name) || clientPort === 0 || result <= 0) continue
    const stream = streams.get(clientPort) ?? { bytes: Buffer.alloc(0), begins: [] }
    stream.begins.push({ from: stream.bytes.length, line: begin })
    stream.bytes = Buffer.concat([stream.bytes, data.subarray(0, result)])
    streams.set(clientPort, stream)
  }
  return [...streams].flatMap(([clientPort, { bytes, begins }]) =>
    answersIn(bytes).map(({ at, serial, isOk }) => ({
      clientPort,
      serial,
      isOk,
      begin: begins.findLast(({ from }) => from <= at)?.line ?? -1,
    })),
  )
}

function answersIn(bytes: Buffer): { at: number; serial: number; isOk: boolean }[] {
  const answers = []
  for (let at = 0; at + 8 <= bytes.length; ) {
    let end = at + 8
    for (let left = bytes.readInt32BE(at + 4); left > 0; left -= 1)
      end += 4 + bytes.readInt32BE(end)
    const isOk = bytes[end - 1] === 0 && bytes[end - 2] === 0
    answers.push({ at, serial: bytes.readInt32BE(at), isOk })
    at = end
  }
  return answers
}

/** A reply and the text that only its batch has. */
export interface MarkedReply {
  readonly reply: Reply
  readonly marker: string
}

/**
 * The replies for which this is not so: the whole write that holds the marker, to a file of one of the
 * directories, had returned before a sync of the same file began, and that had returned 0 before the
 * write of the reply began.
 */
export function unprovenReplies(
  calls: readonly SystemCall[],
  directories: readonly string[],
  replies: readonly MarkedReply[],
): MarkedReply[] {
  const isOwn = ({ target }: SystemCall) =>
    directories.some((each) => target.startsWith(`${each}/`))
  const writes = calls
    .filter((call) => WRITES.includes(call.name) && isOwn(call))
    .map((call) => ({ call, text: call.data.toString('latin1') }))
  const syncs = calls.filter(
    (call) => SYNCS.includes(call.name) && isOwn(call) && call.result === 0,
  )
  return replies.filter(
    ({ reply, marker }) =>
      !writes.some(
        ({ call, text }) =>
          call.result === call.data.length &&
          text.includes(marker) &&
          syncs.some(
            (sync) =>
              sync.target === call.target && sync.begin > call.end && sync.end < reply.begin,
          ),
      ),
  )
}
