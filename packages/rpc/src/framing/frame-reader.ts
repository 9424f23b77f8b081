/**
 * Finds frames in a stream that may be cut anywhere:
 *
 *     frame := serial listSize (length octet*){listSize}      all int32, big-endian
 *
 * The message is the concatenation of the buffers; where they are cut means nothing. A frame that
 * lies whole in one chunk is handed out as a view of that chunk, without a copy; the pieces of a
 * frame that does not are collected and joined once, so that the cost is linear however it arrives.
 * Memory follows the bytes that came, never a length that a peer claims.
 */
import { PieceCollector } from './piece-collector.js'
import { RpcError } from '@millrace/runtime'

export interface FrameLimits {
  /** Most octets of one message. */
  readonly maxFrameBytes: number
  /** Most buffers of one frame. */
  readonly maxBuffersPerFrame: number
}

/** Up to so many buffers of a frame inside one chunk are pushed together in place. */
const MAX_IN_PLACE_BUFFERS = 64
/** So many octets of a buffer must be missing for memory to be made ready for them. */
const MIN_ROOM_BYTES = 32_768
const NOTHING = Buffer.alloc(0)

/** Feed with {@link FrameReader.push}, then call {@link FrameReader.next} until it says false. */
export class FrameReader {
  /** The frame that {@link FrameReader.next} found: octets [start, end) of `bytes`. */
  serial = 0
  bytes: Buffer = NOTHING
  start = 0
  end = 0

  readonly #limits: FrameLimits
  readonly #pieces = new PieceCollector()
  readonly #staged = Buffer.alloc(8)
  readonly #edges: number[] = []
  #chunk: Buffer = NOTHING
  #at = 0
  #stagedLength = 0
  #isInside = false
  #buffersLeft = 0
  #bufferLeft = 0

  constructor(limits: FrameLimits) {
    this.#limits = limits
  }

  /** Memory held for a frame that is not complete, in bytes. */
  get heldBytes(): number {
    return this.#pieces.heldBytes + this.#stagedLength
  }

  /** Whether the first octet of a frame has come and not yet its last. */
  get isUnfinished(): boolean {
    return this.#isInside || this.#stagedLength > 0
  }

  /** Whether octets are left that {@link FrameReader.next} has not looked at. */
  get hasInput(): boolean {
    return this.#at < this.#chunk.length
  }

  /** Adds what came. The reader owns the chunk from now on and may write to it. */
  push(chunk: Buffer): void {
    this.#chunk = this.hasInput ? Buffer.concat([this.#chunk.subarray(this.#at), chunk]) : chunk
    this.#at = 0
  }

