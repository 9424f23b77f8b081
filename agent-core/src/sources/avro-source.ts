import type {
  EventDrivenSource,
  SourceCounters,
  SourceStartContext,
  StopOptions,
} from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import {
  type AvroRpcHandler,
  AvroRpcServer,
  type CallContext,
  type ServerTlsOptions,
} from '@millrace/rpc'
import {
  AbortError,
  type Clock,
  type Logger,
  messageOf,
  RateLimit,
  throwIfAborted,
  type Timer,
} from '@millrace/runtime'
import { type StoreSettings, ServerTls } from '../tls/tls-files.js'
import { IpFilter } from './ip-filter.js'

export interface AvroSourceOptions extends StoreSettings {
  readonly bind: string
  readonly port: number
  readonly compression: 'none' | 'deflate'
  readonly ssl: boolean
  readonly clientAuth: 'none' | 'want' | 'need'
  readonly ipFilter: boolean
  readonly ipFilterRules: readonly string[]
  /** For each address; 0: any. */
  readonly clientEventsPerSecond: number
  readonly clientBytesPerSecond: number
  readonly clientConnections: number
}

export interface AvroSourceHost {
  readonly logger: Logger
  readonly clock: Clock
}

const WARN_INTERVAL_MS = 5_000
/** How often the files of the certificates are looked at. */
const STORE_CHECK_MS = 10_000

/**
 * A call is answered OK once every required channel has stored its events, and FAILED when one
 * refuses them: then nothing of them is stored, and the client sends them again.
 */
export class AvroSource implements EventDrivenSource {
  readonly #options: AvroSourceOptions
  readonly #host: AvroSourceHost
  readonly #filter: IpFilter | undefined
  #server: AvroRpcServer | undefined
  #port: number | undefined
  #storeTimer: Timer | undefined

  constructor(options: AvroSourceOptions, host: AvroSourceHost) {
    this.#options = options
    this.#host = host
    this.#filter = options.ipFilter ? new IpFilter(options.ipFilterRules) : undefined
  }

  /** The port that it listens on; undefined when it does not. */
  get port(): number | undefined {
    return this.#port
  }

  /** @throws LifecycleError when the address cannot be listened on, or a key store not be used. */
  async start(context: SourceStartContext): Promise<void> {
    const { bind, port, compression } = this.#options
    const { logger, clock } = this.#host
    const { counters } = context
    const filter = this.#filter
    const stores = this.#options.ssl ? new ServerTls(this.#options) : undefined
    const tls = await stores?.read()
    throwIfAborted(context.signal)
    const server = new AvroRpcServer({
      host: bind,
      port,
      compression,
      logger,
      clock,
      handler: new DeliveringHandler(context, this.#host),
      quotas: {
        eventsPerSecond: this.#options.clientEventsPerSecond,
        bytesPerSecond: this.#options.clientBytesPerSecond,
        connections: this.#options.clientConnections,
      },
      connectionsChanged: (count) => {
        counters.openConnectionCount = count
      },
      ...(tls ? { tls } : {}),
      ...(filter ? { accepts: (address: string) => filter.accepts(address) } : {}),
    })
    this.#server = server
    const address = await server.listen()
    if (this.#server !== server) throw new AbortError('The source was stopped while it started')
    this.#port = address.port
    if (stores && tls) this.#watchStores(server, stores, tls)
    logger.info(`listening on ${address.host}:${address.port}${tls ? ' with TLS' : ''}`)
  }

  /** Takes no more calls and answers those it holds; at the deadline it cuts the connections off. */
  async stop(options: StopOptions): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.#port = undefined
    this.#storeTimer?.cancel()
    await server?.close({ deadlineMs: options.deadlineMs })
  }

  /** New connections get the certificates that are in the files by then. */
  #watchStores(server: AvroRpcServer, tls: ServerTls, used: ServerTlsOptions): void {
    const { clock, logger } = this.#host
    let current = used
    let trouble = ''
    const look = async () => {
      try {
        const next = await tls.read()
        if (next !== current && this.#server === server) {
          server.renewTls(next)
          current = next
          logger.info('the certificates were read anew')
        }
        trouble = ''
      } catch (error) {
        const text = messageOf(error)
        if (text !== trouble) logger.warn('the certificates stay as they were', error)
        trouble = text
      }
      if (this.#server === server)
        this.#storeTimer = clock.after(STORE_CHECK_MS, () => void look(), { ref: false })
    }
    this.#storeTimer = clock.after(STORE_CHECK_MS, () => void look(), { ref: false })
  }
}

/** Hands calls to the channels and counts as Flume's source does. */
class DeliveringHandler implements AvroRpcHandler {
  readonly #context: SourceStartContext
  readonly #counters: SourceCounters
  readonly #logger: Logger
  readonly #warnings: RateLimit

  constructor(context: SourceStartContext, host: AvroSourceHost) {
    this.#context = context
    this.#counters = context.counters
    this.#logger = host.logger
    this.#warnings = new RateLimit({ intervalMs: WARN_INTERVAL_MS, clock: host.clock })
  }

  async append(batch: EventBatch, call: CallContext): Promise<void> {
    const counters = this.#counters
    counters.appendReceivedCount += 1
    await this.#deliver(batch, call)
    counters.appendAcceptedCount += 1
  }

  async appendBatch(batch: EventBatch, call: CallContext): Promise<void> {
    const counters = this.#counters
    counters.appendBatchReceivedCount += 1
    await this.#deliver(batch, call)
    counters.appendBatchAcceptedCount += 1
  }

  async #deliver(batch: EventBatch, call: CallContext): Promise<void> {
    const counters = this.#counters
    counters.eventReceivedCount += batch.size
    try {
      await this.#context.deliver(batch, call.signal)
    } catch (error) {
      counters.channelWriteFail += 1
      const held = call.signal.aborted ? undefined : this.#warnings.admit('refused')
      if (held !== undefined) {
        const before = held > 0 ? ` (and ${held} calls before)` : ''
        this.#logger.warn(`a call of ${call.remoteAddress} is answered FAILED${before}`, error)
      }
      throw error
    }
    counters.eventAcceptedCount += batch.size
  }
}
