import type { SyslogStatus } from './syslog-message.js'

const LINE_FEED = 0x0a

/** A line without its line feed. */
export interface SyslogLine {
  readonly bytes: Buffer
  readonly status: SyslogStatus | undefined
}

/**
 * Cuts a stream into lines. A line of `eventSize` bytes ends there, as incomplete; what follows is
 * another line. Empty lines are left out. No more than `eventSize` bytes are held.
 */
export class SyslogLines {
  readonly #eventSize: number
  #rest: Buffer = Buffer.alloc(0)

  constructor(eventSize: number) {
    this.#eventSize = eventSize
  }

  /** The lines that the chunk completes. They are views of it. */
  add(chunk: Buffer): SyslogLine[] {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    const lines: SyslogLine[] = []
    let start = 0
    for (;;) {
      const end = bytes.indexOf(LINE_FEED, start)
      const limit = start + this.#eventSize
      if ((end < 0 ? bytes.length : end) >= limit) {
        lines.push({ bytes: bytes.subarray(start, limit), status: 'Incomplete' })
        start = limit
        continue
      }
      if (end < 0) break
      if (end > start) lines.push({ bytes: bytes.subarray(start, end), status: undefined })
      start = end + 1
    }
    this.#rest = start < bytes.length ? Buffer.from(bytes.subarray(start)) : Buffer.alloc(0)
    return lines
  }

  /** What came without a line feed before the end of the stream. */
  end(): SyslogLine[] {
    const bytes = this.#rest
    this.#rest = Buffer.alloc(0)
    return bytes.length > 0 ? [{ bytes, status: 'Incomplete' }] : []
  }
}
