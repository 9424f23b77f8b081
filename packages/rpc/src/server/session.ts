/**
 * One connection of a server: reads frames, begins a call for each, writes the answers in order.
 *
 *     chunk → FrameReader → handshake (once) → request → handler ─┐
 *     stream ← one write for all answers of a turn ← ReplyQueue ←─┘
 *
 * It never reads ahead of its limits and never touches another connection: whatever goes wrong here
 * closes this stream only.
 */
import { FrameReader } from '../framing/frame-reader.js'
import type { DirectReader } from '../net/direct-reads.js'
import { EnvelopeReader } from '../protocol/avro-primitives.js'
import {
  MESSAGE_NAMES,
  type MessageName,
  type RequestDecoder,
} from '../protocol/request-decoder.js'
import { errorPayload, errorText, FAILED_PAYLOAD, NO_HANDSHAKE } from '../protocol/response.js'
import type { Admission, Holder } from './admission.js'
import { answerHandshake, type HandshakeAnswer } from './handshake-answer.js'
import type { AvroRpcHandler, CallContext } from './handler.js'
import type { KnownProtocols } from './known-protocols.js'
import type { ServerLimits } from './limits.js'
import type { PeerAccount } from './peer-quotas.js'
import { OK_REPLY, PendingCall, reply, ReplyQueue } from './reply-queue.js'
import { UnfinishedTimer } from './unfinished-timer.js'
import { AbortError, type Clock, MillraceError, RpcError, type Timer } from '@millrace/runtime'
import type { EventBatch } from '@millrace/event'
import type { Duplex } from 'node:stream'

/** What a session gets from its server. */
export interface SessionHost {
  readonly handler: AvroRpcHandler
  readonly limits: ServerLimits
  readonly admission: Admission
  readonly protocols: KnownProtocols
  readonly clock: Clock
  /** What the peer may ask for; without it, anything. */
  readonly account?: PeerAccount | undefined
  /** The session answered a call or handshake with an error, because it cannot be read. */
  unreadable(error: unknown): void
  /** The session closed its stream because of this. */
  broken(error: unknown): void
  /** The session will do nothing any more. */
  ended(): void
}

/** What an unanswered call counts for beside its octets: its objects. */
const CALL_OVERHEAD_BYTES = 512

/**
 * How long the last answers may take to leave for a peer that has ended its side, in milliseconds. TLS
 * over a connection that was reset never says that they can't: Node drops the failure of a write of its
 * own (session tickets), and ends no write behind it.
 */
const LAST_ANSWERS_MS = 3_000

/** Why a stream is not read now; it is read when there is none. */
const PAUSED_BY_MEMORY = 1
const PAUSED_BY_WINDOW = 2
const PAUSED_BY_PEER = 4
const PAUSED_BY_HANDSHAKE = 8

export class Session implements Holder, DirectReader {
  readonly #stream: Duplex
  readonly #host: SessionHost
  readonly #reader: FrameReader
  readonly #replies = new ReplyQueue()
  readonly #context: SessionCallContext
  readonly #unfinished: UnfinishedTimer
  #decoder: RequestDecoder | undefined
  #pendingBytes = 0
  #partialBytes = 0
  #pauses = 0
  #lingerMs: number | undefined
  #lingering: Timer | undefined
  #isFlushing = false
  #isEnding = false
  #isClosed = false

