import type { Socket } from 'node:net'
import { EventBatch } from '@millrace/event'
import { deferred } from '@millrace/runtime'
import type { StreamConnection } from '../listener/stream-listener.js'
import type { SyslogLine, SyslogLines } from './syslog-lines.js'
import type { SyslogParser } from './syslog-message.js'

export interface SyslogConnectionOptions {
  readonly lines: SyslogLines
  readonly parser: SyslogParser
  /** Most events of one put. */
  readonly batchSize: number
  /** Headers for each event of the connection. */
  readonly headers: Promise<Readonly<Record<string, string>>>
  /** Resolves when the events are stored. */
  readonly deliver: (batch: EventBatch) => Promise<void>
}

/** One sender. Nothing is read from it while its lines wait for the channel. */
export class SyslogConnection implements StreamConnection {
  readonly #socket: Socket
  readonly #options: SyslogConnectionOptions
  readonly #closed = deferred<void>()
  #isBusy = false
  #isEnding = false

  constructor(socket: Socket, options: SyslogConnectionOptions) {
    this.#socket = socket
    this.#options = options
    socket.on('data', (chunk: Buffer) => void this.#receive(() => options.lines.add(chunk)))
    socket.on('end', () => {
      this.#isEnding = true
      void this.#receive(() => options.lines.end())
    })
    // `close` follows.
    socket.on('error', () => undefined)
    socket.on('close', () => this.#closed.resolve())
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  end(): void {
    this.#isEnding = true
    this.#socket.pause()
    if (!this.#isBusy) this.#socket.destroy()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  async #receive(cut: () => readonly SyslogLine[]): Promise<void> {
    this.#isBusy = true
    this.#socket.pause()
    try {
      await this.#store(cut())
    } catch {
      // The stop does not wait any longer: the sender is cut off.
      this.#isEnding = true
    }
    this.#isBusy = false
    if (this.#isEnding) this.#socket.destroy()
    else this.#socket.resume()
  }

  async #store(lines: readonly SyslogLine[]): Promise<void> {
    const { parser, batchSize, deliver } = this.#options
    for (let start = 0; start < lines.length; start += batchSize) {
      const part = lines.slice(start, start + batchSize)
      const batch = EventBatch.of(part.map(({ bytes, status }) => parser(bytes, status)))
      const edits = Object.entries(await this.#options.headers)
      await deliver(batch.withHeaders(edits.map(([name, value]) => ({ name, value }))))
    }
  }
}
