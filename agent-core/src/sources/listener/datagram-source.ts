import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import type { EventDrivenSource, SourceStartContext, StopOptions } from '@millrace/component'
import { EventBatch, type EventInit } from '@millrace/event'
import {
  AbortError,
  type Clock,
  LifecycleError,
  type Logger,
  messageOf,
  RateLimit,
  throwIfAborted,
  withDeadline,
} from '@millrace/runtime'
import { StubbornDelivery } from './stubborn-delivery.js'

/** Datagrams that wait for the channel: most of them, and most bytes. More are dropped. */
const MAX_WAITING_DATAGRAMS = 10_000
const MAX_WAITING_BYTES = 16 * 1_024 * 1_024
/** Most events of one put. */
const BATCH_SIZE = 100
/** What the system may hold for us, in bytes; it may allow less. */
const RECEIVE_BUFFER_BYTES = 4 * 1_024 * 1_024
const WARN_INTERVAL_MS = 10_000

export interface DatagramSourceOptions {
  readonly host: string | undefined
  readonly port: number
  /** The event of a datagram; undefined when it is none. */
  toEvent(bytes: Buffer, from: RemoteInfo): Promise<EventInit | undefined> | EventInit | undefined
}

export interface DatagramSourceHost {
  readonly logger: Logger
  readonly clock: Clock
}

interface Datagram {
  readonly bytes: Buffer
  readonly from: RemoteInfo
}

/**
 * A UDP port. UDP has no answers and cannot be slowed down: while the channel refuses events,
 * datagrams wait within limits, and those beyond are dropped and counted (`ChannelWriteFail`).
 */
export class DatagramSource implements EventDrivenSource {
  readonly #options: DatagramSourceOptions
  readonly #host: DatagramSourceHost
  readonly #warnings: RateLimit
  #socket: Socket | undefined
  #abort = new AbortController()
  #waiting: Datagram[] = []
  #waitingBytes = 0
  #pumping: Promise<void> | undefined

  constructor(options: DatagramSourceOptions, host: DatagramSourceHost) {
    this.#options = options
    this.#host = host
    this.#warnings = new RateLimit({ intervalMs: WARN_INTERVAL_MS, clock: host.clock })
  }

  /** The port that it is bound to; undefined when it is not. */
  get port(): number | undefined {
    return this.#socket?.address().port
  }

  /** @throws LifecycleError when the address cannot be bound. */
  async start(context: SourceStartContext): Promise<void> {
    await this.stop({ deadlineMs: 0 })
    throwIfAborted(context.signal)
    const abort = new AbortController()
    this.#abort = abort
    const { logger, clock } = this.#host
    const delivery = new StubbornDelivery({ context, logger, clock })
    const socket = await this.#bind()
    if (context.signal.aborted || abort.signal.aborted || this.#abort !== abort) {
      socket.close()
      throw new AbortError('The source was stopped while it started')
    }
    this.#socket = socket
    socket.on('error', (error) => context.fail(error))
    socket.on('message', (bytes, from) => {
      this.#receive({ bytes, from }, context)
      this.#pumping ??= this.#pump(delivery, context, abort.signal).finally(() => {
        this.#pumping = undefined
      })
    })
    logger.info(`listening on ${this.#options.host ?? '*'}, UDP port ${this.port ?? ''}`)
  }

  /** Stores what waits; what is not stored by the deadline is lost. */
  async stop(options: StopOptions): Promise<void> {
    const abort = this.#abort
    this.#abort = new AbortController()
    const socket = this.#socket
    this.#socket = undefined
    if (socket) await new Promise<void>((resolve) => socket.close(() => resolve()))
    const onLate = () => abort.abort()
    await withDeadline(
      this.#pumping ?? Promise.resolve(),
      options.deadlineMs,
      onLate,
      this.#host.clock,
    )
    abort.abort()
  }

  async #bind(): Promise<Socket> {
    const { host, port } = this.#options
    let cause: unknown
    // `::` takes IPv4 too, and is not there on a machine without IPv6.
    for (const wanted of host === undefined ? ['::', '0.0.0.0'] : [host]) {
      try {
        const { address } = await lookup(wanted)
        return await bound(address, port)
      } catch (error) {
        cause = error
      }
    }
    const message = `Cannot listen on ${host ?? '*'}, UDP port ${port}: ${messageOf(cause)}`
    throw new LifecycleError('MILLRACE_LIFECYCLE_START_FAILED', message, { cause })
  }

  #receive(datagram: Datagram, { counters }: SourceStartContext): void {
    const { length } = datagram.bytes
    if (
      this.#waiting.length >= MAX_WAITING_DATAGRAMS ||
      this.#waitingBytes + length > MAX_WAITING_BYTES
    ) {
      counters.channelWriteFail += 1
      if (this.#warnings.admit('dropped') === undefined) return
      this.#host.logger.warn('datagrams are dropped: the channel takes fewer than come')
      return
    }
    this.#waiting.push(datagram)
    this.#waitingBytes += length
  }

  async #pump(
    delivery: StubbornDelivery,
    context: SourceStartContext,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      while (this.#waiting.length > 0 && !signal.aborted) {
        const part = this.#waiting.slice(0, BATCH_SIZE)
        const events = await Promise.all(
          part.map(async ({ bytes, from }) => this.#options.toEvent(bytes, from)),
        )
        const made = events.filter((event) => event !== undefined)
        context.counters.eventReadFail += events.length - made.length
        await delivery.deliver(EventBatch.of(made), signal)
        this.#waiting.splice(0, part.length)
        for (const { bytes } of part) this.#waitingBytes -= bytes.length
      }
    } catch (error) {
      if (!signal.aborted) this.#host.logger.error('datagrams could not be delivered', error)
    }
    if (signal.aborted) {
      this.#waiting = []
      this.#waitingBytes = 0
    }
  }
}

function bound(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    const onError = (error: Error) => {
      socket.close()
      reject(error)
    }
    socket.once('error', onError)
    socket.bind({ address, port }, () => {
      socket.off('error', onError)
      try {
        socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES)
      } catch {
        // The system allows less: then it stays as it was.
      }
      resolve(socket)
    })
  })
}

const LINE_FEED = 0x0a

/** The bytes of a datagram up to its first line feed. */
export function firstLine(bytes: Buffer): Buffer {
  const end = bytes.indexOf(LINE_FEED)
  return end < 0 ? bytes : bytes.subarray(0, end)
}
