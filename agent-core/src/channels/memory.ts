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
import { ChannelError, type Clock } from '@millrace/runtime'
import { defaultByteCapacity } from './memory-limit.js'
import { PutSide, type Size } from './put-side.js'
import { TakeSide } from './take-side.js'

/** The byte limit that `byteCapacity = 0` stands for (Flume's), in bytes. */
const UNLIMITED_BYTES = 200 * 1024 ** 3
const DONE = Promise.resolve()

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
  readonly #puts: PutSide
  readonly #takes: TakeSide
  #options: MemoryChannelOptions
  #byteLimit: number
  #counters = new ChannelCounters()
  readonly #clock: Clock
  #isOpen = false

  constructor(name: string, options: MemoryChannelOptions, clock: Clock) {
    this.#component = `channel ${name}`
    this.#options = options
    this.#clock = clock
    this.#byteLimit = byteLimitOf(options)
    const puts = {
      keepAliveMs: () => this.keepAliveMs,
      hasRoom: (size: Size) => this.#hasRoom(size),
      store: (batch: EventBatch) => this.#store(batch),
      full: (size: Size) => this.#full(size),
    }
    const takes = {
      transactionCapacity: () => this.transactionCapacity,
      counters: () => this.#counters,
      onCommitted: () => this.#puts.admit(),
    }
    this.#puts = new PutSide(puts, clock)
    this.#takes = new TakeSide(takes, clock)
  }

  get transactionCapacity(): number {
    return this.#options.transactionCapacity
  }

  get keepAliveMs(): number {
    return this.#options.keepAliveMs
  }

  get size(): Size {
    return { events: this.#takes.stored.events, bytes: this.#takes.stored.bytes }
  }

  start(context: ChannelStartContext): Promise<void> {
    this.#counters = context.counters
    this.#counters.channelCapacity = this.#options.capacity
    this.#isOpen = true
    return DONE
  }

  stop(): Promise<void> {
    this.#isOpen = false
    this.#puts.rejectAll(() => this.#closed())
    this.#takes.rejectAll(() => this.#closed())
    return DONE
  }

  /** Takes new limits at once; events beyond a smaller capacity stay, and puts wait meanwhile. */
  reconfigure(options: MemoryChannelOptions): void {
    this.#options = options
    this.#byteLimit = byteLimitOf(options)
    this.#counters.channelCapacity = options.capacity
    this.#puts.admit()
  }

  reserve(size: Size, options: ReserveOptions): Promise<Reservation> {
    if (!this.#isOpen) return Promise.reject(this.#closed())
    this.#counters.eventPutAttemptCount += size.events
    const { capacity, transactionCapacity } = this.#options
    const mostEvents = Math.min(capacity, transactionCapacity)
    if (size.events > mostEvents || size.bytes > this.#byteLimit) {
      return Promise.reject(this.#tooLarge(size))
    }
    return this.#puts.reserve(size, options)
  }

  take(limit: TakeLimit, signal: AbortSignal): Promise<Transaction | undefined> {
    if (!this.#isOpen) return Promise.reject(this.#closed())
    return this.#takes.take(limit, signal)
  }

  #hasRoom({ events, bytes }: Size): boolean {
    const { stored } = this.#takes
    return (
      stored.events + events <= this.#options.capacity && stored.bytes + bytes <= this.#byteLimit
    )
  }

  #store(batch: EventBatch): Promise<void> {
    if (!this.#isOpen) return Promise.reject(this.#closed())
    if (batch.size > 0) this.#takes.stored.add(batch, undefined, this.#clock.now())
    this.#counters.eventPutSuccessCount += batch.size
    this.#takes.serve()
    return DONE
  }

  #full({ events, bytes }: Size): ChannelError {
    const { capacity } = this.#options
    const { stored } = this.#takes
    const message = `No room for ${events} events (${bytes} bytes): ${stored.events} of ${capacity} events, ${stored.bytes} of ${this.#byteLimit} bytes are taken`
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
