import type { MessageName } from '../protocol/request-decoder.js'
import type { EventBatch } from '@millrace/event'
import { type Deferred, deferred, type Timer } from '@millrace/runtime'

interface Watch {
  readonly timer: Timer
  readonly signal: AbortSignal | undefined
  readonly onAbort: () => void
}

/** A call of a client until its answer. Settles once; later answers and reasons do nothing. */
export class ClientCall {
  readonly name: MessageName
  /** The events, held in case the handshake must be repeated. */
  readonly batch: EventBatch
  readonly #result: Deferred<void> = deferred()
  #watch: Watch | undefined
  serial = 0

  constructor(name: MessageName, batch: EventBatch) {
    this.name = name
    this.batch = batch
  }

  get promise(): Promise<void> {
    return this.#result.promise
  }

  watch(watch: Watch): void {
    this.#watch = watch
    watch.signal?.addEventListener('abort', watch.onAbort, { once: true })
  }

  resolve(): void {
    this.#unwatch()
    this.#result.resolve()
  }

  reject(error: Error): void {
    this.#unwatch()
    this.#result.reject(error)
  }

  /** The caller goes on, but the time limit still holds: a server that never answers is not alive. */
  abandon(error: Error): void {
    this.#watch?.signal?.removeEventListener('abort', this.#watch.onAbort)
    this.#result.reject(error)
  }

  #unwatch(): void {
    this.#watch?.timer.cancel()
    this.#watch?.signal?.removeEventListener('abort', this.#watch.onAbort)
    this.#watch = undefined
  }
}
