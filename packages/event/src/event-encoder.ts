import { ByteWriter } from './byte-writer.js'
import type { EventInit } from './event.js'

const FIRST_BUFFER_BYTES = 1_024

/** Encodes events one by one into a growing buffer. Reusable: {@link EventEncoder.finish} starts anew. */
export class EventEncoder {
  #writer: ByteWriter
  #starts: number[] = []

  /** @param expectedBytes about how long the encoded events will be: memory is taken at once then. */
  constructor(expectedBytes = FIRST_BUFFER_BYTES) {
    this.#writer = new ByteWriter(expectedBytes)
  }

  /** Number of events added so far. */
  get size(): number {
    return this.#starts.length
  }

  /** Encoded length of the events added so far, in bytes. */
  get byteLength(): number {
    return this.#writer.position
  }

  /** @throws TypeError when a header's value is no string, or the body neither that nor bytes; nothing
   *   is added then. */
  add(event: EventInit): void {
    const start = this.#writer.position
    try {
      this.#writeHeaders(event.headers ?? {})
      const body: unknown = event.body ?? ''
      if (typeof body === 'string') this.#writer.writeString(body)
      else if (body instanceof Uint8Array) this.#writer.writeBytes(body)
      else throw new TypeError('The body is neither a string nor bytes')
    } catch (error) {
      this.#writer.position = start
      throw error
    }
    this.#starts.push(start)
  }

  /**
   * The encoded events, and each one's start with the end of the last behind them. The encoder is
   * empty afterwards and shares nothing with what it gave.
   */
  finish(): { bytes: Buffer; offsets: Uint32Array } {
    const { buffer, position } = this.#writer
    const offsets = new Uint32Array(this.#starts.length + 1)
    offsets.set(this.#starts)
    offsets[this.#starts.length] = position
    let bytes = buffer.subarray(0, position)
    if (position * 2 >= buffer.length) this.#writer = new ByteWriter(FIRST_BUFFER_BYTES)
    else {
      // Most of the buffer would be pinned for nothing: the batch gets a copy, the encoder keeps it.
      const copy = Buffer.allocUnsafeSlow(position)
      bytes.copy(copy)
      bytes = copy
      this.#writer.position = 0
    }
    this.#starts = []
    return { bytes, offsets }
  }

  #writeHeaders(headers: Readonly<Record<string, string>>): void {
    const keys = Object.keys(headers)
    if (keys.length > 0) this.#writer.writeVarint(keys.length)
    for (const key of keys) {
      const value: unknown = headers[key]
      if (typeof value !== 'string') throw new TypeError(`Header ${key} is no string`)
      this.#writer.writeString(key)
      this.#writer.writeString(value)
    }
    this.#writer.writeVarint(0)
  }
}
