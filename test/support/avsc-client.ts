/** An independent client of Flume's RPC, made of avsc alone. */
import { connect, type Socket } from 'node:net'
import avsc from 'avsc'

export interface PlainEvent {
  readonly headers: Record<string, string>
  readonly body: Buffer
}

interface AvscClient {
  append(event: PlainEvent, done: (error: Error | null, status?: string) => void): void
  appendBatch(
    events: readonly PlainEvent[],
    done: (error: Error | null, status?: string) => void,
  ): void
}

const PROTOCOL = {
  protocol: 'AvroSourceProtocol',
  namespace: 'org.apache.flume.source.avro',
  types: [
    { type: 'enum', name: 'Status', symbols: ['OK', 'FAILED', 'UNKNOWN'] },
    {
      type: 'record',
      name: 'AvroFlumeEvent',
      fields: [
        { name: 'headers', type: { type: 'map', values: 'string' } },
        { name: 'body', type: 'bytes' },
      ],
    },
  ],
  messages: {
    append: { request: [{ name: 'event', type: 'AvroFlumeEvent' }], response: 'Status' },
    appendBatch: {
      request: [{ name: 'events', type: { type: 'array', items: 'AvroFlumeEvent' } }],
      response: 'Status',
    },
  },
}

/** Sends batches and tells the status: `OK`, `FAILED`. An interrupted call rejects. */
export class AvscRpcClient {
  readonly #socket: Socket
  readonly #client: AvscClient
  readonly #lost: Promise<never>

  /** @param socket is connecting or connected; default one to 127.0.0.1. */
  constructor(port: number, socket: Socket = connect({ host: '127.0.0.1', port, noDelay: true })) {
    this.#socket = socket
    const service = avsc.Service.forProtocol(PROTOCOL)
    const client = service.createClient({ timeout: 0 })
    client.createChannel(this.#socket)
    this.#client = client as unknown as AvscClient
    this.#lost = new Promise((_, reject) => {
      this.#socket.once('error', reject)
      this.#socket.once('close', () => reject(new Error('The connection is lost')))
    })
    this.#lost.catch(() => {})
  }

  append(event: PlainEvent): Promise<string> {
    return this.#call((done) => this.#client.append(event, done))
  }

  appendBatch(events: readonly PlainEvent[]): Promise<string> {
    return this.#call((done) => this.#client.appendBatch(events, done))
  }

  close(): void {
    this.#socket.destroy()
  }

  #call(begin: (done: (error: Error | null, status?: string) => void) => void): Promise<string> {
    const answer = new Promise<string>((resolve, reject) => {
      begin((error, status) => {
        if (error) reject(error)
        else resolve(status ?? '')
      })
    })
    return Promise.race([answer, this.#lost])
  }
}

export function plainEvents(...texts: string[]): PlainEvent[] {
  return texts.map((text) => ({ headers: { text }, body: Buffer.from(text) }))
}
