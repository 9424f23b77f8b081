import { createServer, connect, type Server, type Socket } from 'node:net'
import { until } from '../until.js'

/** One end of a TCP connection that knows nothing of Flume: it writes what it is told and keeps what comes. */
export class RawPeer {
  readonly socket: Socket
  received = Buffer.alloc(0)
  /** The other side sent its last octet. */
  hasEnded = false
  isClosed = false
  #taken = 0

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk])
    })
    socket.on('end', () => {
      this.hasEnded = true
    })
    socket.on('close', () => {
      this.isClosed = true
    })
    socket.on('error', () => {
      this.isClosed = true
    })
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<RawPeer> {
    const socket = connect({ port, host, noDelay: true, allowHalfOpen: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new RawPeer(socket)
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  /** Writes each part alone, so that the other side reads it alone as far as the system lets it. */
  async writeParts(parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      await new Promise<void>((resolve) => {
        this.socket.write(part, () => setImmediate(resolve))
      })
    }
  }

  /** The next `length` octets. */
  async read(length: number): Promise<Buffer> {
    const start = this.#taken
    await until(() => this.received.length >= start + length || this.hasEnded || this.isClosed, {
      what: () => `${length} octets, after ${this.received.subarray(start).toString('hex')}`,
    })
    this.#taken = Math.min(start + length, this.received.length)
    return this.received.subarray(start, this.#taken)
  }

  /** The next frame: its serial, and its buffers. */
  async readFrame(): Promise<{ serial: number; buffers: Buffer[]; message: Buffer }> {
    const head = await this.read(8)
    if (head.length < 8) throw new Error('The connection ended in place of a frame')
    const buffers: Buffer[] = []
    for (let left = head.readInt32BE(4); left > 0; left -= 1) {
      buffers.push(await this.read((await this.read(4)).readInt32BE(0)))
    }
    return { serial: head.readInt32BE(0), buffers, message: Buffer.concat(buffers) }
  }

  /** Octets that came and were not read. */
  get unread(): Buffer {
    return this.received.subarray(this.#taken)
  }

  async closed(): Promise<void> {
    await until(() => this.hasEnded || this.isClosed, { what: 'the other side closes' })
  }

  destroy(): void {
    this.socket.destroy()
  }
}

/** A TCP server whose connections a test plays by hand. */
export class RawServer {
  readonly peers: RawPeer[] = []
  readonly #server: Server
  #next = 0

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => this.peers.push(new RawPeer(socket)))
  }

  static async listen(port = 0): Promise<RawServer> {
    const server = createServer({ noDelay: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    return new RawServer(server)
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  /** The next connection. */
  async accept(): Promise<RawPeer> {
    const index = this.#next
    this.#next += 1
    return until(() => this.peers[index], { what: 'a connection' })
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.destroy()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}
