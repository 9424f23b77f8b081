import { createServer, type Server, type Socket } from 'node:net'
import {
  defineSource,
  type EventDrivenSource,
  option,
  type SourceStartContext,
  type StopOptions,
} from '@millrace/component'
import { type Clock, type Logger, messageOf, RateLimit, withDeadline } from '@millrace/runtime'
import { lineCharset } from './line-charset.js'
import { closeServer, listenOn } from './listening.js'
import { NetcatConnection } from './netcat-connection.js'

/** Flume's `netcat` source: each line of text that a TCP connection brings is an event. */
export const netcatSource = defineSource({
  alias: 'netcat',
  classNames: ['org.apache.flume.source.NetcatSource'],
  summary: 'Receives lines of text over TCP; each line is an event.',
  isMonitored: false,
  options: {
    bind: option.string('bind', {
      description: 'Address or host name to listen on.',
      required: true,
    }),
    port: option.int('port', {
      description: 'TCP port to listen on; 0 takes any free one.',
      required: true,
      max: 65_535,
    }),
    maxLineLength: option.int('max-line-length', {
      description: 'Longest line in characters, its newline included.',
      default: 512,
      min: 1,
    }),
    ackEveryEvent: option.bool('ack-every-event', {
      description: 'Answers OK to each line once it is stored.',
      default: true,
    }),
    encoding: option.string('encoding', {
      description: 'Character set of lines and answers. Bodies are always UTF-8.',
      default: 'utf-8',
    }),
  },
  check({ encoding }) {
    try {
      lineCharset(encoding)
      return []
    } catch (error) {
      return [{ key: 'encoding', message: messageOf(error) }]
    }
  },
  create: ({ options, logger, clock }) => new NetcatSource(options, { logger, clock }),
})

export interface NetcatSourceOptions {
  readonly bind: string
  readonly port: number
  readonly maxLineLength: number
  readonly ackEveryEvent: boolean
  readonly encoding: string
}

export interface NetcatSourceHost {
  readonly logger: Logger
  readonly clock: Clock
}

/** Connections beyond this number are closed right after they are accepted. */
const MAX_CONNECTIONS = 16_384
const WARN_INTERVAL_MS = 5_000

/** A line is answered OK once it is stored; one that the channel refuses is answered FAILED and gone. */
export class NetcatSource implements EventDrivenSource {
  readonly #options: NetcatSourceOptions
  readonly #host: NetcatSourceHost
  readonly #connections = new Set<NetcatConnection>()
  readonly #warnings: RateLimit
  #server: Server | undefined
  #abort = new AbortController()

  constructor(options: NetcatSourceOptions, host: NetcatSourceHost) {
    this.#options = options
    this.#host = host
    this.#warnings = new RateLimit({ intervalMs: WARN_INTERVAL_MS, clock: host.clock })
  }

  /** The port that it listens on; undefined when it does not. */
  get port(): number | undefined {
    const address = this.#server?.address()
    return typeof address === 'object' ? address?.port : undefined
  }

  /** @throws LifecycleError when the address cannot be listened on. */
  async start(context: SourceStartContext): Promise<void> {
    await this.stop({ deadlineMs: 0 })
    this.#abort = new AbortController()
    // Half-open, so that lines sent just before the client's end are still answered.
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket, context))
    server.maxConnections = MAX_CONNECTIONS
    this.#server = server
    try {
      await listenOn(server, this.#options, context.signal)
    } catch (error) {
      this.#server = undefined
      throw error
    }
    server.on('error', (error) => context.fail(error))
    this.#host.logger.info(`listening on ${this.#options.bind}:${this.port ?? ''}`)
  }

  /** Answers the lines at hand; what is not stored by the deadline gets no answer. */
  async stop(options: StopOptions): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const connection of this.#connections) connection.end()
    const ended = Promise.all([
      ...Array.from(this.#connections, (connection) => connection.closed),
      server ? closeServer(server) : undefined,
    ])
    const onLate = () => {
      this.#abort.abort()
      for (const connection of this.#connections) connection.destroy()
    }
    await withDeadline(
      ended.then(() => undefined),
      options.deadlineMs,
      onLate,
      this.#host.clock,
    )
  }

  #accept(socket: Socket, context: SourceStartContext): void {
    const { maxLineLength, ackEveryEvent, encoding } = this.#options
    const connection = new NetcatConnection(socket, {
      maxLineLength,
      ackEveryEvent,
      charset: lineCharset(encoding),
      deliver: context.deliver,
      signal: this.#abort.signal,
      onRefused: (error) => {
        if (this.#warnings.admit('refused') === undefined) return
        this.#host.logger.warn('a line was refused and is answered FAILED', error)
      },
      onUnreadable: (peer, error) => {
        if (this.#warnings.admit('unreadable') === undefined) return
        this.#host.logger.warn(`closed ${peer}: what it sent last is not ${encoding}`, error)
      },
    })
    this.#connections.add(connection)
    void connection.closed.then(() => this.#connections.delete(connection))
  }
}
