import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { FaultPipe, type Faults } from './fault-pipe.js'

export interface FaultProxyOptions {
  /** The server behind the proxy. */
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Sees each connection before a byte of it has passed, with its number, from 0. */
  readonly onConnection?: (connection: FaultConnection, index: number) => void
}

/** A TCP proxy on 127.0.0.1 that does to connections what networks do. */
export class FaultProxy {
  /** Faults of the direction from clients to the server; may be set at any time. */
  toServer: Faults = {}
  /** Faults of the direction from the server to clients; may be set at any time. */
  toClient: Faults = {}
  /** Whether new connections are reset at once. */
  refuse = false
  readonly #options: FaultProxyOptions
  readonly #server: Server
  readonly #connections = new Set<FaultConnection>()
  #accepted = 0

  private constructor(options: FaultProxyOptions) {
    this.#options = options
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) =>
      this.#accept(client),
    )
  }

  /** Listens on a free port. */
  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** Where clients connect. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Connections that are open, in the order in which they came. */
  get connections(): readonly FaultConnection[] {
    return [...this.#connections]
  }

  /** Connections that were accepted since the start, refused ones not among them. */
  get acceptedCount(): number {
    return this.#accepted
  }

  /** Cuts all connections with a reset. */
  resetAll(): void {
    for (const connection of this.#connections) connection.reset()
  }

  /** Cuts all connections and listens no more. Closing twice does nothing more. */
  async close(): Promise<void> {
    this.resetAll()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #accept(client: Socket): void {
    if (this.refuse) {
      client.resetAndDestroy()
      return
    }
    const { host = '127.0.0.1', port, onConnection } = this.#options
    const server = connect({ host, port, allowHalfOpen: true, noDelay: true })
    const connection = new FaultConnection(client, server, this)
    this.#connections.add(connection)
    void connection.closed.then(() => this.#connections.delete(connection))
    onConnection?.(connection, this.#accepted)
    this.#accepted += 1
    connection.start()
  }
}

/** One client, its connection to the server, and the faults between them. */
export class FaultConnection {
  /** Faults of this connection alone, instead of the proxy's; may be set at any time. */
  toServer: Faults | undefined
  toClient: Faults | undefined
  /** Resolves when both sides are closed. */
  readonly closed: Promise<void>
  readonly #client: Socket
  readonly #server: Socket
  readonly #proxy: FaultProxy

  constructor(client: Socket, server: Socket, proxy: FaultProxy) {
    this.#client = client
    this.#server = server
    this.#proxy = proxy
    this.closed = Promise.all([closeOf(client, server), closeOf(server, client)]).then(
      () => undefined,
    )
  }

  start(): void {
    const end = (how: 'reset' | 'close') => this[how]()
    const [client, server] = [this.#client, this.#server]
    const toServer = new FaultPipe({
      from: client,
      to: server,
      faults: () => this.toServer ?? this.#proxy.toServer,
      end,
    })
    const toClient = new FaultPipe({
      from: server,
      to: client,
      faults: () => this.toClient ?? this.#proxy.toClient,
      end,
    })
    // A side that breaks has its `close`, which cuts the other.
    for (const pipe of [toServer, toClient]) pipe.run().catch(() => this.reset())
  }

  /** Cuts both sides with a reset. */
  reset(): void {
    this.#client.resetAndDestroy()
    this.#server.resetAndDestroy()
  }

  /** Closes both sides. */
  close(): void {
    this.#client.destroySoon()
    this.#server.destroySoon()
  }

  /** Tells one side that no more will come; the other direction goes on. */
  halfClose(side: 'client' | 'server'): void {
    if (side === 'client') this.#client.end()
    else this.#server.end()
  }
}

/** Resolves when the socket is closed; when it broke, the other side is reset too. */
function closeOf(socket: Socket, other: Socket): Promise<void> {
  let isBroken = false
  socket.on('error', () => {
    isBroken = true
  })
  return new Promise((resolve) => {
    socket.once('close', () => {
      if (isBroken) other.resetAndDestroy()
      resolve()
    })
  })
}
