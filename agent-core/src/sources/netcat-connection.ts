import type { Socket } from 'node:net'
import type { Deliver } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { abortReason, deferred, messageOf, MillraceError } from '@millrace/runtime'
import type { LineCharset } from './line-charset.js'
import { type LineDecoder, UnreadableError } from './line-decoder.js'

/** Most lines that are stored with one put. A channel that takes less gets fewer at once. */
const MAX_LINES_PER_PUT = 100

export interface NetcatConnectionOptions {
  /** Longest line in characters, its newline included. */
  readonly maxLineLength: number
  readonly ackEveryEvent: boolean
  readonly charset: LineCharset
  readonly deliver: Deliver
  /** Aborted when the deadline of a stop has come. */
  readonly signal: AbortSignal
  onRefused(error: unknown): void
  /** The connection ends, after the lines before them, for octets that are no text of the charset. */
  onUnreadable(peer: string, error: unknown): void
}

/**
 * One client. Nothing is read from it while lines of it wait for the channel or answers for the
 * client, so a connection holds one chunk and one unfinished line.
 */
export class NetcatConnection {
  readonly #socket: Socket
  readonly #options: NetcatConnectionOptions
  readonly #decoder: LineDecoder
  readonly #closed = deferred<void>()
  /** The text behind the last newline. */
  #rest = ''
  #isBusy = false
  #isEnding = false

  constructor(socket: Socket, options: NetcatConnectionOptions) {
    this.#socket = socket
    this.#options = options
    this.#decoder = options.charset.createDecoder()
    socket.on('data', (chunk: Buffer) => void this.#receive(chunk))
    socket.on('end', () => this.end())
    // `close` follows, and a client that goes away has nothing to be told.
    socket.on('error', () => undefined)
    socket.on('close', () => this.#closed.resolve())
  }

  /** Resolves when the connection is gone. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Reads no more, answers the lines at hand and closes. */
  end(): void {
    this.#isEnding = true
    this.#socket.pause()
    if (!this.#isBusy) this.#socket.destroySoon()
  }

  /** Closes at once. */
  destroy(): void {
    this.#socket.destroy()
  }

  async #receive(chunk: Buffer): Promise<void> {
    this.#isBusy = true
    this.#socket.pause()
    try {
      await this.#handle(chunk)
    } catch (error) {
      // Malformed octets and a stop that does not wait end the connection; of them its client is told nothing, as in Flume.
      this.#isEnding = true
      const { remoteAddress, remotePort } = this.#socket
      if (!this.#options.signal.aborted) {
        this.#options.onUnreadable(`${remoteAddress}:${remotePort}`, error)
      }
    }
    this.#isBusy = false
    if (this.#isEnding) this.#socket.destroySoon()
    else this.#socket.resume()
  }

  /** Stores and answers the lines that the chunk completes. */
  async #handle(chunk: Buffer): Promise<void> {
    const { text, unreadable } = this.#decode(chunk)
    const { lines, isTooLong } = this.#split(text)
    for (let start = 0; start < lines.length; start += MAX_LINES_PER_PUT) {
      const part = lines.slice(start, start + MAX_LINES_PER_PUT)
      const answers = await this.#store(EventBatch.of(part.map((body) => ({ body }))))
      await this.#answer(answers)
    }
    if (isTooLong) {
      const { maxLineLength } = this.#options
      this.#isEnding = true
      await this.#answer(
        `FAILED: Event exceeds the maximum length (${maxLineLength} chars, including newline)\n`,
      )
    }
    if (unreadable !== undefined) throw unreadable
  }

  #decode(chunk: Buffer): { text: string; unreadable?: UnreadableError } {
    try {
      return { text: this.#decoder.decode(chunk) }
    } catch (error) {
      if (error instanceof UnreadableError) return { text: error.linesBefore, unreadable: error }
      throw error
    }
  }

  /** The lines in front of one that is too long, or all that are complete. */
  #split(text: string): { lines: readonly string[]; isTooLong: boolean } {
    const { maxLineLength } = this.#options
    const parts = text.split('\n')
    parts[0] = this.#rest + (parts[0] ?? '')
    const tooLong = parts.findIndex((part) => part.length >= maxLineLength)
    if (tooLong >= 0) return { lines: parts.slice(0, tooLong), isTooLong: true }
    this.#rest = parts.pop() ?? ''
    return { lines: parts, isTooLong: false }
  }

  /** Puts the lines with one put; when the channel refuses that many, with smaller ones. */
  async #store(batch: EventBatch): Promise<string> {
    const { deliver, signal, ackEveryEvent } = this.#options
    try {
      await deliver(batch, signal)
      return ackEveryEvent ? 'OK\n'.repeat(batch.size) : ''
    } catch (error) {
      if (signal.aborted) throw abortReason(signal)
      if (batch.size > 1 && isRefusedWhole(error)) {
        const half = batch.size >> 1
        const first = await this.#store(batch.slice(0, half))
        return first + (await this.#store(batch.slice(half)))
      }
      this.#options.onRefused(error)
      const reason = messageOf(error).replaceAll(/[\r\n]+/g, ' ')
      return `FAILED: ${reason}\n`.repeat(batch.size)
    }
  }

  /** Hands text to the client and waits until the socket takes more. */
  async #answer(text: string): Promise<void> {
    const socket = this.#socket
    if (text === '' || !socket.writable || socket.write(this.#options.charset.encode(text))) return
    const drained = deferred<void>()
    const onDrain = () => drained.resolve()
    socket.once('drain', onDrain)
    await Promise.race([drained.promise, this.#closed.promise])
    socket.off('drain', onDrain)
  }
}

/** Whether nothing of a refused put was stored, and a part of it may have room. */
function isRefusedWhole(error: unknown): boolean {
  return (
    MillraceError.is(error) &&
    (error.code === 'MILLRACE_CHANNEL_FULL' ||
      error.code === 'MILLRACE_CHANNEL_TRANSACTION_TOO_LARGE')
  )
}