  constructor(stream: Duplex, remoteAddress: string, host: SessionHost) {
    this.#stream = stream
    this.#host = host
    this.#reader = new FrameReader(host.limits)
    this.#context = new SessionCallContext(remoteAddress)
    this.#unfinished = new UnfinishedTimer(host.clock, (ms) => this.#timedOut(ms))
    stream.on('error', (error) => this.fail(error))
    stream.on('close', () => this.#closed())
    stream.on('end', () => this.#peerEnded())
    stream.on('drain', () => this.#resume(PAUSED_BY_PEER))
    stream.on('data', (chunk: Buffer) => this.received(chunk))
  }

  get isInsideFrame(): boolean {
    return this.#reader.isUnfinished
  }

  get partialBytes(): number {
    return this.#partialBytes
  }

  pauseForMemory(): void {
    this.#pause(PAUSED_BY_MEMORY)
  }

  resumeForMemory(): void {
    this.#resume(PAUSED_BY_MEMORY)
  }

  /**
   * Reads no more, answers what was begun, then closes the stream; the peer has `lingerMs` to close
   * its side too.
   */
  finish(lingerMs?: number): void {
    this.#lingerMs = lingerMs ?? this.#lingerMs
    if (this.#isClosed) return
    this.#isEnding = true
    this.#unfinished.stop()
    this.#endWhenAnswered()
  }

  /** Closes the stream at once; the peer is left without the answers. */
  fail(error: unknown): void {
    if (this.#isClosed) return
    this.#host.broken(error)
    this.#stream.destroy()
    this.#closed()
  }

  room(): Buffer | undefined {
    return this.#isEnding || this.#isClosed ? undefined : this.#reader.room()
  }

  filled(bytes: number): void {
    if (this.#isEnding || this.#isClosed) return
    this.#reader.filled(bytes)
    this.#goOn()
  }

  received(chunk: Buffer): void {
    if (this.#isEnding || this.#isClosed) return
    this.#reader.push(chunk)
    this.#goOn()
  }

  #goOn(): void {
    try {
      this.#readFrames()
    } catch (error) {
      this.fail(error)
    }
  }

  #readFrames(): void {
    let hasNewFrame = false
    const reader = this.#reader
    while ((this.#pauses & PAUSED_BY_HANDSHAKE) === 0 && !this.#isClosed && reader.next()) {
      hasNewFrame = true
      if (this.#decoder) this.#beginCall(reader.start, this.#decoder, NO_HANDSHAKE)
      else this.#shakeHands()
    }
    if (this.#isClosed) return
    const held = reader.heldBytes
    this.#host.admission.partialChanged(this.#partialBytes, held)
    this.#partialBytes = held
    if (this.#pendingBytes > this.#host.limits.maxPendingBytesPerConnection) {
      this.#pause(PAUSED_BY_WINDOW)
    }
    this.#host.admission.review(this)
    this.#watch(hasNewFrame)
  }

  /** The first frame of a connection, and each one until a handshake succeeds. */
  #shakeHands(): void {
    const { bytes, start, end } = this.#reader
    const answer = answerHandshake(this.#host.protocols, new EnvelopeReader(bytes, start, end))
    if (!(answer instanceof Promise)) {
      this.#established(answer)
      return
    }
    this.#pause(PAUSED_BY_HANDSHAKE)
    const goOn = (late: HandshakeAnswer): void => {
      this.#established(late)
      this.#resume(PAUSED_BY_HANDSHAKE)
      // The chunk may hold more frames.
      this.received(NO_HANDSHAKE)
    }
    answer.then(goOn).catch((error: unknown) => this.fail(error))
  }

  #established(answer: HandshakeAnswer): void {
    const { serial } = this.#reader
    if (answer.decoder) {
      this.#decoder = answer.decoder
      this.#unfinished.stop()
      this.#beginCall(answer.position, answer.decoder, answer.handshake)
      return
    }
    if (answer.error !== undefined) this.#host.unreadable(answer.error)
    this.#answer(new PendingCall(serial, CALL_OVERHEAD_BYTES, answer.buffers))
  }

  #beginCall(position: number, decoder: RequestDecoder, handshake: Buffer): void {
    const { serial, bytes, start, end } = this.#reader
    const call = new PendingCall(serial, end - start + CALL_OVERHEAD_BYTES)
    this.#hold(call)
    let name: string
    let stored: Promise<void>
    try {
      const envelope = new EnvelopeReader(bytes, position, end)
      envelope.skipBytesMap()
      name = envelope.readString()
      if (name === '') {
        this.#settle(call, [handshake])
        return
      }
      const decode = isMessageName(name) ? decoder[name] : undefined
      if (!isMessageName(name) || !decode) {
        const text = `org.apache.avro.AvroRuntimeException: No such remote message: ${name}`
        this.#settle(call, reply(handshake, errorPayload(text)))
        return
      }
      const batch = decode(bytes, envelope.position, end)
      stored = this.#handle(name, batch, end - start)
    } catch (error) {
      this.#host.unreadable(error)
      this.#settle(call, reply(handshake, errorPayload(errorText(error))))
      return
    }
    stored.then(
      () => this.#settle(call, handshake.length === 0 ? OK_REPLY : okAfter(handshake)),
      (error: unknown) => this.#settle(call, reply(handshake, refusal(name, error))),
    )
  }

  #handle(name: MessageName, batch: EventBatch, bytes: number): Promise<void> {
    try {
      this.#host.account?.take(batch.size, bytes)
      return this.#host.handler[name](batch, this.#context)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Takes up a call that has its answer already. */
  #answer(call: PendingCall): void {
    this.#hold(call)
    if (call.buffers) this.#settle(call, call.buffers)
  }

  #hold(call: PendingCall): void {
    this.#replies.add(call)
    this.#pendingBytes += call.bytes
    this.#host.admission.callBegan(call.bytes)
  }

  #settle(call: PendingCall, buffers: readonly Buffer[]): void {
    if (this.#isClosed) return
    call.buffers = buffers
    if (this.#isFlushing || !this.#replies.isHead(call)) return
    if (this.#replies.size === 1) {
      // The peer has nothing else under way and waits: measured at a quarter more calls a second.
      this.flush()
      return
    }
    this.#isFlushing = true
    // Behind all that is read in this turn of the event loop: one write carries all its answers.
    // Measured against a tick: the same alone, up to a third more with several connections.
    setImmediate(flush, this)
  }

  /** Writes the answers that may leave now. */
  flush(): void {
    this.#isFlushing = false
    const settled = this.#isClosed ? undefined : this.#replies.takeSettled()
    if (!settled) return
    // Counted first: a write can find the connection broken, which counts off what is left.
    this.#pendingBytes -= settled.bytes
    this.#host.admission.callEnded(settled.bytes)
    if (!this.#stream.write(settled.frames)) this.#pause(PAUSED_BY_PEER)
    if (this.#pendingBytes <= this.#host.limits.maxPendingBytesPerConnection) {
      this.#resume(PAUSED_BY_WINDOW)
    }
    if (this.#isEnding) this.#endWhenAnswered()
  }

  #pause(reason: number): void {
    if (this.#pauses === 0) this.#stream.pause()
    this.#pauses |= reason
    // Time in which we do not read is not the peer's.
    this.#unfinished.stop()
  }

  #resume(reason: number): void {
    if ((this.#pauses & reason) === 0) return
    this.#pauses &= ~reason
    if (this.#pauses !== 0 || this.#isClosed) return
    this.#stream.resume()
    this.#watch(true)
  }

  /** Gives an unfinished frame its time; a new one a new time. */
  #watch(isNew: boolean): void {
    if (this.#pauses !== 0 || this.#isEnding || this.#isClosed) return
    const { frameTimeoutMs, handshakeTimeoutMs } = this.#host.limits
    if (!this.#reader.isUnfinished) this.#unfinished.clear()
    else this.#unfinished.begin(this.#decoder ? frameTimeoutMs : handshakeTimeoutMs, isNew)
  }

  #timedOut(ms: number): void {
    this.fail(
      this.#decoder
        ? new RpcError('MILLRACE_RPC_TIMEOUT', `A frame was not complete within ${ms} ms`)
        : new RpcError('MILLRACE_RPC_HANDSHAKE', `The handshake was not complete within ${ms} ms`),
    )
  }

  /** The peer sends no more but may still read: it gets the answers it is owed. */
  #peerEnded(): void {
    if (this.#reader.isUnfinished && !this.#isEnding) {
      this.#host.broken(new RpcError('MILLRACE_RPC_CLOSED', 'The peer closed inside a frame'))
    }
    this.finish(this.#lingerMs ?? LAST_ANSWERS_MS)
  }

  #endWhenAnswered(): void {
    if (this.#replies.size > 0) return
    if (!this.#stream.writableEnded) this.#stream.end()
    if (this.#lingerMs !== undefined && !this.#lingering) {
      const cut = () => this.#stream.destroy()
      this.#lingering = this.#host.clock.after(this.#lingerMs, cut, { ref: false })
    }
    // What still comes is not looked at, but must be taken off: unread octets would turn the
    // close into a reset, and the peer could lose our last answers.
    this.#pauses = 0
    this.#stream.resume()
  }

  #closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#lingering?.cancel()
    this.#unfinished.stop()
    this.#host.admission.partialChanged(this.#partialBytes, 0)
    this.#host.admission.callEnded(this.#pendingBytes)
    this.#host.admission.forget(this)
    this.#context.abort()
    this.#host.ended()
  }
}

/** One for all calls of a connection. The signal is made when somebody looks. */
class SessionCallContext implements CallContext {
  readonly remoteAddress: string
  #controller: AbortController | undefined
  #isAborted = false

  constructor(remoteAddress: string) {
    this.remoteAddress = remoteAddress
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.#isAborted) this.abort()
    }
    return this.#controller.signal
  }

  abort(): void {
    this.#isAborted = true
    this.#controller?.abort(new AbortError('The connection of the call is lost'))
  }
}

function flush(session: Session): void {
  session.flush()
}

const REFUSAL = /^MILLRACE_(CHANNEL_|RPC_QUOTA$)/

const isMessageName = (name: string): name is MessageName =>
  MESSAGE_NAMES.some((known) => known === name)

const okAfter = (handshake: Buffer) => reply(handshake, OK_REPLY[2] as Buffer)

/** Flume answers FAILED to whatever a batch meets, and to what a channel refuses. */
function refusal(name: string, error: unknown): Buffer {
  const isRefused = MillraceError.is(error) && REFUSAL.test(error.code)
  return name === 'appendBatch' || isRefused ? FAILED_PAYLOAD : errorPayload(errorText(error))
}
