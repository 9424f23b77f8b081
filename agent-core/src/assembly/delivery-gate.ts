/** Holds a source's batches back while what they go through is replaced; the source notices nothing. */
import type { Deliver } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { abortReason } from '@millrace/runtime'

/** A batch that waits. Its source holds it anyway until it is stored. */
interface Held {
  readonly batch: EventBatch
  readonly signal: AbortSignal | undefined
  readonly resolve: (stored: Promise<void>) => void
}

export class DeliveryGate {
  readonly #deliver: Deliver
  #held: Set<Held> | undefined

  /** `deliver` is asked anew for each batch, so that it may go another way after the gate has opened. */
  constructor(deliver: Deliver) {
    this.#deliver = deliver
  }

  /** What the source calls. */
  readonly deliver: Deliver = (batch, signal) =>
    this.#held === undefined ? this.#deliver(batch, signal) : this.#hold(batch, signal)

  close(): void {
    this.#held ??= new Set()
  }

  /** Lets the batches that waited go, in the order in which they came. */
  open(): void {
    const held = this.#held
    if (held === undefined) return
    for (const { batch, signal, resolve } of held) resolve(this.#deliver(batch, signal))
    this.#held = undefined
  }

  #hold(batch: EventBatch, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(abortReason(signal))
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#held?.delete(held)
        reject(signal ? abortReason(signal) : undefined)
      }
      const held: Held = {
        batch,
        signal,
        resolve: (stored) => {
          signal?.removeEventListener('abort', giveUp)
          resolve(stored)
        },
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      this.#held?.add(held)
    })
  }
}
