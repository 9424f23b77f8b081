import { readDirectly, SHARED_READ_BYTES } from '../net/direct-reads.js'
import type { ServerTlsOptions } from '../net/tls-options.js'
import { Admission } from './admission.js'
import type { AvroRpcHandler } from './handler.js'
import { KnownProtocols } from './known-protocols.js'
import { type ServerLimits, serverLimits } from './limits.js'
import { type PeerAccount, type PeerQuotas, PeerTable } from './peer-quotas.js'
import { Session } from './session.js'
import { Transport } from './transport.js'
import {
  type Clock,
  LifecycleError,
  type Logger,
  messageOf,
  RateLimit,
  silentLogger,
  systemClock,
} from '@millrace/runtime'
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export interface AvroRpcServerOptions {
  /** The address to listen on. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly handler: AvroRpcHandler
  readonly tls?: ServerTlsOptions
  /** Default none. */
  readonly compression?: 'none' | 'deflate'
  /** Whether a peer may connect (`ipFilter`); it is closed right after accept otherwise. */
  readonly accepts?: (remoteAddress: string) => boolean | Promise<boolean>
  /** Told the number of open connections whenever it changes. */
  readonly connectionsChanged?: (count: number) => void
  readonly limits?: Partial<ServerLimits>
  /** Limits for each remote address: a call beyond them is answered FAILED, a connection is closed. */
  readonly quotas?: Partial<PeerQuotas> | undefined
  readonly logger?: Logger
  readonly clock?: Clock
}

/** Connections that the system may hold for us before we accept them. */
const BACKLOG = 1_024
/** One line for each kind of trouble and peer in this time. */
const REPORT_INTERVAL_MS = 10_000
/** How long a peer that was told the end may take to close, in milliseconds. */
const LINGER_MS = 500

interface Connection {
  readonly socket: Socket
  readonly peer: string
  readonly account: PeerAccount | undefined
  session?: Session
}

/**
 * A server of Flume's Avro RPC. Closing it twice, or before it listens, does nothing more.
 *
 * It reads no more than its limits allow, answers a call only when the handler's promise has
 * resolved, and keeps each connection's order. A peer that breaks the protocol loses its connection
 * and gets one line in the log; the others do not notice. A silent connection is never closed.
 */
export class AvroRpcServer {
  readonly #options: AvroRpcServerOptions
  readonly #limits: ServerLimits
  readonly #admission: Admission
  readonly #protocols = new KnownProtocols()
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #reports: RateLimit
  readonly #connections = new Set<Connection>()
  readonly #peers: PeerTable | undefined
  /** What plain connections read into; undefined where a layer or a filter stands before the frames. */
  readonly #sharedReads: Buffer | undefined
  #server: Server | undefined
  #transport: Transport | undefined
  #closing: Promise<void> | undefined

  constructor(options: AvroRpcServerOptions) {
    this.#options = options
    this.#limits = serverLimits(options.limits)
    this.#admission = new Admission(this.#limits.maxPendingBytes)
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    this.#reports = new RateLimit({ intervalMs: REPORT_INTERVAL_MS, clock: this.#clock })
    this.#peers = this.#peerTable()
    const isPlain = !options.tls && (options.compression ?? 'none') === 'none'
    if (isPlain && !options.accepts) this.#sharedReads = Buffer.allocUnsafeSlow(SHARED_READ_BYTES)
  }

