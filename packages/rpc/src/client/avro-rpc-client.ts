import { AvroRpcConnection, type AvroRpcConnectionOptions } from './avro-rpc-connection.js'
import type { RpcCallOptions, RpcClient } from './rpc-client.js'
import { Turns } from './turns.js'
import type { MessageName } from '../protocol/request-decoder.js'
import type { EventBatch } from '@millrace/event'
import { type Clock, MillraceError, RpcError, systemClock, throwIfAborted } from '@millrace/runtime'

export interface AvroRpcClientOptions extends AvroRpcConnectionOptions {
  /** Connecting, and the whole first call with its handshake, in milliseconds. Default 20,000. */
  readonly connectTimeoutMs?: number | undefined
  /** Each later call, in milliseconds. Default 20,000. */
  readonly requestTimeoutMs?: number | undefined
  /** Most events of one call. Default 100. */
  readonly batchSize?: number | undefined
}

export const DEFAULT_TIMEOUT_MS = 20_000
export const DEFAULT_BATCH_SIZE = 100

/**
 * Flume's client of one agent (NettyAvroRpcClient): one call on its way at a time, so that the order
 * of calls is the order of events. Connects at the first call if {@link AvroRpcClient.connect} was
 * not called. After any failure it is dead for good: close it and make a new one. Only a call that
 * its signal gave up after the handshake leaves it alive.
 */
export class AvroRpcClient implements RpcClient {
  readonly #connection: AvroRpcConnection
  readonly #clock: Clock
  readonly #connectTimeoutMs: number
  readonly #requestTimeoutMs: number
  readonly #batchSize: number
  readonly #turns = new Turns()
  #connected: Promise<void> | undefined
  #death: MillraceError | undefined
  #isClosed = false

  constructor(options: AvroRpcClientOptions) {
    this.#connection = new AvroRpcConnection(options)
    this.#clock = options.clock ?? systemClock
    this.#connectTimeoutMs = options.connectTimeoutMs ?? DEFAULT_TIMEOUT_MS
    this.#requestTimeoutMs = options.requestTimeoutMs ?? DEFAULT_TIMEOUT_MS
    this.#batchSize = options.batchSize ?? DEFAULT_BATCH_SIZE
  }

  get isActive(): boolean {
    if (this.#isClosed || this.#death) return false
    // A connection that ended while nobody called is noticed here, before events are lost in it.
    return this.#connected === undefined || !this.#connection.isClosed
  }

  /** Most events of one call. */
  get batchSize(): number {
    return this.#batchSize
  }

  /**
   * Connects, if that has not been done. The handshake comes with the first call.
   * @throws RpcError; the client is dead then. AbortError likewise.
   */
  async connect(options: RpcCallOptions = {}): Promise<void> {
    this.#check()
    const { signal } = options
    this.#connected ??= this.#connection.connect({ timeoutMs: this.#connectTimeoutMs, signal })
    try {
      await this.#connected
    } catch (error) {
      this.#die(error)
      throw error
    }
  }

  append(batch: EventBatch, options: RpcCallOptions = {}): Promise<void> {
    return this.#turns.run(() => this.#call('append', batch, options), options.signal)
  }

  appendBatch(batch: EventBatch, options: RpcCallOptions = {}): Promise<void> {
    if (batch.size === 0) return Promise.resolve()
    const size = this.#batchSize
    if (batch.size <= size) {
      return this.#turns.run(() => this.#call('appendBatch', batch, options), options.signal)
    }
    return this.#turns.run(async () => {
      for (let start = 0; start < batch.size; start += size) {
        const end = Math.min(start + size, batch.size)
        await this.#call('appendBatch', batch.slice(start, end), options)
      }
    }, options.signal)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#connection.close()
  }

  /** Keeps the process alive again, while the connection is open. */
  ref(): void {
    this.#connection.ref()
  }

  /** Lets the process end though the connection is open. */
  unref(): void {
    this.#connection.unref()
  }

  async #call(name: MessageName, batch: EventBatch, { signal }: RpcCallOptions): Promise<void> {
    this.#check()
    throwIfAborted(signal)
    const isFirst = !this.#connection.isEstablished
    const begunMs = this.#clock.monotonic()
    let timeoutMs = this.#requestTimeoutMs
    if (isFirst) {
      timeoutMs = this.#connectTimeoutMs
      if (!this.#connection.isOpen) {
        await this.connect({ signal })
        timeoutMs -= Math.floor(this.#clock.monotonic() - begunMs)
      }
    }
    const timeoutText = isFirst ? 'Handshake timed out' : undefined
    try {
      await this.#connection.call(name, batch, { timeoutMs, signal, timeoutText })
    } catch (error) {
      if (!(error instanceof RangeError)) this.#die(error)
      throw error
    }
  }

  #check(): void {
    if (this.#isClosed) throw new RpcError('MILLRACE_RPC_CLOSED', 'The client is closed')
    if (!this.#death) return
    const text = `The client is dead: ${this.#death.message}`
    throw new RpcError('MILLRACE_RPC_CLOSED', text, { cause: this.#death })
  }

  #die(error: unknown): void {
    const isGivenUp = MillraceError.is(error) && error.code === 'MILLRACE_ABORTED'
    if (isGivenUp && this.#connection.isOpen) return
    this.#death ??= MillraceError.is(error)
      ? error
      : new RpcError('MILLRACE_RPC_CLOSED', 'The call failed', { cause: error })
    // Its owner closes it later, or never; the socket need not wait for that.
    void this.#connection.close()
  }
}
