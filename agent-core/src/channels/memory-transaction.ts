/** The two halves of a memory channel's traffic: room for a put, and events that were taken. */
import type { Reservation, Transaction } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { TransactionError } from '@millrace/runtime'
import type { Segment } from './stored-events.js'

/** What they may do with their channel. */
export interface ChannelRoom {
  /** The promised room is used, or not wanted any longer. */
  use(events: number, bytes: number): void
  put(batch: EventBatch, reserved: number): Promise<void>
  /** Lets waiting puts in, as far as there is room. */
  admitPuts(): void
  end(committed: readonly Segment[], givenBack: readonly Segment[]): void
}

export class MemoryReservation implements Reservation {
  readonly #room: ChannelRoom
  readonly #events: number
  readonly #bytes: number
  #isUsed = false

  constructor(room: ChannelRoom, events: number, bytes: number) {
    this.#room = room
    this.#events = events
    this.#bytes = bytes
  }

  put(batch: EventBatch): Promise<void> {
    if (this.#isUsed) {
      return Promise.reject(new TransactionError('The reservation was used before'))
    }
    this.#use()
    return this.#room.put(batch, this.#events)
  }

  release(): void {
    if (this.#isUsed) return
    this.#use()
    this.#room.admitPuts()
  }

  #use(): void {
    this.#isUsed = true
    this.#room.use(this.#events, this.#bytes)
  }
}

export class MemoryTransaction implements Transaction {
  readonly batch: EventBatch
  readonly #room: ChannelRoom
  readonly #segments: readonly Segment[]
  #isOpen = true

  constructor(room: ChannelRoom, batch: EventBatch, segments: readonly Segment[]) {
    this.#room = room
    this.batch = batch
    this.#segments = segments
  }

  async commit({ except = [] }: { readonly except?: readonly number[] } = {}): Promise<void> {
    this.#check()
    if (except.length === 0) {
      this.#isOpen = false
      this.#room.end(this.#segments, [])
      return
    }
    const { size } = this.batch
    const wrong = except.find((index) => !Number.isInteger(index) || index < 0 || index >= size)
    if (wrong !== undefined) throw new RangeError(`Event index ${wrong} is not in [0, ${size})`)
    this.#isOpen = false
    const { committed, kept } = split(this.#segments, new Set(except))
    this.#room.end(committed, kept)
  }

  async rollback(): Promise<void> {
    this.#check()
    this.#isOpen = false
    this.#room.end([], this.#segments)
  }

  #check(): void {
    if (!this.#isOpen) throw new TransactionError('The transaction has ended before')
  }
}

/** Cuts the segments in runs of events that are in `except` and runs of those that are not. */
function split(segments: readonly Segment[], except: ReadonlySet<number>) {
  const committed: Segment[] = []
  const kept: Segment[] = []
  let index = 0
  for (const { entry, from, to } of segments) {
    let start = from
    for (let at = from + 1; at <= to; at += 1) {
      const isKept = except.has(index + at - 1 - from)
      if (at < to && except.has(index + at - from) === isKept) continue
      const run = isKept ? kept : committed
      run.push({ entry, from: start, to: at })
      start = at
    }
    index += to - from
  }
  return { committed, kept }
}
