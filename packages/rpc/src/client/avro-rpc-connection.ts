/**
 * One TCP connection to an agent, with any number of calls on their way.
 *
 *     call ─ waits while the handshake runs ─ frame → stream
 *     stream → FrameReader → answer by serial → the call's promise
 *
 * The first call carries the handshake, once, and the others wait for its answer: a server takes what
 * is behind the first for calls without one. A call given up by its signal stays in the table until
 * its late answer comes, which is dropped. A call that reaches its time limit closes the connection,
 * and so does an answer to a serial that is not in the table.
 */
import { FrameReader } from '../framing/frame-reader.js'
import { EnvelopeReader } from '../protocol/avro-primitives.js'
import { encodeHandshakeRequest, readHandshakeResponse } from '../protocol/handshake.js'
import { encodeRequest } from '../protocol/request.js'
import type { MessageName } from '../protocol/request-decoder.js'
import { type Outcome, readOutcome } from '../protocol/response.js'
import { SOURCE_PROTOCOL_HASH } from '../protocol/source-protocol.js'
import { ClientCall } from './client-call.js'
import { type Connecting, type ConnectionOptions, openConnection } from './connector.js'
import type { EventBatch } from '@millrace/event'
import {
  AbortError,
  abortReason,
  type Clock,
  type Logger,
  MillraceError,
  messageOf,
  RpcError,
  silentLogger,
  systemClock,
} from '@millrace/runtime'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export interface AvroRpcConnectionOptions extends ConnectionOptions {
  readonly logger?: Logger | undefined
  readonly clock?: Clock | undefined
  /** Most octets of one answer; more closes the connection. Default 1 MiB. */
  readonly maxAnswerBytes?: number | undefined
}

/** A call or a connect: how long it may take, and what gives it up. */
export interface AttemptOptions {
  /** In milliseconds; for a call, waiting for the handshake included. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** What the error says when the time is over. */
  readonly timeoutText?: string | undefined
}

const MAX_ANSWER_BYTES = 1_048_576
const MAX_ANSWER_BUFFERS = 1_024
/** How long a server may take to close its side after we closed ours, in milliseconds. */
const LINGER_MS = 500

export class AvroRpcConnection {
  readonly #options: AvroRpcConnectionOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #reader: FrameReader
  readonly #calls = new Map<number, ClientCall>()
  #waiting: ClientCall[] = []
  #connecting: Connecting | undefined
  #socket: Socket | undefined
  #stream: Duplex | undefined
  #handshake: 'due' | 'running' | 'repeated' | 'done' = 'due'
  #serverHash: Buffer = SOURCE_PROTOCOL_HASH
  #serial = 0
  #closed: { readonly error: MillraceError } | undefined