  /**
   * Memory that the next octets of the stream belong to, when a large part of a buffer is missing.
   * What is read into it is told with {@link FrameReader.filled}, instead of a push.
   */
  room(): Buffer | undefined {
    if (this.#bufferLeft < MIN_ROOM_BYTES || this.hasInput) return undefined
    return this.#pieces.room(this.#bufferLeft)
  }

  /** So many octets are in what {@link FrameReader.room} gave last. */
  filled(bytes: number): void {
    this.#pieces.filled(bytes)
    this.#bufferLeft -= bytes
  }

  /**
   * Goes on to the next complete frame.
   * @throws RpcError `MILLRACE_RPC_PROTOCOL`, `MILLRACE_RPC_FRAME_TOO_LARGE`: no frame can follow.
   */
  next(): boolean {
    const found = this.isUnfinished ? this.#resume() : this.#takeWhole() || this.#resume()
    if (!found && !this.hasInput) {
      this.#chunk = NOTHING
      this.#at = 0
    }
    return found
  }

  /** The usual case: the chunk holds the frame to its end. */
  #takeWhole(): boolean {
    const chunk = this.#chunk
    const start = this.#at
    if (chunk.length - start < 12) return false
    const count = chunk.readInt32BE(start + 4)
    if (count !== 1) return this.#takeWholeList(count)
    const length = chunk.readInt32BE(start + 8)
    const end = start + 12 + length
    if (length < 0 || length > this.#limits.maxFrameBytes || end > chunk.length) return false
    this.serial = chunk.readInt32BE(start)
    this.bytes = chunk
    this.start = start + 12
    this.end = end
    this.#at = end
    return true
  }

  /** Pushes the buffers of a frame together behind its headers, towards the last of them. */
  #takeWholeList(count: number): boolean {
    if (count < 1 || count > MAX_IN_PLACE_BUFFERS) return false
    const chunk = this.#chunk
    const edges = this.#edges
    let at = this.#at + 8
    for (let i = 0; i < count; i += 1) {
      if (at + 4 > chunk.length) return false
      const length = chunk.readInt32BE(at)
      edges[2 * i] = at + 4
      at += 4 + length
      edges[2 * i + 1] = at
      if (length < 0 || at > chunk.length) return false
    }
    const end = at
    if (end - this.#at > this.#limits.maxFrameBytes) return false
    let start = edges[2 * count - 2] as number
    for (let i = count - 2; i >= 0; i -= 1) {
      const from = edges[2 * i] as number
      const to = edges[2 * i + 1] as number
      start -= to - from
      chunk.copyWithin(start, from, to)
    }
    this.serial = chunk.readInt32BE(this.#at)
    this.bytes = chunk
    this.start = start
    this.end = end
    this.#at = end
    return true
  }

  /** Goes on with a frame that lies in several chunks, or that must be refused. */
  #resume(): boolean {
    for (;;) {
      if (this.#bufferLeft > 0 && !this.#takePiece()) return false
      if (this.#isInside && this.#buffersLeft === 0) return this.#finish()
      if (!this.#stage(this.#isInside ? 4 : 8)) return false
      this.#stagedLength = 0
      if (this.#isInside) this.#beginBuffer(this.#staged.readInt32BE(0))
      else this.#begin(this.#staged.readInt32BE(0), this.#staged.readInt32BE(4))
    }
  }

  #begin(serial: number, count: number): void {
    if (count < 1 || count > this.#limits.maxBuffersPerFrame) {
      throw new RpcError('MILLRACE_RPC_PROTOCOL', `A frame of ${count} buffers${hintAt(serial)}`)
    }
    this.serial = serial
    this.#buffersLeft = count
    this.#isInside = true
  }

  #beginBuffer(length: number): void {
    if (length < 0) {
      throw new RpcError(
        'MILLRACE_RPC_PROTOCOL',
        `A buffer of ${length} bytes${hintAt(this.serial)}`,
      )
    }
    const total = this.#pieces.length + length
    if (total > this.#limits.maxFrameBytes) {
      throw new RpcError(
        'MILLRACE_RPC_FRAME_TOO_LARGE',
        `A frame of ${total} bytes or more exceeds the limit of ${this.#limits.maxFrameBytes}`,
      )
    }
    this.#bufferLeft = length
    this.#buffersLeft -= 1
  }

  /** Takes what the chunk has of the current buffer; true when that completes it. */
  #takePiece(): boolean {
    const end = Math.min(this.#at + this.#bufferLeft, this.#chunk.length)
    this.#bufferLeft -= end - this.#at
    const isComplete = this.#bufferLeft === 0
    if (end > this.#at) {
      const isLast = isComplete && this.#buffersLeft === 0
      this.#pieces.add(this.#chunk.subarray(this.#at, end), isLast)
    }
    this.#at = end
    return isComplete
  }

  /** Collects the `wanted` octets of a header. */
  #stage(wanted: number): boolean {
    const end = Math.min(this.#at + wanted - this.#stagedLength, this.#chunk.length)
    this.#stagedLength += this.#chunk.copy(this.#staged, this.#stagedLength, this.#at, end)
    this.#at = end
    return this.#stagedLength === wanted
  }

  #finish(): boolean {
    this.bytes = this.#pieces.join()
    this.start = 0
    this.end = this.bytes.length
    this.#isInside = false
    return true
  }
}

/** What the first octets look like, for the person who reads the log. */
function hintAt(serial: number): string {
  const octets = Buffer.alloc(4)
  octets.writeInt32BE(serial)
  if (octets[0] === 0x16 && octets[1] === 0x03) return ' (it looks like a TLS client)'
  if (/^(GET |POST|PUT |HEAD|HTTP)/.test(octets.toString('latin1'))) return ' (it looks like HTTP)'
  return octets[0] === 0x78 ? ' (it looks like deflate)' : ''
}
