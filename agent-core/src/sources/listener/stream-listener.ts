import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type SecureContextOptions } from 'node:tls'
import { type Clock, withDeadline } from '@millrace/runtime'
import { closeServer, listenOn } from '../listening.js'

/** Connections beyond this number are closed right after they are accepted. */
const MAX_CONNECTIONS = 16_384
/** How long a peer may take for the TLS handshake, in milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 30_000

/** One client of a {@link StreamListener}. */
export interface StreamConnection {
  /** Resolves when it is gone. */
  readonly closed: Promise<void>
  /** Reads no more, brings what is at hand to its end, and closes. */
  end(): void
  /** Closes at once. */
  destroy(): void
}

export interface StreamListenerOptions {
  /** Address or host name; undefined is every address of the machine. */
  readonly host: string | undefined
  readonly port: number
  readonly tls: SecureContextOptions | undefined
  readonly clock: Clock
  readonly connect: (socket: Socket) => StreamConnection
  /** Told the number of connections when it changes. */
  readonly connectionsChanged: (change: 1 | -1) => void
  readonly onError: (error: Error) => void
}

/** A TCP port, with or without TLS, and the connections that it has accepted. */
export class StreamListener {
  readonly #options: StreamListenerOptions
  readonly #connections = new Set<StreamConnection>()
  /** All sockets, those in their handshake too. */
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

  constructor(options: StreamListenerOptions) {
    this.#options = options
  }

  /** The port that it listens on; undefined when it does not. */
  get port(): number | undefined {
    const address = this.#server?.address()
    return typeof address === 'object' ? address?.port : undefined
  }

  /** @throws LifecycleError when the address cannot be listened on. */
  async start(signal: AbortSignal): Promise<void> {
    const { host, port, onError } = this.#options
    const server = this.#create()
    server.maxConnections = MAX_CONNECTIONS
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#server = server
    await listenOn(server, { bind: host, port }, signal)
    server.on('error', onError)
  }

  /** Lets connections bring to their end what they hold; at the deadline it cuts them off. */
  async stop(options: { readonly deadlineMs: number; onLate(): void }): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    for (const connection of this.#connections) connection.end()
    const ended = this.#end(server)
    const onLate = () => {
      options.onLate()
      for (const connection of this.#connections) connection.destroy()
      for (const socket of this.#sockets) socket.destroy()
    }
    await withDeadline(ended, options.deadlineMs, onLate, this.#options.clock)
  }

  async #end(server: Server): Promise<void> {
    const closing = server.listening ? closeServer(server) : undefined
    await Promise.all(Array.from(this.#connections, (each) => each.closed))
    // Those that are in their handshake have nothing to end.
    for (const socket of this.#sockets) socket.destroy()
    await closing
  }

  #create(): Server {
    const { tls } = this.#options
    if (!tls) return createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket))
    const server = createTlsServer(
      {
        ...tls,
        allowHalfOpen: true,
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      },
      (socket) => this.#accept(socket),
    )
    // A peer that breaks its handshake off concerns nobody else.
    return server.on('tlsClientError', (_, socket) => socket.destroy())
  }

  async #forget(connection: StreamConnection): Promise<void> {
    await connection.closed
    this.#connections.delete(connection)
    this.#options.connectionsChanged(-1)
  }

  #accept(socket: Socket): void {
    if (!this.#server) {
      socket.destroy()
      return
    }
    const connection = this.#options.connect(socket)
    this.#connections.add(connection)
    this.#options.connectionsChanged(1)
    void this.#forget(connection)
  }
}
