import type { BatchSize, Channel, Reservation, Transaction } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { type Deferred, deferred } from '@millrace/runtime'
import { bodiesOf } from './agent.js'

/** A channel that always has room, and whose puts end when, and how, a test says. */
export class HeldChannel implements Channel {
  readonly isDurable = true
  readonly transactionCapacity = 1_000
  readonly keepAliveMs = 1_000
  readonly size = { events: 0, bytes: 0 }
  readonly #name: string
  readonly #log: string[]
  readonly #held: Deferred<void>[] = []

  /** `log` is told each call, such as `reserve c1 2` and `put c1 a,b`. Channels may share it. */
  constructor(name: string, log: string[]) {
    this.#name = name
    this.#log = log
  }

  async reserve({ events }: BatchSize): Promise<Reservation> {
    this.#log.push(`reserve ${this.#name} ${events}`)
    return {
      put: (batch: EventBatch) => {
        this.#log.push(`put ${this.#name} ${bodiesOf(batch).join(',')}`)
        const held = deferred<void>()
        this.#held.push(held)
        return held.promise
      },
      release: () => {
        this.#log.push(`release ${this.#name} ${events}`)
      },
    }
  }

  async take(): Promise<Transaction | undefined> {
    return undefined
  }

  /** Ends the oldest put, which fails when there is an error. */
  end(error?: Error): void {
    const held = this.#held.shift()
    if (held === undefined) throw new Error(`Channel ${this.#name} has no put under way`)
    if (error) held.reject(error)
    else held.resolve()
  }
}
