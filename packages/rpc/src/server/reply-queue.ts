import { frameLength, writeFrame } from '../framing/frame-writer.js'
import { NO_HANDSHAKE, OK_PAYLOAD } from '../protocol/response.js'

const NO_METADATA = Buffer.of(0)

/** The buffers of the answer to a call. */
export function reply(handshake: Buffer, payload: Buffer): readonly Buffer[] {
  return [handshake, NO_METADATA, payload]
}

/** OK on an established connection: the answer that a busy server gives all day. */
export const OK_REPLY: readonly Buffer[] = reply(NO_HANDSHAKE, OK_PAYLOAD)

/** The frame of {@link OK_REPLY}, its serial to be filled in. */
const OK_FRAME = Buffer.alloc(frameLength(OK_REPLY))
writeFrame(OK_FRAME, 0, { serial: 0, buffers: OK_REPLY })

/** A request that was read and not yet answered. */
export class PendingCall {
  readonly serial: number
  /** What it counts for in the limits. */
  readonly bytes: number
  /** The answer, once there is one. */
  buffers: readonly Buffer[] | undefined

  constructor(serial: number, bytes: number, buffers?: readonly Buffer[]) {
    this.serial = serial
    this.bytes = bytes
    this.buffers = buffers
  }
}

/** Keeps the calls of one connection in the order of their requests: so the answers leave. */
export class ReplyQueue {
  #calls: PendingCall[] = []
  #head = 0

  /** Calls that are not answered yet. */
  get size(): number {
    return this.#calls.length - this.#head
  }

  add(call: PendingCall): void {
    this.#calls.push(call)
  }

  isHead(call: PendingCall): boolean {
    return this.#calls[this.#head] === call
  }

  /** The frames of all answers that may leave now, in one buffer; `bytes` is what their calls counted for. */
  takeSettled(): { frames: Buffer; bytes: number } | undefined {
    const calls = this.#calls
    const first = this.#head
    let end = first
    let length = 0
    let bytes = 0
    for (; end < calls.length; end += 1) {
      const { buffers, bytes: held } = calls[end] as PendingCall
      if (!buffers) break
      length += buffers === OK_REPLY ? OK_FRAME.length : frameLength(buffers)
      bytes += held
    }
    if (end === first) return undefined
    const frames = Buffer.allocUnsafe(length)
    let at = 0
    for (let i = first; i < end; i += 1) at = writeReply(frames, at, calls[i] as PendingCall)
    this.#drop(end)
    return { frames, bytes }
  }

  #drop(end: number): void {
    this.#head = end
    if (end === this.#calls.length) {
      this.#calls = []
      this.#head = 0
    } else if (end >= 1_024) {
      this.#calls = this.#calls.slice(end)
      this.#head = 0
    }
  }
}

function writeReply(target: Buffer, position: number, call: PendingCall): number {
  const { serial, buffers = OK_REPLY } = call
  if (buffers !== OK_REPLY) return writeFrame(target, position, { serial, buffers })
  target.set(OK_FRAME, position)
  target.writeInt32BE(serial, position)
  return position + OK_FRAME.length
}
