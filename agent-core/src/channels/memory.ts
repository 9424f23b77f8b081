/** The memory channel: fast, bounded in events and bytes, and gone with its process. */
import {
  type Channel,
  ChannelCounters,
  type ChannelStartContext,
  defineChannel,
  option,
  type OptionsOf,
  type Reservation,
  type ReserveOptions,
  type TakeLimit,
  type Transaction,
} from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { abortReason, ChannelError, type Clock, TransactionError } from '@millrace/runtime'
import { defaultByteCapacity } from './memory-limit.js'
import { type ChannelRoom, MemoryReservation, MemoryTransaction } from './memory-transaction.js'
import { batchOf, type Segment, StoredEvents } from './stored-events.js'
import { WaitList } from './wait-list.js'

/** The byte limit that `byteCapacity = 0` stands for (Flume's), in bytes. */
const UNLIMITED_BYTES = 200 * 1024 ** 3
const DONE = Promise.resolve()
const NOTHING = Promise.resolve(undefined)

const options = {
  capacity: option.int('capacity', {
    description: 'Most events that the channel holds, those taken but not committed included.',
    default: 100,
    adjustBelow: 1,
  }),
  transactionCapacity: option.int('transactionCapacity', {
    description: 'Most events of one put or take; not more than `capacity`.',
    default: 100,
    adjustBelow: 1,
  }),
  keepAliveMs: option.duration('keep-alive', {
    description: 'How long a put waits for room and a take for an event.',
    unit: 's',
    default: 3,
  }),
  byteCapacityBufferPercentage: option.int('byteCapacityBufferPercentage', {
    description: 'Share of `byteCapacity`, in percent, that stays free.',
    default: 20,
    max: 99,
  }),
  byteCapacity: option.long('byteCapacity', {
    description:
      'Most memory that the events keep alive, headers and index included. Default: a quarter of the memory that the process may use; 0: no limit but about 200 GB.',
  }),
} as const

export type MemoryChannelOptions = OptionsOf<typeof options>

interface Size {
  readonly events: number
  readonly bytes: number
}

export const memoryChannel = defineChannel({
  alias: 'memory',
  classNames: ['org.apache.flume.channel.MemoryChannel'],
  summary: 'A bounded channel in memory: fast, and empty after a crash.',
  options,
  check({ capacity, transactionCapacity }) {
    if (transactionCapacity <= capacity) return []
    return [
      {
        key: 'transactionCapacity',
        message: `${transactionCapacity} is more than the capacity of ${capacity}`,
      },
    ]
  },
  transactionCapacity: ({ transactionCapacity }) => transactionCapacity,
  create: ({ name, options, clock }) => new MemoryChannel(name, options, clock),
})

/**
 * Events in memory, in the order in which they were put. They stay over `stop` and a following
 * `start`. Not durable: what it holds when the process ends is lost.
 */
