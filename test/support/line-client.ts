import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { until } from './until.js'

/** A TCP client that keeps what it is told. */
export class LineClient {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #isClosed = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#isClosed = true
    })
  }

  static async connect(port: number): Promise<LineClient> {
    const client = new LineClient(connect({ host: '127.0.0.1', port, allowHalfOpen: true }))
    await once(client.socket, 'connect')
    return client
  }

  get bytes(): Buffer {
    return this.#received
  }

  get text(): string {
    return this.#received.toString()
  }

  send(data: string | Buffer): void {
    this.socket.write(data)
  }

  end(): void {
    this.socket.end()
  }

  async told(text: string): Promise<void> {
    await until(() => this.text.length >= text.length, {
      what: () => `${JSON.stringify(text)}, got ${JSON.stringify(this.text)}`,
    })
  }

  async closed(): Promise<void> {
    // The server's end is what counts; a half-open client must give its own.
    await until(() => this.#isClosed || this.socket.readableEnded, {
      what: 'the connection closes',
    })
    this.socket.destroy()
  }
}
