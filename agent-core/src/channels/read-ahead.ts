/** Brings the events of a log into memory before they are taken: a small window, however long the backlog. */
import type { Consumer } from '@millrace/wal'
import type { StoredEvents } from './stored-events.js'

/** Most encoded events that wait in memory to be taken, in bytes; one batch may go beyond. */
export const WINDOW_BYTES = 8 * 1024 ** 2
/** So much is read at once, when half of the window is free. */
const READ_BYTES = WINDOW_BYTES / 2

export interface ReadAheadOptions {
  readonly consumer: Consumer
  /** Where the events go. */
  readonly stored: StoredEvents
  /** Called after events were added. */
  readonly onEvents: () => void
  /** Called when the disk could not be read; the next call of `fill` tries again. */
  readonly onFailure: (error: unknown) => void
}

export class ReadAhead {
  readonly #options: ReadAheadOptions
  /** Whether there may be something that was not read. */
  #hasMore = true
  #reading: Promise<void> | undefined
  #isClosed = false

  constructor(options: ReadAheadOptions) {
    this.#options = options
    options.consumer.onReadable = () => {
      this.#hasMore = true
      this.fill()
    }
  }

  /** The end of the reading under way, which never rejects; undefined when all was read. */
  get reading(): Promise<void> | undefined {
    return this.#reading
  }

  /** Begins to read, unless enough is in memory or nothing is left. */
  fill(): void {
    if (this.#reading || !this.#isWanted()) return
    this.#reading = this.#read()
  }

  close(): void {
    this.#isClosed = true
    this.#options.consumer.onReadable = undefined
  }

  #isWanted(): boolean {
    return !this.#isClosed && this.#hasMore && this.#options.stored.waitingBytes < READ_BYTES
  }

  async #read(): Promise<void> {
    const { consumer, stored, onEvents, onFailure } = this.#options
    try {
      while (this.#isWanted()) {
        // What comes meanwhile sets it again.
        this.#hasMore = false
        const before = consumer.nextSequence
        const batches = await consumer.read({ maxBytes: READ_BYTES })
        if (this.#isClosed) return
        if (consumer.nextSequence > before) this.#hasMore = true
        for (const { firstSequence, batch, appendedAtMs } of batches) {
          stored.add(batch, firstSequence, appendedAtMs)
        }
        if (batches.length > 0) onEvents()
      }
    } catch (error) {
      this.#hasMore = true
      if (!this.#isClosed) onFailure(error)
    } finally {
      this.#reading = undefined
    }
  }
}