export class MemoryChannel implements Channel {
  readonly isDurable = false
  readonly #component: string
  readonly #stored = new StoredEvents()
  readonly #waitingPuts: WaitList<Size, Reservation>
  readonly #waitingTakes: WaitList<TakeLimit, Transaction | undefined>
  #options: MemoryChannelOptions
  #byteLimit: number
  #counters = new ChannelCounters()
  #isOpen = false
  /** What reservations and transactions may do with this channel. */
  readonly #room: ChannelRoom = {
    use: (events, bytes) => {
      this.#reservedEvents -= events
      this.#reservedBytes -= bytes
    },
    put: (batch, reserved) => this.#put(batch, reserved),
    admitPuts: () => this.#admitPuts(),
    end: (committed, givenBack) => this.#end(committed, givenBack),
  }
  /** Room that is promised to puts that have not come yet. */
  #reservedEvents = 0
  #reservedBytes = 0

  constructor(name: string, options: MemoryChannelOptions, clock: Clock) {
    this.#component = `channel ${name}`
    this.#options = options
    this.#byteLimit = byteLimitOf(options)
    this.#waitingPuts = new WaitList<Size, Reservation>({
      clock,
      onTimeout: (size) => {
        throw this.#full(size)
      },
      onLeave: () => this.#admitPuts(),
      hasSteadySignals: false,
    })
    this.#waitingTakes = new WaitList<TakeLimit, Transaction | undefined>({
      clock,
      onTimeout: () => this.#nothing(),
      onLeave: () => {},
      // A sink's runner comes with the same signal as long as it runs.
      hasSteadySignals: true,
    })
  }

  get transactionCapacity(): number {
    return this.#options.transactionCapacity
  }

  get keepAliveMs(): number {
    return this.#options.keepAliveMs
  }

  get size(): Size {
    return { events: this.#stored.events, bytes: this.#stored.bytes }
  }

  start(context: ChannelStartContext): Promise<void> {
    this.#counters = context.counters
    this.#counters.channelCapacity = this.#options.capacity
    this.#isOpen = true
    return DONE
  }

  stop(): Promise<void> {
    this.#isOpen = false
    this.#waitingPuts.rejectAll(() => this.#closed())
    this.#waitingTakes.rejectAll(() => this.#closed())
    return DONE
  }

  /** Takes new limits at once; events beyond a smaller capacity stay, and puts wait meanwhile. */
  reconfigure(options: MemoryChannelOptions): void {
    this.#options = options
    this.#byteLimit = byteLimitOf(options)
    this.#counters.channelCapacity = options.capacity
    this.#admitPuts()
  }

  reserve(size: Size, { wait, signal }: ReserveOptions): Promise<Reservation> {
    if (!this.#isOpen) return Promise.reject(this.#closed())
    if (signal.aborted) return Promise.reject(abortReason(signal))
    this.#counters.eventPutAttemptCount += size.events
    const { capacity, transactionCapacity } = this.#options
    const mostEvents = Math.min(capacity, transactionCapacity)
    if (size.events > mostEvents || size.bytes > this.#byteLimit) {
      return Promise.reject(this.#tooLarge(size))
    }
    if (this.#waitingPuts.first === undefined && this.#hasRoom(size)) {
      return Promise.resolve(this.#grant(size))
    }
    if (!wait || this.keepAliveMs === 0) return Promise.reject(this.#full(size))
    return this.#waitingPuts.wait(size, this.keepAliveMs, signal)
  }

  take(limit: TakeLimit, signal: AbortSignal): Promise<Transaction | undefined> {
    if (!this.#isOpen) return Promise.reject(this.#closed())
    if (signal.aborted) return Promise.reject(abortReason(signal))
    if (!this.#stored.isEmpty) return Promise.resolve(this.#open(limit))
    if (limit.waitMs > 0) return this.#waitingTakes.wait(limit, limit.waitMs, signal)
    this.#nothing()
    return NOTHING
  }

  #nothing(): undefined {
    this.#counters.eventTakeAttemptCount += 1
  }

  #open(limit: TakeLimit): Transaction {
    const most = Math.max(1, Math.min(limit.maxEvents, this.#options.transactionCapacity))
    const segments = this.#stored.take(most, limit.maxBytes)
    const batch = batchOf(segments)
    this.#counters.eventTakeAttemptCount += batch.size
    return new MemoryTransaction(this.#room, batch, segments)
  }

  #end(committed: readonly Segment[], givenBack: readonly Segment[]): void {
    this.#stored.giveBack(givenBack)
    const before = this.#stored.events
    this.#stored.drop(committed)
    this.#counters.eventTakeSuccessCount += before - this.#stored.events
    if (committed.length > 0) this.#admitPuts()
    if (givenBack.length > 0) this.#serveTakes()
  }

  #serveTakes(): void {
    let limit = this.#waitingTakes.first
    while (limit && !this.#stored.isEmpty) {
      this.#waitingTakes.resolveFirst(this.#open(limit))
      limit = this.#waitingTakes.first
    }
  }

  #admitPuts(): void {
    let size = this.#waitingPuts.first
    while (size && this.#hasRoom(size)) {
      this.#waitingPuts.resolveFirst(this.#grant(size))
      size = this.#waitingPuts.first
    }
  }

  #hasRoom(size: Size): boolean {
    return (
      this.#stored.events + this.#reservedEvents + size.events <= this.#options.capacity &&
      this.#stored.bytes + this.#reservedBytes + size.bytes <= this.#byteLimit
    )
  }

  #grant({ events, bytes }: Size): Reservation {
    this.#reservedEvents += events
    this.#reservedBytes += bytes
    return new MemoryReservation(this.#room, events, bytes)
  }

  #put(batch: EventBatch, reserved: number): Promise<void> {
    if (!this.#isOpen || batch.size > reserved) {
      this.#admitPuts()
      const reason = this.#isOpen
        ? new TransactionError(`${batch.size} events put, room for ${reserved} was reserved`)
        : this.#closed()
      return Promise.reject(reason)
    }
    if (batch.size > 0) this.#stored.add(batch)
    this.#counters.eventPutSuccessCount += batch.size
    if (batch.size < reserved) this.#admitPuts()
    this.#serveTakes()
    return DONE
  }

  #full({ events, bytes }: Size): ChannelError {
    const { capacity } = this.#options
    const message = `No room for ${events} events (${bytes} bytes): ${this.#stored.events} of ${capacity} events, ${this.#stored.bytes} of ${this.#byteLimit} bytes are taken`
    return new ChannelError('MILLRACE_CHANNEL_FULL', message, { component: this.#component })
  }

  #tooLarge({ events, bytes }: Size): ChannelError {
    const { transactionCapacity } = this.#options
    const message = `A batch of ${events} events (${bytes} bytes) is more than transactionCapacity (${transactionCapacity} events) or byteCapacity (${this.#byteLimit} bytes)`
    return new ChannelError('MILLRACE_CHANNEL_TRANSACTION_TOO_LARGE', message, {
      component: this.#component,
    })
  }

  #closed(): ChannelError {
    return new ChannelError('MILLRACE_CHANNEL_CLOSED', 'The channel is not open', {
      component: this.#component,
    })
  }
}

function byteLimitOf({ byteCapacity, byteCapacityBufferPercentage }: MemoryChannelOptions): number {
  if (byteCapacity === 0) return UNLIMITED_BYTES
  const capacity = byteCapacity ?? defaultByteCapacity()
  return Math.floor(capacity * (1 - byteCapacityBufferPercentage / 100))
}
