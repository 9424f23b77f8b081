/** Puts events that a sink refuses for good into a channel of their own. */
import type { Channel, WriteResult } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { type Clock, MillraceError, messageOf } from '@millrace/runtime'

/** Headers of a dead letter: why its sink refused it, which sink, and when in milliseconds since 1970. */
export const REJECTED_REASON = 'millrace.rejected.reason'
export const REJECTED_SINK = 'millrace.rejected.sink'
export const REJECTED_AT = 'millrace.rejected.at'

/** Longest reason that is kept, in characters. */
const MAX_REASON_CHARS = 1_000

export interface DeadLettersOptions {
  /** Name of the sink that rejects. */
  readonly sink: string
  /** Name of the dead-letter channel. */
  readonly name: string
  readonly channel: Channel
  readonly clock: Clock
}

/** What became of rejected events. */
export interface Buried {
  /** Indexes of those that the dead-letter channel did not take. */
  readonly kept: readonly number[]
  /** Why, when there are some. */
  readonly error?: unknown
}

type Rejected = WriteResult['rejected']

/** Events of one put, and their indexes in the sink's batch. */
interface Put {
  readonly indexes: readonly number[]
  readonly batch: EventBatch
}

export class DeadLetters {
  readonly name: string
  readonly channel: Channel
  /** Events put since the sink's start. */
  eventCount = 0
  readonly #sink: string
  readonly #clock: Clock

  constructor(options: DeadLettersOptions) {
    this.name = options.name
    this.channel = options.channel
    this.#sink = options.sink
    this.#clock = options.clock
  }

  /**
   * Stores the rejected events of a batch, in as few puts as the channel allows. Waits for room for
   * the channel's `keep-alive`. What it could not store is in the answer; it never throws for that.
   */
  async put(batch: EventBatch, rejected: Rejected, signal: AbortSignal): Promise<Buried> {
    const kept: number[] = []
    let failure: { readonly error: unknown } | undefined
    const waiting = this.#puts(batch, rejected)
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      try {
        await this.#store(next.batch, signal)
      } catch (error) {
        failure ??= { error }
        if (!isTooLarge(error)) {
          kept.push(...[next, ...waiting].flatMap(({ indexes }) => indexes))
          break
        }
        if (next.indexes.length > 1) waiting.unshift(...halves(next))
        else kept.push(...next.indexes)
      }
    }
    if (kept.length === 0) return { kept }
    return { kept, error: failure?.error }
  }

  async #store(batch: EventBatch, signal: AbortSignal): Promise<void> {
    const size = { events: batch.size, bytes: batch.retainedBytes }
    const reservation = await this.channel.reserve(size, { wait: true, signal })
    await reservation.put(batch)
    this.eventCount += batch.size
  }

  /** The rejected events in their order, with their headers, cut to the channel's largest put. */
  #puts(batch: EventBatch, rejected: Rejected): Put[] {
    const reasons = new Map(rejected.map(({ index, reason }) => [index, reason]))
    const indexes = [...reasons.keys()].toSorted((a, b) => a - b)
    const picked = batch.filter((index) => reasons.has(index))
    const reasonOf = (index: number) => reasons.get(indexes[index] ?? -1) ?? ''
    const letters = picked.withHeaders([
      { name: REJECTED_REASON, value: (index) => reasonOf(index).slice(0, MAX_REASON_CHARS) },
      { name: REJECTED_SINK, value: this.#sink },
      { name: REJECTED_AT, value: String(this.#clock.now()) },
    ])
    const puts: Put[] = []
    const most = Math.max(1, this.channel.transactionCapacity)
    for (let from = 0; from < letters.size; from += most) {
      const to = from + most
      puts.push({ indexes: indexes.slice(from, to), batch: letters.slice(from, to) })
    }
    return puts
  }
}

/** One sentence about events that stay where they are. */
export function whyKept({ kept, error }: Buried, name: string): string {
  return `the dead-letter channel ${name} does not take ${kept.length} of them: ${messageOf(error)}`
}

function isTooLarge(error: unknown): boolean {
  return MillraceError.is(error) && error.code === 'MILLRACE_CHANNEL_TRANSACTION_TOO_LARGE'
}

function halves({ indexes, batch }: Put): Put[] {
  const middle = Math.ceil(indexes.length / 2)
  return [
    { indexes: indexes.slice(0, middle), batch: batch.slice(0, middle) },
    { indexes: indexes.slice(middle), batch: batch.slice(middle) },
  ]
}
