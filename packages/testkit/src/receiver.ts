/** A receiver for tests: a real server of Flume's Avro RPC that keeps what it gets in memory. */
import type { EventBatch } from '@millrace/event'
import { AvroRpcServer, type ServerTlsOptions } from '@millrace/rpc'
import { ChannelError } from '@millrace/runtime'

/** One event that was received and acknowledged. */
export interface ReceivedEvent {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** The body read as UTF-8. */
  readonly text: string
}

/**
 * What a call meets:
 * - `ok`: the events are kept and acknowledged.
 * - `fail`: nothing is kept; the answer is FAILED, as from a full channel.
 * - `hang`: nothing is kept and no answer comes, ever.
 * - `drop`: nothing is kept; every connection is cut.
 * - `keep-then-drop`: the events are kept and every connection is cut, so that a sender which cannot
 *   know it sends them again.
 * - `keep-then-hang`: the events are kept and no answer comes, ever: the reply is lost.
 * - `cut-mid-frame`: nothing is kept; the answer begins, and every connection is cut in its middle.
 */
export type ReceiverResponse =
  | 'ok'
  | 'fail'
  | 'hang'
  | 'drop'
  | 'keep-then-drop'
  | 'keep-then-hang'
  | 'cut-mid-frame'

/** One step of a script: what a call meets, and after how long. */
export type ReceiverStep =
  | ReceiverResponse
  | { readonly response?: ReceiverResponse; readonly delayMs: number }

/** The head of a frame and a part of the first buffer's length. */
const HALF_AN_ANSWER = Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, 0)

/** One call as it came in. */
export interface ReceivedCall {
  /** Number of events. */
  readonly size: number
  readonly remoteAddress: string
  readonly response: ReceiverResponse
}

export interface MockReceiverOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  readonly tls?: ServerTlsOptions
  /** Must be the sender's. Default none. */
  readonly compression?: 'none' | 'deflate'
}

export interface WaitForOptions {
  /** Milliseconds until the wait fails. Default 5,000. */
  readonly timeoutMs?: number
}

/** What decides for each call; it may take its time. */
export type Respond = (
  events: readonly ReceivedEvent[],
) => ReceiverResponse | Promise<ReceiverResponse>

/** Listens on a port of its own. @throws LifecycleError when the port cannot be used. */
export async function mockReceiver(options: MockReceiverOptions = {}): Promise<MockReceiver> {
  const receiver = new MockReceiver(options)
  await receiver.reopen()
  return receiver
}

const answerOk: Respond = () => 'ok'

/** A running receiver; made by {@link mockReceiver}. */
export class MockReceiver {
  readonly #options: MockReceiverOptions
  #server: AvroRpcServer | undefined
  #host: string
  #port: number
  readonly #events: ReceivedEvent[] = []
  readonly #calls: ReceivedCall[] = []
  #respond: Respond = answerOk
  #failures = 0
  #script: ReceiverStep[] = []
  #isRefusing = false
  readonly #waiting = new Set<() => void>()

  constructor(options: MockReceiverOptions) {
    this.#options = options
    this.#host = options.host ?? '127.0.0.1'
    this.#port = options.port ?? 0
  }

  get host(): string {
    return this.#host
  }

  /** The port that it listens on; the same after {@link MockReceiver.reopen}. */
  get port(): number {
    return this.#port
  }

  /** `host:port`, as the appenders' `hosts` option takes it. */
  get address(): string {
    return this.#host.includes(':')
      ? `[${this.#host}]:${this.#port}`
      : `${this.#host}:${this.#port}`
  }

  /** The events that were kept, in order. */
  get events(): readonly ReceivedEvent[] {
    return this.#events
  }

  /** All calls, failed ones too, in order. */
  get calls(): readonly ReceivedCall[] {
    return this.#calls
  }

  /** Connections that are open now. */
  get connectionCount(): number {
    return this.#server?.connectionCount ?? 0
  }

