import type { Sink, SinkCounters, SinkStartContext, StopOptions } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import type { RpcClient } from '@millrace/rpc'
import {
  abortable,
  type Clock,
  EventDeliveryError,
  LifecycleError,
  type Logger,
  messageOf,
  RateLimit,
  throwIfAborted,
  withDeadline,
} from '@millrace/runtime'
import type { RpcClientFactory } from './rpc-client-factory.js'

export interface AvroSinkOptions {
  readonly batchSize: number
  /** Age at which a connection is replaced; 0 keeps it. */
  readonly resetIntervalMs: number
}

export interface AvroSinkHost {
  readonly logger: Logger
  readonly clock: Clock
  readonly client: RpcClientFactory
}

const WARN_INTERVAL_MS = 10_000

/** One start of the sink, until its stop. */
interface Run {
  readonly counters: SinkCounters
  readonly abort: AbortController
  client: RpcClient | undefined
  connecting: Promise<RpcClient> | undefined
  connectedAtMs: number
}

/**
 * A write resolves when the next agent has answered OK: the events are in its channels. A connection
 * ends with its first failure and the next write makes a new one, name lookup included; the events
 * of a call without an answer may have arrived, and arrive again then.
 */
export class AvroSink implements Sink {
  readonly batchSize: number
  readonly #options: AvroSinkOptions
  readonly #host: AvroSinkHost
  readonly #warnings: RateLimit
  #run: Run | undefined

  constructor(options: AvroSinkOptions, host: AvroSinkHost) {
    this.batchSize = options.batchSize
    this.#options = options
    this.#host = host
    this.#warnings = new RateLimit({ intervalMs: WARN_INTERVAL_MS, clock: host.clock })
  }

  /** Does not wait for the connection: what fails there is logged, and tried again with each write. */
  async start(context: SinkStartContext): Promise<void> {
    throwIfAborted(context.signal)
    const run: Run = {
      counters: context.counters,
      abort: new AbortController(),
      client: undefined,
      connecting: undefined,
      connectedAtMs: 0,
    }
    this.#run = run
    this.#connected(run).catch((error: unknown) => {
      if (run.abort.signal.aborted || this.#warnings.admit('connect') === undefined) return
      this.#host.logger.warn('not connected yet', error)
    })
  }

  async stop(options: StopOptions): Promise<void> {
    const run = this.#run
    this.#run = undefined
    if (!run) return
    run.abort.abort()
    const closed = this.#close(run)
    await withDeadline(closed, options.deadlineMs, () => undefined, this.#host.clock)
  }

  /** @throws EventDeliveryError when the next agent did not answer OK, for whatever reason. */
  async write(batch: EventBatch, signal: AbortSignal): Promise<void> {
    const run = this.#run
    if (!run) throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', 'The sink is not started')
    throwIfAborted(signal)
    try {
      if (this.#isWornOut(run)) await this.#close(run)
      const client = await abortable(this.#connected(run), signal)
      await client.appendBatch(batch, { signal })
    } catch (error) {
      // A client of several hosts goes on working, and remembers which of them failed.
      if (run.client?.isActive === false) await this.#close(run)
      throwIfAborted(signal)
      const message = `Cannot deliver to ${this.#host.client.target}: ${messageOf(error)}`
      throw new EventDeliveryError('MILLRACE_DELIVERY_FAILED', message, { cause: error })
    }
  }

  /** Whether the connection is lost, or as old as it may get. */
  #isWornOut({ client, connectedAtMs }: Run): boolean {
    if (!client) return false
    if (!client.isActive) return true
    const { resetIntervalMs } = this.#options
    if (resetIntervalMs === 0) return false
    return this.#host.clock.monotonic() - connectedAtMs >= resetIntervalMs
  }

  #connected(run: Run): Promise<RpcClient> {
    run.connecting ??= this.#connect(run)
    return run.connecting
  }

  async #connect(run: Run): Promise<RpcClient> {
    const { client: factory, clock, logger } = this.#host
    const { signal } = run.abort
    try {
      const client = await factory.connect(signal)
      run.counters.connectionCreatedCount += 1
      run.client = client
      run.connectedAtMs = clock.monotonic()
      logger.debug(`connected to ${factory.target}`)
      return client
    } catch (error) {
      if (!signal.aborted) run.counters.connectionFailedCount += 1
      run.connecting = undefined
      throw error
    }
  }

  /** A connection that is still on its way stays for the next write, unless the sink stops. */
  async #close(run: Run): Promise<void> {
    const { connecting } = run
    if (!run.client && !run.abort.signal.aborted) return
    run.connecting = undefined
    const client = run.client ?? (await connecting?.catch(() => undefined))
    run.client = undefined
    if (!client) return
    await client.close()
    run.counters.connectionClosedCount += 1
  }
}
