/** Room for puts: who gets it, who waits for it, and what was promised but not used yet. */
import type { Reservation, ReserveOptions } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { abortReason, type Clock, type MillraceError, TransactionError } from '@millrace/runtime'
import { WaitList } from './wait-list.js'

export interface Size {
  readonly events: number
  readonly bytes: number
}

/** What the channel behind it decides. */
export interface PutSideHost {
  /** How long a put waits for room, in milliseconds. */
  keepAliveMs(): number
  /** Whether so much has room beside what is stored. */
  hasRoom(size: Size): boolean
  /** Stores a batch whose promised room has been given back a moment before. */
  store(batch: EventBatch): Promise<void>
  /** The refusal of a batch that found no room. */
  full(size: Size): MillraceError
}

/** First come, first served: a batch that waits is not overtaken by smaller ones. */
export class PutSide {
  readonly #host: PutSideHost
  readonly #waiting: WaitList<Size, Reservation>
  #reservedEvents = 0
  #reservedBytes = 0

  constructor(host: PutSideHost, clock: Clock) {
    this.#host = host
    this.#waiting = new WaitList<Size, Reservation>({
      clock,
      onTimeout: (size) => {
        throw host.full(size)
      },
      onLeave: () => this.admit(),
      // A put comes with the signal of its call.
      hasSteadySignals: false,
    })
  }

  /** @throws the refusal of the host when there is no room in time. */
  reserve(size: Size, { wait, signal }: ReserveOptions): Promise<Reservation> {
    if (signal.aborted) return Promise.reject(abortReason(signal))
    if (this.#waiting.first === undefined && this.#hasRoom(size)) {
      return Promise.resolve(this.#grant(size))
    }
    const keepAliveMs = this.#host.keepAliveMs()
    if (!wait || keepAliveMs === 0) return Promise.reject(this.#host.full(size))
    return this.#waiting.wait(size, keepAliveMs, signal)
  }

  /** Lets waiting puts in, as far as there is room. */
  admit(): void {
    let size = this.#waiting.first
    while (size && this.#hasRoom(size)) {
      this.#waiting.resolveFirst(this.#grant(size))
      size = this.#waiting.first
    }
  }

  rejectAll(makeReason: () => unknown): void {
    this.#waiting.rejectAll(makeReason)
  }

  #hasRoom({ events, bytes }: Size): boolean {
    return this.#host.hasRoom({
      events: this.#reservedEvents + events,
      bytes: this.#reservedBytes + bytes,
    })
  }

  #grant(size: Size): Reservation {
    this.#reservedEvents += size.events
    this.#reservedBytes += size.bytes
    let isUsed = false
    const use = () => {
      isUsed = true
      this.#reservedEvents -= size.events
      this.#reservedBytes -= size.bytes
    }
    return {
      put: (batch) => {
        if (isUsed) return Promise.reject(new TransactionError('The reservation was used before'))
        use()
        return this.#put(batch, size.events)
      },
      release: () => {
        if (isUsed) return
        use()
        this.admit()
      },
    }
  }

  #put(batch: EventBatch, reserved: number): Promise<void> {
    if (batch.size > reserved) {
      this.admit()
      const message = `${batch.size} events put, room for ${reserved} was reserved`
      return Promise.reject(new TransactionError(message))
    }
    const stored = this.#host.store(batch)
    this.admit()
    return stored
  }
}