  /**
   * Resolves with all events as soon as at least `count` are there.
   * @throws Error with the number that did come when the time is over.
   */
  waitFor(count: number, options: WaitForOptions = {}): Promise<readonly ReceivedEvent[]> {
    const { timeoutMs = 5_000 } = options
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.#events.length < count) return
        this.#waiting.delete(look)
        clearTimeout(timer)
        resolve(this.#events)
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(look)
        const came = `${this.#events.length} of ${count} events came within ${timeoutMs} ms`
        reject(new Error(`${came}; ${this.#calls.length} calls were made`))
      }, timeoutMs)
      this.#waiting.add(look)
      look()
    })
  }

  /** Answers the next calls FAILED; then goes on as before. */
  failNext(calls = 1): void {
    this.#failures += calls
  }

  /** What the next calls meet, one step each; behind them `respond` decides again. A new script takes its place. */
  script(steps: readonly ReceiverStep[]): void {
    this.#script = [...steps]
  }

  /** Steps of the script that no call has met yet. */
  get stepsLeft(): number {
    return this.#script.length
  }

  /** While true, new connections are closed as soon as they are made. Those that are open stay. */
  get refuse(): boolean {
    return this.#isRefusing
  }

  set refuse(isRefusing: boolean) {
    this.#isRefusing = isRefusing
  }

  /** Decides what each call meets from now on. Without an argument, every call is answered OK. */
  respond(respond: Respond | ReceiverResponse = answerOk): void {
    this.#respond = typeof respond === 'string' ? () => respond : respond
  }

  /** Forgets the events and calls so far. */
  clear(): void {
    this.#events.length = 0
    this.#calls.length = 0
  }

  /** Cuts every connection that is open now. */
  disconnect(): void {
    this.#server?.disconnect()
  }

  /** Cuts all connections and gives the port free. Closing twice does nothing more. */
  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await server?.close({ deadlineMs: 0 })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Listens again, on the port that it had, after a close: a receiver that comes back. */
  async reopen(): Promise<void> {
    await this.close()
    const { tls, compression } = this.#options
    const take = (batch: EventBatch, call: { remoteAddress: string }) => this.#take(batch, call)
    const server = new AvroRpcServer({
      host: this.#host,
      port: this.#port,
      handler: { append: take, appendBatch: take },
      accepts: () => !this.#isRefusing,
      ...(tls && { tls }),
      ...(compression && { compression }),
    })
    const { host, port } = await server.listen()
    this.#server = server
    this.#host = host
    this.#port = port
  }

  async #take(batch: EventBatch, call: { readonly remoteAddress: string }): Promise<void> {
    const events = eventsOf(batch)
    const response = await this.#choose(events)
    this.#calls.push({ size: batch.size, remoteAddress: call.remoteAddress, response })
    if (response === 'fail') {
      throw new ChannelError('MILLRACE_CHANNEL_FULL', 'The receiver was told to fail')
    }
    if (response === 'ok' || response.startsWith('keep-')) {
      this.#events.push(...events)
      for (const look of this.#waiting) look()
    }
    if (response === 'ok') return
    if (response === 'cut-mid-frame') this.#server?.disconnect(HALF_AN_ANSWER)
    else if (!response.endsWith('hang')) this.disconnect()
    await new Promise<never>(() => {})
  }

  #choose(events: readonly ReceivedEvent[]): ReceiverResponse | Promise<ReceiverResponse> {
    const step = this.#script.shift()
    if (step !== undefined) return this.#step(step, events)
    if (this.#failures === 0) return this.#respond(events)
    this.#failures -= 1
    return 'fail'
  }

  async #step(step: ReceiverStep, events: readonly ReceivedEvent[]): Promise<ReceiverResponse> {
    if (typeof step === 'string') return step
    await new Promise((resolve) => setTimeout(resolve, step.delayMs))
    return step.response ?? this.#respond(events)
  }
}

function eventsOf(batch: EventBatch): ReceivedEvent[] {
  return Array.from({ length: batch.size }, (_, i) => {
    // A copy: a view would keep the whole batch alive as long as a test holds one event.
    const body = Buffer.from(batch.bodyAt(i))
    return { headers: { ...batch.headersAt(i) }, body, text: body.toString() }
  })
}
