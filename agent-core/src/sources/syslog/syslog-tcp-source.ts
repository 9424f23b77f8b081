import type { Socket } from 'node:net'
import type { EventDrivenSource, SourceStartContext, StopOptions } from '@millrace/component'
import { AbortError, type Clock, type Logger } from '@millrace/runtime'
import { type ListenerTls, readListenerTls } from '../../tls/listener-tls.js'
import { PeerNames, plainAddress } from '../listener/peer-names.js'
import { type StreamConnection, StreamListener } from '../listener/stream-listener.js'
import { StubbornDelivery } from '../listener/stubborn-delivery.js'
import { SyslogConnection } from './syslog-connection.js'
import { SyslogLines } from './syslog-lines.js'
import type { SyslogParser } from './syslog-message.js'

export interface SyslogTcpSourceOptions {
  readonly host: string | undefined
  readonly ports: readonly number[]
  readonly tls: ListenerTls
  /** Longest message in bytes. */
  readonly eventSize: number
  readonly batchSize: number
  /** Names of the headers for the local port, the peer's address and the peer's name. */
  readonly portHeader: string | undefined
  readonly clientIPHeader: string | undefined
  readonly clientHostnameHeader: string | undefined
  /** The parser for a port. Each connection has one of its own. */
  readonly parserFor: (port: number) => SyslogParser
}

export interface SyslogTcpSourceHost {
  readonly logger: Logger
  readonly clock: Clock
}

/**
 * Syslog over TCP has no answers: when the channel refuses messages, nothing more is read from their
 * sender until they are stored.
 */
export class SyslogTcpSource implements EventDrivenSource {
  readonly #options: SyslogTcpSourceOptions
  readonly #host: SyslogTcpSourceHost
  #listeners: readonly StreamListener[] = []
  #abort = new AbortController()

  constructor(options: SyslogTcpSourceOptions, host: SyslogTcpSourceHost) {
    this.#options = options
    this.#host = host
  }

  /** @throws LifecycleError when one of the ports cannot be listened on, or the key store not be read. */
  async start(context: SourceStartContext): Promise<void> {
    await this.stop({ deadlineMs: 0 })
    const abort = new AbortController()
    this.#abort = abort
    const { host, ports, tls } = this.#options
    const { clock, logger } = this.#host
    const secure = await readListenerTls(tls)
    if (this.#abort !== abort) throw new AbortError('The source was stopped while it started')
    const delivery = new StubbornDelivery({ context, logger, clock })
    const names = new PeerNames()
    const listeners = ports.map((port) => {
      return new StreamListener({
        host,
        port,
        tls: secure,
        clock,
        connect: (socket) => this.#connect(socket, { port, delivery, names, signal: abort.signal }),
        connectionsChanged: (change) => {
          context.counters.openConnectionCount += change
        },
        onError: (error) => context.fail(error),
      })
    })
    this.#listeners = listeners
    try {
      for (const listener of listeners) await listener.start(context.signal)
    } catch (error) {
      for (const listener of listeners) await listener.stop({ deadlineMs: 0, onLate: () => {} })
      throw error
    }
    logger.info(
      `listening on ${host ?? '*'}, port ${ports.join(', ')}${secure ? ', with TLS' : ''}`,
    )
  }

  /** Stores the messages at hand; what is not stored by the deadline is lost with its connection. */
  async stop({ deadlineMs }: StopOptions): Promise<void> {
    const listeners = this.#listeners
    const abort = this.#abort
    this.#abort = new AbortController()
    this.#listeners = []
    const onLate = () => abort.abort()
    await Promise.all(listeners.map((listener) => listener.stop({ deadlineMs, onLate })))
  }

  #connect(
    socket: Socket,
    shared: {
      readonly port: number
      readonly delivery: StubbornDelivery
      readonly names: PeerNames
      readonly signal: AbortSignal
    },
  ): StreamConnection {
    const { eventSize, batchSize, parserFor } = this.#options
    return new SyslogConnection(socket, {
      lines: new SyslogLines(eventSize),
      parser: parserFor(shared.port),
      batchSize,
      headers: this.#headersOf(socket, shared.names),
      deliver: (batch) => shared.delivery.deliver(batch, shared.signal),
    })
  }

  async #headersOf(socket: Socket, names: PeerNames): Promise<Readonly<Record<string, string>>> {
    const { portHeader, clientIPHeader, clientHostnameHeader } = this.#options
    const address = plainAddress(socket.remoteAddress)
    const headers: Record<string, string> = {}
    if (portHeader !== undefined) headers[portHeader] = String(socket.localPort)
    if (clientIPHeader !== undefined) headers[clientIPHeader] = address
    if (clientHostnameHeader !== undefined) {
      headers[clientHostnameHeader] = await names.nameOf(address)
    }
    return headers
  }
}