  #peerTable(): PeerTable | undefined {
    const { quotas } = this.#options
    if (!quotas || Object.values(quotas).every((quota) => quota === 0)) return undefined
    const refused = (text: string) => this.#logger.warn(text)
    return new PeerTable({ quotas, clock: this.#clock, refused })
  }

  /** Connections that are open now. */
  get connectionCount(): number {
    return this.#connections.size
  }

  /** Octets of unfinished frames and unanswered calls over all connections. */
  get pendingBytes(): number {
    return this.#admission.heldBytes
  }

  /**
   * Begins to accept. A server listens once in its life.
   * @throws LifecycleError `MILLRACE_LIFECYCLE_START_FAILED` when the port or the certificate cannot
   *   be used, `MILLRACE_LIFECYCLE_STATE` when it has listened or was closed before.
   */
  async listen(): Promise<{ host: string; port: number }> {
    if (this.#server || this.#closing) {
      throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', 'The server has been used already')
    }
    const { host, port, tls, compression = 'none' } = this.#options
    const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true })
    this.#server = server
    try {
      const { handshakeTimeoutMs } = this.#limits
      this.#transport = new Transport({ tls, compression, handshakeTimeoutMs })
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        // Closed in between, it neither listens nor fails.
        server.once('close', () => reject(new Error('closed before it listened')))
        server.listen({ host, port, backlog: BACKLOG }, resolve)
      })
    } catch (error) {
      throw new LifecycleError(
        'MILLRACE_LIFECYCLE_START_FAILED',
        `Cannot listen on ${host}:${port}: ${messageOf(error)}`,
        { cause: error },
      )
    }
    server.maxConnections = this.#limits.maxConnections
    server.on('error', (error) => this.#logger.error('accept failed', error))
    server.on('connection', (socket) => this.#accept(socket))
    server.on('drop', (peer) => {
      const from = `${peer?.remoteAddress}:${peer?.remotePort}`
      this.#report('drop', `refused ${from}: ${this.#limits.maxConnections} connections are open`)
    })
    const address = server.address()
    if (address === null || typeof address === 'string') return { host, port }
    return { host: address.address, port: address.port }
  }

  /**
   * Stops accepting and reading, answers the calls that were begun, and closes. What is open at the
   * deadline is cut off.
   */
  close(options: { deadlineMs: number }): Promise<void> {
    this.#closing ??= this.#close(options.deadlineMs)
    return this.#closing
  }

  /**
   * Gives new connections other keys, certificates and protocols; those that are open stay as they are.
   * A server without TLS stays without.
   * @throws Error of Node when key or certificate cannot be used; the old ones stay.
   */
  renewTls(tls: ServerTlsOptions): void {
    if (this.#options.tls) this.#transport?.renewTls(tls)
  }

  /**
   * Cuts off every connection that is open now, without answers, and goes on accepting.
   * @param last octets that each is sent before, as they are: the beginning of an answer, for a test.
   */
  disconnect(last?: Uint8Array): void {
    for (const { socket } of this.#connections) {
      if (last === undefined) socket.destroy()
      else socket.write(last, () => socket.destroy())
    }
  }

  async #close(deadlineMs: number): Promise<void> {
    const server = this.#server
    if (!server) return
    const closed = [
      new Promise<void>((resolve) => void server.close(() => resolve())),
      ...[...this.#connections].map(
        ({ socket }) => new Promise<void>((resolve) => void socket.once('close', () => resolve())),
      ),
    ]
    for (const connection of this.#connections) {
      if (connection.session) connection.session.finish(LINGER_MS)
      else connection.socket.destroy()
    }
    const timer = this.#clock.after(deadlineMs, () => {
      for (const { socket } of this.#connections) socket.destroy()
    })
    await Promise.all(closed)
    timer.cancel()
  }

  #accept(accepted: Socket): void {
    let connection: Connection | undefined
    const shared = this.#sharedReads
    const moved = shared && readDirectly(accepted, shared, () => connection?.session)
    connection = this.#connect(moved ?? accepted)
  }

  #connect(socket: Socket): Connection | undefined {
    const { remoteAddress } = socket
    if (remoteAddress === undefined) {
      socket.destroy()
      return undefined
    }
    const account = this.#peers?.connected(remoteAddress)
    if (this.#peers && !account) {
      socket.destroy()
      return undefined
    }
    const peer = `${remoteAddress}:${socket.remotePort}`
    const connection: Connection = { socket, peer, account }
    this.#connections.add(connection)
    this.#options.connectionsChanged?.(this.#connections.size)
    socket.on('error', (error) => this.#logger.debug(`connection of ${connection.peer}`, error))
    socket.once('close', () => {
      this.#connections.delete(connection)
      if (account) this.#peers?.disconnected(account)
      this.#options.connectionsChanged?.(this.#connections.size)
    })
    const accepted = this.#options.accepts?.(remoteAddress) ?? true
    if (accepted === true) this.#open(connection, remoteAddress)
    else if (accepted === false) this.#refuse(connection)
    else {
      accepted.then(
        (late) => (late ? this.#open(connection, remoteAddress) : this.#refuse(connection)),
        (error: unknown) => {
          this.#reportPeer(connection, error)
          socket.destroy()
        },
      )
    }
    return connection
  }

  #refuse(connection: Connection): void {
    connection.socket.destroy()
    this.#report('filter', `refused ${connection.peer}: it is filtered`)
  }

  #open(connection: Connection, remoteAddress: string): void {
    if (connection.socket.destroyed || this.#closing) {
      connection.socket.destroy()
      return
    }
    this.#transport?.open(connection.socket, {
      opened: (stream) => {
        connection.session = this.#startSession(connection, stream, remoteAddress)
      },
      failed: (error) => {
        this.#reportPeer(connection, error)
        connection.socket.destroy()
      },
    })
  }

  #startSession(connection: Connection, stream: Duplex, remoteAddress: string): Session {
    return new Session(stream, remoteAddress, {
      handler: this.#options.handler,
      limits: this.#limits,
      admission: this.#admission,
      protocols: this.#protocols,
      clock: this.#clock,
      account: connection.account,
      unreadable: (error) => {
        this.#report(`${remoteAddress} call`, `answered ${connection.peer} with an error`, error)
      },
      broken: (error) => this.#reportPeer(connection, error),
      ended: () => connection.socket.destroy(),
    })
  }

  #reportPeer({ peer, socket }: Connection, error: unknown): void {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
    // A peer that goes away is everyday life.
    if (code === 'ECONNRESET' || code === 'EPIPE') this.#logger.debug(`lost ${peer}`, error)
    else this.#report(`${socket.remoteAddress} ${String(code)}`, `closed ${peer}`, error)
  }

  #report(key: string, what: string, error?: unknown): void {
    const held = this.#reports.admit(key)
    if (held === undefined) return
    this.#logger.warn(held > 0 ? `${what} (and ${held} times before)` : what, error)
  }
}
