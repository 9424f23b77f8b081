import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type {
  EventDrivenSource,
  HttpSourceHandler,
  SourceStartContext,
  StopOptions,
} from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import {
  AbortError,
  type Clock,
  LifecycleError,
  type Logger,
  messageOf,
  MillraceError,
  RateLimit,
  throwIfAborted,
  withDeadline,
} from '@millrace/runtime'
import { type ListenerTls, readListenerTls } from '../../tls/listener-tls.js'
import { readBody, RequestMemory, RequestRefused } from './request-body.js'

export interface HttpSourceOptions {
  readonly bind: string
  readonly port: number
  readonly tls: ListenerTls
  /** Longest body of a request, packed or not, in bytes. */
  readonly maxRequestBytes: number
}

export interface HttpSourceHost {
  readonly createHandler: () => HttpSourceHandler
  readonly logger: Logger
  readonly clock: Clock
}

/** Memory of the requests under way, in bytes: two of the longest, but at least so much. */
const MIN_MEMORY_BYTES = 256 * 1_024 * 1_024
const MAX_HEAD_BYTES = 16 * 1_024
const MAX_CONNECTIONS = 16_384
/** How long a request may take to arrive, in milliseconds. */
const REQUEST_TIMEOUT_MS = 120_000
const WARN_INTERVAL_MS = 10_000

/** Methods that Flume's servlet has; the others are answered 405, and these two 403. */
const TAKEN = ['POST', 'GET']
const FORBIDDEN = ['OPTIONS', 'TRACE']

/** The events of a request are one put: 200 says that they are stored, any other status that they are not. */
export class HttpSource implements EventDrivenSource {
  readonly #options: HttpSourceOptions
  readonly #host: HttpSourceHost
  readonly #warnings: RateLimit
  #server: FastifyInstance | undefined
  #abort = new AbortController()

  constructor(options: HttpSourceOptions, host: HttpSourceHost) {
    this.#options = options
    this.#host = host
    this.#warnings = new RateLimit({ intervalMs: WARN_INTERVAL_MS, clock: host.clock })
  }

  /** The port that it listens on; undefined when it does not. */
  get port(): number | undefined {
    const address = this.#server?.server.address()
    return typeof address === 'object' ? address?.port : undefined
  }

