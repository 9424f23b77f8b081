/** A well-behaved client that numbers its events, so that what was stored can be audited. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { EventBatch } from '@millrace/event'
import { AvroRpcClient } from '@millrace/rpc'
import { until } from './until.js'

export interface NumberedClientOptions {
  readonly batchSize?: number
  /** Between two batches, in milliseconds; default 2. */
  readonly pauseMs?: number
}

/** Between a failure and the next attempt, in milliseconds. */
const RETRY_MS = 20

/** Sends batch after batch from `start` to `stop`; one that was not acknowledged is sent again. */
export class NumberedClient {
  /** Events that were acknowledged: the numbers below this. */
  acknowledged = 0
  /** Attempts that failed, by code. */
  readonly failures: string[] = []
  readonly #port: number
  readonly #name: string
  readonly #batchSize: number
  readonly #pauseMs: number
  /** First numbers of batches whose first attempt failed. */
  readonly #resent = new Set<number>()
  #stopping = false
  #running: Promise<void> = Promise.resolve()

  constructor(port: number, name: string, options: NumberedClientOptions = {}) {
    this.#port = port
    this.#name = name
    this.#batchSize = options.batchSize ?? 10
    this.#pauseMs = options.pauseMs ?? 2
  }

  start(): this {
    this.#stopping = false
    this.#running = this.#run()
    return this
  }

  /** Lets the batch on its way end; gives up one that cannot be stored. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  /** Waits until that many more batches are acknowledged. */
  async goesOn(batches = 5, timeoutMs = 10_000): Promise<void> {
    const wanted = this.acknowledged + batches * this.#batchSize
    await until(() => this.acknowledged >= wanted, {
      timeoutMs,
      what: () => `${this.#name} has ${wanted} acknowledged, it has ${this.acknowledged}`,
    })
  }

  /**
   * Every acknowledged event is stored, once, and where its batch was sent again, at most as often as
   * it was sent; and nothing of this client's name is stored that it did not send.
   */
  audit(stored: ReadonlyMap<string, number>): void {
    const missing: string[] = []
    const doubled: string[] = []
    for (let number = 0; number < this.acknowledged; number += 1) {
      const count = stored.get(this.#body(number)) ?? 0
      const first = number - (number % this.#batchSize)
      if (count === 0) missing.push(this.#body(number))
      if (count > 1 && !this.#resent.has(first)) doubled.push(this.#body(number))
    }
    assert.deepEqual(missing, [], `of ${this.acknowledged} acknowledged events these are lost`)
    assert.deepEqual(doubled, [], 'nothing is doubled that was sent once')
    const known = new RegExp(`^${this.#name}-(\\d+)$`)
    for (const body of stored.keys()) {
      const number = known.exec(body)?.[1]
      if (number === undefined) continue
      assert.ok(Number(number) < this.acknowledged + this.#batchSize, `${body} was never sent`)
    }
  }

  /** How many events are stored more than once. */
  doubledIn(stored: ReadonlyMap<string, number>): number {
    let doubled = 0
    for (let number = 0; number < this.acknowledged; number += 1) {
      doubled += Math.max(0, (stored.get(this.#body(number)) ?? 0) - 1)
    }
    return doubled
  }

  #body(number: number): string {
    return `${this.#name}-${number}`
  }

  #batch(): EventBatch {
    return EventBatch.of(
      Array.from({ length: this.#batchSize }, (_, i) => ({
        headers: { client: this.#name },
        body: this.#body(this.acknowledged + i),
      })),
    )
  }

  async #run(): Promise<void> {
    let client: AvroRpcClient | undefined
    while (!this.#stopping) {
      client ??= new AvroRpcClient({ host: '127.0.0.1', port: this.#port, batchSize: 10_000 })
      try {
        await client.appendBatch(this.#batch())
        this.acknowledged += this.#batchSize
        await pause(this.#pauseMs)
      } catch (error) {
        this.failures.push(String(error))
        this.#resent.add(this.acknowledged)
        await client.close()
        client = undefined
        await pause(RETRY_MS)
      }
    }
    await client?.close()
  }
}
