/** Between a source and its channels: interceptors, selector, and the puts of one delivery. */
import { setMaxListeners } from 'node:events'
import type {
  BatchSize,
  Channel,
  ChannelSelector,
  Deliver,
  Interceptor,
  Reservation,
  Route,
} from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import {
  abortable,
  abortReason,
  type Clock,
  ConfigurationError,
  type Logger,
  RateLimit,
} from '@millrace/runtime'
import { DeliveryOrder } from './delivery-order.js'
import { intercept } from './interceptor-chain.js'
import type { OnBytes } from './on-bytes.js'

const DONE = Promise.resolve()
/** How often the failures of one optional channel are logged, in milliseconds. */
const LOG_INTERVAL_MS = 10_000

export interface ChannelProcessorOptions {
  /** The source's channels by name. */
  readonly channels: ReadonlyMap<string, Channel>
  readonly selector: ChannelSelector
  /** In the order in which they work. */
  readonly interceptors: readonly Interceptor[]
  readonly logger: Logger
  readonly clock: Clock
  /** Told the bytes of each batch. */
  readonly onBytes?: OnBytes | undefined
}

/** A batch on its way into one channel. */
interface Put {
  readonly name: string
  readonly channel: Channel
  readonly batch: EventBatch
}

/**
 * Stores a source's batches. Room is reserved in all required channels before anything is put into
 * any of them, so that a full channel refuses a batch before it is visible anywhere. Optional
 * channels follow, without waiting for room; the source never hears of their failures.
 */
export class ChannelProcessor {
  readonly #options: ChannelProcessorOptions
  readonly #order = new DeliveryOrder()
  readonly #rateLimit: RateLimit
  /** For deliveries that come without a signal. */
  readonly #never = neverAborted()
  #optionalFailureCount = 0

  constructor(options: ChannelProcessorOptions) {
    this.#options = options
    this.#rateLimit = new RateLimit({ intervalMs: LOG_INTERVAL_MS, clock: options.clock })
  }

  /** Batches that an optional channel did not take. */
  get optionalFailureCount(): number {
    return this.#optionalFailureCount
  }

  readonly deliver: Deliver = (batch, signal = this.#never) => {
    if (signal.aborted) return Promise.reject(abortReason(signal))
    this.#options.onBytes?.(batch.byteLength, 'source')
    try {
      const edited = intercept(this.#options.interceptors, batch, signal)
      if (edited instanceof Promise) return this.#deliverLater(edited, signal)
      if (edited.size === 0) return DONE
      return this.#deliverNow(edited, signal)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Resolves when every delivery that has begun is over. */
  whenIdle(): Promise<void> {
    return this.#order.after(this.#never, async () => {})
  }

  #deliverNow(batch: EventBatch, signal: AbortSignal): Promise<void> {
    const routes = this.#options.selector.route(batch)
    const [route] = routes
    const name = route?.required[0]
    if (
      routes.length === 1 &&
      route?.required.length === 1 &&
      route.optional.length === 0 &&
      name !== undefined &&
      this.#order.isFree
    ) {
      return this.#storeDirectly(name, route.batch, signal)
    }
    const beganMs = this.#options.clock.monotonic()
    return this.#order.after(signal, () => this.#store(routes, signal, beganMs))
  }

  #deliverLater(edited: Promise<EventBatch>, signal: AbortSignal): Promise<void> {
    // Its failure is seen when its turn comes.
    edited.catch(() => {})
    return this.#order.after(signal, async () => {
      const batch = await abortable(edited, signal)
      if (batch.size === 0) return
      const beganMs = this.#options.clock.monotonic()
      await this.#store(this.#options.selector.route(batch), signal, beganMs)
    })
  }

  async #storeDirectly(name: string, batch: EventBatch, signal: AbortSignal): Promise<void> {
    const channel = this.#channel(name)
    this.#order.begin()
    try {
      const reservation = await channel.reserve(sizeOf(batch), { wait: true, signal })
      await reservation.put(batch)
    } finally {
      this.#order.end()
    }
  }

  async #store(routes: readonly Route[], signal: AbortSignal, beganMs: number): Promise<void> {
    const required = this.#puts(routes, 'required')
    const reservations: Reservation[] = []
    try {
      for (const put of required) reservations.push(await this.#reserve(put, signal, beganMs))
    } catch (error) {
      for (const reservation of reservations) reservation.release()
      throw error
    }
    const stored = await Promise.allSettled(
      required.map(({ batch }, i) => (reservations[i] as Reservation).put(batch)),
    )
    for (const result of stored) if (result.status === 'rejected') throw result.reason
    for (const put of this.#puts(routes, 'optional')) await this.#storeOptional(put)
  }

  /**
   * Waits for room, but not for longer than the channel's `keep-alive` since its delivery was
   * called: of many that wait for each other, the last gets its answer as soon as the first.
   */
  #reserve(put: Put, signal: AbortSignal, beganMs: number): Promise<Reservation> {
    const { batch, channel } = put
    const waitedMs = this.#options.clock.monotonic() - beganMs
    return channel.reserve(sizeOf(batch), { wait: waitedMs < channel.keepAliveMs, signal })
  }

  async #storeOptional({ name, channel, batch }: Put): Promise<void> {
    try {
      const reservation = await channel.reserve(sizeOf(batch), { wait: false, signal: this.#never })
      await reservation.put(batch)
    } catch (error) {
      this.#optionalFailureCount += 1
      const held = this.#rateLimit.admit(name)
      if (held === undefined) return
      const before = held > 0 ? ` (and ${held} batches before)` : ''
      const events = `${batch.size} events${before}`
      this.#options.logger.warn(`optional channel ${name} did not take ${events}`, error)
    }
  }

  /** What goes where, sorted by channel: sources that share channels reserve in the same order. */
  #puts(routes: readonly Route[], kind: 'required' | 'optional'): Put[] {
    const puts: Put[] = []
    for (const route of routes) {
      if (route.batch.size === 0) continue
      for (const name of route[kind]) {
        puts.push({ name, channel: this.#channel(name), batch: route.batch })
      }
    }
    return puts.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
  }

  #channel(name: string): Channel {
    const channel = this.#options.channels.get(name)
    if (channel) return channel
    const message = `The selector names channel ${name}, which is not one of the source`
    throw new ConfigurationError('MILLRACE_CONFIG_UNKNOWN_NAME', message)
  }
}

/** Any number of deliveries may wait with it. */
function neverAborted(): AbortSignal {
  const { signal } = new AbortController()
  setMaxListeners(0, signal)
  return signal
}

const sizeOf = (batch: EventBatch): BatchSize => ({
  events: batch.size,
  bytes: batch.retainedBytes,
  encodedBytes: batch.byteLength,
})