  constructor(options: AvroRpcConnectionOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    this.#reader = new FrameReader({
      maxFrameBytes: options.maxAnswerBytes ?? MAX_ANSWER_BYTES,
      maxBuffersPerFrame: MAX_ANSWER_BUFFERS,
    })
  }

  /** Whether calls can be made. */
  get isOpen(): boolean {
    return this.#stream !== undefined && !this.#closed
  }

  /** Whether it has ended, for whatever reason. It never opens again. */
  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  /** Calls without an answer, those that were given up included. */
  get inFlightCount(): number {
    return this.#calls.size + this.#waiting.length
  }

  /** Whether the handshake has been answered. */
  get isEstablished(): boolean {
    return this.#handshake === 'done'
  }

  /**
   * Opens TCP, TLS and zlib. A connection connects once in its life.
   * @throws RpcError `MILLRACE_RPC_CONNECT`, `MILLRACE_RPC_TIMEOUT`, `MILLRACE_RPC_CLOSED`; AbortError.
   */
  async connect(options: AttemptOptions): Promise<void> {
    this.#throwIfClosed()
    if (this.#connecting) throw new RpcError('MILLRACE_RPC_CLOSED', 'Connected once already')
    const { signal, timeoutMs } = options
    if (signal?.aborted) throw abortReason(signal)
    const connecting = openConnection(this.#options, this.#logger)
    this.#connecting = connecting
    const text = `Cannot connect to ${this.#peer} within ${timeoutMs} ms`
    const onLate = () => connecting.cancel(new RpcError('MILLRACE_RPC_TIMEOUT', text))
    const timer = this.#clock.after(timeoutMs, onLate, { ref: false })
    const onAbort = () => connecting.cancel(abortReason(signal))
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const { socket, stream } = await connecting.opened
      if (this.isClosed) stream.destroy()
      else this.#opened(socket, stream)
    } catch (error) {
      this.#close(MillraceError.is(error) ? error : new RpcError('MILLRACE_RPC_CONNECT', text))
      throw error
    } finally {
      timer.cancel()
      signal?.removeEventListener('abort', onAbort)
    }
    this.#throwIfClosed()
  }

  /**
   * Sends one call and waits for its answer. `append` takes a batch of exactly one event.
   * @throws RpcError `MILLRACE_RPC_REMOTE_FAILED` when the agent refused, `MILLRACE_RPC_TIMEOUT`,
   *   `MILLRACE_RPC_CLOSED` when the connection ended first; AbortError when the signal gave it up.
   */
  call(name: MessageName, batch: EventBatch, options: AttemptOptions): Promise<void> {
    const { signal, timeoutMs, timeoutText = 'RPC request timed out' } = options
    if (this.#closed) return Promise.reject(this.#closed.error)
    if (!this.#stream) return Promise.reject(new RpcError('MILLRACE_RPC_CLOSED', 'Not connected'))
    if (signal?.aborted) return Promise.reject(abortReason(signal))
    if (name === 'append' && batch.size !== 1) {
      return Promise.reject(new RangeError(`append takes one event, not ${batch.size}`))
    }
    const call = new ClientCall(name, batch)
    const onLate = () => this.#timedOut(call, `${timeoutText} after ${timeoutMs} ms`)
    call.watch({
      // The open socket keeps the process alive, if it is to be kept.
      timer: this.#clock.after(timeoutMs, onLate, { ref: false }),
      signal,
      onAbort: () => this.#abandon(call, abortReason(signal)),
    })
    if (this.#handshake === 'done') this.#send(call)
    else if (this.#handshake === 'due') this.#shakeHands(call, 'running')
    else this.#waiting.push(call)
    return call.promise
  }

  /** Gives up what is unanswered, tells the server the end, and resolves when the socket is closed. */
  async close(): Promise<void> {
    const error = new RpcError('MILLRACE_RPC_CLOSED', 'The connection was closed by its owner')
    const stream = this.#stream
    if (!stream) this.#connecting?.cancel(error)
    const isAnswered = this.inFlightCount === 0
    this.#close(error, { isGraceful: true })
    if (!stream || stream.closed) return
    // A server that still owes answers would keep us waiting for nothing.
    if (!isAnswered) stream.once('finish', () => stream.destroy())
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(LINGER_MS, () => stream.destroy(), { ref: false })
      stream.once('close', () => {
        timer.cancel()
        resolve()
      })
    })
  }

  /** Keeps the process alive again, while the connection is open. */
  ref(): void {
    this.#socket?.ref()
  }

  /** Lets the process end though the connection is open. */
  unref(): void {
    this.#socket?.unref()
  }

  get #peer(): string {
    return `${this.#options.host}:${this.#options.port}`
  }

  #throwIfClosed(): void {
    if (this.#closed) throw this.#closed.error
  }

  #opened(socket: Socket, stream: Duplex): void {
    this.#socket = socket
    this.#stream = stream
    stream.on('error', (error) => this.#close(this.#lost(messageOf(error), error)))
    stream.on('close', () => this.#close(this.#lost('the peer closed it')))
    stream.on('end', () => this.#close(this.#lost('the peer closed it')))
    stream.on('data', (chunk: Buffer) => this.#received(chunk))
    // Layers above the socket report its end by their own events; this one only must not be unhandled.
    socket.on('error', (error) => stream.destroy(error))
    // It can have broken between the end of its opening and here.
    if (stream.destroyed) this.#close(this.#lost('the peer closed it'))
  }

  #lost(why: string, cause?: unknown): RpcError {
    const text = `The connection to ${this.#peer} is lost: ${why}`
    return new RpcError('MILLRACE_RPC_CLOSED', text, cause === undefined ? {} : { cause })
  }

  #shakeHands(call: ClientCall, stage: 'running' | 'repeated'): void {
    this.#handshake = stage
    const withProtocol = stage === 'repeated'
    this.#send(call, encodeHandshakeRequest({ serverHash: this.#serverHash, withProtocol }))
  }

  #send(call: ClientCall, handshake?: Buffer): void {
    const stream = this.#stream
    if (!stream) return
    this.#serial = (this.#serial + 1) | 0
    const { name, batch } = call
    const parts = encodeRequest({ serial: this.#serial, name, batch, handshake })
    this.#calls.set(this.#serial, call)
    call.serial = this.#serial
    if (parts.length === 1) {
      stream.write(parts[0])
      return
    }
    stream.cork()
    for (const part of parts) stream.write(part)
    stream.uncork()
  }

  #received(chunk: Buffer): void {
    const reader = this.#reader
    try {
      reader.push(chunk)
      while (!this.#closed && reader.next()) this.#answered()
    } catch (error) {
      const code = this.#handshake === 'done' ? 'MILLRACE_RPC_CLOSED' : 'MILLRACE_RPC_HANDSHAKE'
      const text = `The connection to ${this.#peer} is closed, it broke the protocol: ${messageOf(error)}`
      this.#close(new RpcError(code, text, { cause: error }))
    }
  }

  #answered(): void {
    const { serial, bytes, start, end } = this.#reader
    const call = this.#calls.get(serial)
    if (!call) {
      throw new RpcError('MILLRACE_RPC_PROTOCOL', `An answer to ${serial}, which is not on its way`)
    }
    const envelope = new EnvelopeReader(bytes, start, end)
    if (this.#handshake !== 'done' && !this.#handshakeAnswered(call, envelope)) return
    const outcome = readOutcome(envelope)
    this.#calls.delete(serial)
    settle(call, outcome)
  }

  /** True when the handshake is through and the call's answer follows. */
  #handshakeAnswered(call: ClientCall, envelope: EnvelopeReader): boolean {
    const { match, serverHash } = readHandshakeResponse(envelope)
    if (match === 'NONE') {
      if (this.#handshake === 'repeated') {
        throw new RpcError('MILLRACE_RPC_HANDSHAKE', 'The server does not take the protocol')
      }
      if (serverHash) this.#serverHash = serverHash
      this.#calls.delete(call.serial)
      this.#shakeHands(call, 'repeated')
      return false
    }
    this.#handshake = 'done'
    const waiting = this.#waiting
    this.#waiting = []
    for (const next of waiting) this.#send(next)
    return true
  }

  #timedOut(call: ClientCall, text: string): void {
    call.reject(new RpcError('MILLRACE_RPC_TIMEOUT', text))
    this.#close(this.#lost(`a call reached its time limit`))
  }

  /** The caller does not wait any more; the answer may still come. */
  #abandon(call: ClientCall, reason: AbortError): void {
    const waits = this.#waiting.indexOf(call)
    if (waits >= 0) {
      this.#waiting.splice(waits, 1)
      call.reject(reason)
      return
    }
    call.abandon(reason)
    if (this.#handshake === 'done') return
    this.#close(this.#lost('its first call was given up during the handshake'))
  }

  #close(error: MillraceError, { isGraceful = false } = {}): void {
    if (this.#closed) return
    this.#closed = { error }
    const stream = this.#stream
    if (isGraceful && stream && !stream.destroyed) {
      stream.end()
      stream.resume()
    } else stream?.destroy()
    const unanswered = [...this.#calls.values(), ...this.#waiting]
    this.#calls.clear()
    this.#waiting = []
    for (const call of unanswered) call.reject(error)
  }
}

function settle(call: ClientCall, outcome: Outcome): void {
  if (outcome.status === 'OK') {
    call.resolve()
    return
  }
  const { status, error } = outcome
  const text =
    error === undefined
      ? `Avro RPC call returned Status: ${status}`
      : `Exception thrown from remote handler: ${error}`
  const details = { status: status ?? 'ERROR', ...(error ? { remoteMessage: error } : {}) }
  call.reject(new RpcError('MILLRACE_RPC_REMOTE_FAILED', text, { details }))
}