  /** @throws LifecycleError when the address cannot be listened on, or the key store not be used. */
  async start(context: SourceStartContext): Promise<void> {
    await this.stop({ deadlineMs: 0 })
    const abort = new AbortController()
    this.#abort = abort
    const { bind, port, tls, maxRequestBytes } = this.#options
    const secure = await readListenerTls(tls)
    throwIfAborted(context.signal)
    if (this.#abort !== abort) throw new AbortError('The source was stopped while it started')
    const server = createServer(secure)
    this.#server = server
    const exchange = new Exchange({
      context,
      handler: this.#host.createHandler(),
      memory: new RequestMemory(Math.max(MIN_MEMORY_BYTES, 2 * maxRequestBytes)),
      maxRequestBytes,
      signal: abort.signal,
      onTrouble: (what, error) => {
        if (this.#warnings.admit(what) !== undefined) this.#host.logger.warn(what, error)
      },
    })
    server.all('/*', (request, reply) => exchange.answer(request, reply))
    try {
      await server.listen({ host: bind, port })
    } catch (cause) {
      await server.close()
      const message = `Cannot listen on ${bind}:${port}: ${messageOf(cause)}`
      throw new LifecycleError('MILLRACE_LIFECYCLE_START_FAILED', message, { cause })
    }
    if (this.#server !== server) {
      await server.close()
      throw new AbortError('The source was stopped while it started')
    }
    server.server.on('error', (error) => context.fail(error))
    this.#host.logger.info(`listening on ${bind}:${this.port ?? ''}${secure ? ' with TLS' : ''}`)
  }

  /** Answers the requests at hand; those that are not stored by the deadline are cut off. */
  async stop({ deadlineMs }: StopOptions): Promise<void> {
    const server = this.#server
    const abort = this.#abort
    this.#abort = new AbortController()
    this.#server = undefined
    if (!server) return
    const onLate = () => {
      abort.abort()
      server.server.closeAllConnections()
    }
    await withDeadline(close(server), deadlineMs, onLate, this.#host.clock)
  }
}

async function close(server: FastifyInstance): Promise<void> {
  await server.close()
}

function createServer(secure: SecureContextOptions | undefined): FastifyInstance {
  const options = {
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle' as const,
    exposeHeadRoutes: false,
    logger: false as const,
    // Paths mean nothing, so none is refused for its form.
    routerOptions: { maxParamLength: MAX_HEAD_BYTES },
    ...(secure
      ? { https: { ...secure, maxHeaderSize: MAX_HEAD_BYTES } }
      : { http: { maxHeaderSize: MAX_HEAD_BYTES } }),
  }
  const server = fastify(options) as unknown as FastifyInstance
  server.server.maxConnections = MAX_CONNECTIONS
  // Bodies are read by the source itself, whatever their type.
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (_request, _payload, done) => done(null))
  return server
}

interface ExchangeOptions {
  readonly context: SourceStartContext
  readonly handler: HttpSourceHandler
  readonly memory: RequestMemory
  readonly maxRequestBytes: number
  readonly signal: AbortSignal
  readonly onTrouble: (what: string, error: unknown) => void
}

/** From a request to its answer. */
class Exchange {
  readonly #options: ExchangeOptions
  readonly #turns = new WeakMap<Socket, Promise<void>>()

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  async answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { method } = request
    if (FORBIDDEN.includes(method)) return reply.code(403).send()
    if (!TAKEN.includes(method)) return reply.code(405).send()
    try {
      await this.#inTurn(request.raw)
    } catch (error) {
      const [status, text] = statusOf(error)
      const isClients = status < 500
      if (isClients) this.#options.context.counters.eventReadFail += 1
      this.#options.onTrouble(`a request is answered ${status}`, error)
      // What was not read of a body would be taken for the next request.
      if (!request.raw.complete) void reply.header('connection', 'close')
      return reply.code(status).type('text/plain; charset=utf-8').send(`${text}\n`)
    }
    return reply.code(200).send()
  }

  /**
   * Requests of one connection are taken one after the other: the next one is not read before, so
   * that a client that does not wait for answers is slowed down.
   */
  #inTurn(request: IncomingMessage): Promise<void> {
    const { socket } = request
    const before = this.#turns.get(socket) ?? Promise.resolve()
    const turn = before.then(() => this.#take(request))
    this.#turns.set(
      socket,
      turn.catch(() => undefined),
    )
    return turn
  }

  async #take(request: IncomingMessage): Promise<void> {
    const { memory, maxRequestBytes, handler } = this.#options
    const body = await readBody(request, memory, maxRequestBytes)
    try {
      const query = new URLSearchParams((request.url ?? '').split('?').slice(1).join('?'))
      const batch = await handler.events({ headers: request.headers, query, body })
      await this.#deliver(batch)
    } finally {
      memory.give(body.length)
    }
  }

  async #deliver(batch: EventBatch): Promise<void> {
    const { context, signal } = this.#options
    const { counters } = context
    counters.appendBatchReceivedCount += 1
    counters.eventReceivedCount += batch.size
    try {
      if (batch.size > 0) await context.deliver(batch, signal)
    } catch (error) {
      const isChannels = MillraceError.is(error) && error.code.startsWith('MILLRACE_CHANNEL_')
      if (isChannels) counters.channelWriteFail += 1
      else counters.genericProcessingFail += 1
      throw error
    }
    counters.appendBatchAcceptedCount += 1
    counters.eventAcceptedCount += batch.size
  }
}

function statusOf(error: unknown): [status: number, text: string] {
  const message = messageOf(error)
  if (error instanceof RequestRefused) return [error.status, message]
  if (!MillraceError.is(error)) return [500, `Deserializer threw unexpected exception. ${message}`]
  if (error.code === 'MILLRACE_REQUEST_INVALID') return [400, `Bad request from client. ${message}`]
  const isFull = /^MILLRACE_(CHANNEL|STORAGE|LOG)_/.test(error.code)
  if (isFull) {
    return [503, `Error appending event to channel. Channel might be full. ${message}`]
  }
  return [500, `Unexpected error while appending event to channel. ${message}`]
}
