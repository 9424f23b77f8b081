/** Flume's HTTP reporting: metrics as JSON, and whether the agent is well. */
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify'
import { LifecycleError, messageOf } from '@millrace/runtime'
import type { Metrics } from './metrics.js'

/** What the server shows. */
export interface Monitored {
  metrics(): Metrics
  health(): AgentHealth
}

export interface AgentHealth {
  /** `ok`: started, and every component runs. */
  readonly status: 'ok' | 'starting' | 'degraded' | 'stopped'
  /** State of each component, by `kind name`. */
  readonly components: Readonly<Record<string, string>>
}

export interface HttpMetricsServerOptions {
  /** 0: any free one. */
  readonly port: number
  /** Address to listen on. Default all of the machine. */
  readonly host?: string | undefined
  readonly agent: Monitored
}

const INDEX = 'For Flume metrics please click <a href = "./metrics"> here</a>.'
const HTML = 'text/html;charset=utf-8'
const JSON_TYPE = 'application/json;charset=utf-8'
/** How long one request may take, in milliseconds, and how large its head may be in bytes. */
const REQUEST_TIMEOUT_MS = 10_000
const MAX_CONNECTIONS = 256

/** Serves `/metrics`, `/healthz` and a page with a link. Reads only; has no password and no TLS, as in Flume. */
export class HttpMetricsServer {
  readonly #options: HttpMetricsServerOptions
  #server: FastifyInstance | undefined

  constructor(options: HttpMetricsServerOptions) {
    this.#options = options
  }

  /** @throws LifecycleError when the address cannot be had. */
  async start(): Promise<{ readonly host: string; readonly port: number }> {
    const { host, port, agent } = this.#options
    // `::` takes IPv4 too, and is not there on a machine without IPv6.
    const addresses = host === undefined ? ['::', '0.0.0.0'] : [host]
    const server = fastify({
      requestTimeout: REQUEST_TIMEOUT_MS,
      forceCloseConnections: true,
      logger: false,
    })
    server.server.maxConnections = MAX_CONNECTIONS
    // Answers before routing and before any body is read: all methods are treated alike.
    server.addHook('onRequest', async (request, reply) =>
      answer(request.method, request.url, reply, agent),
    )
    let cause: unknown
    for (const address of addresses) {
      try {
        await server.listen({ host: address, port })
        cause = undefined
        break
      } catch (error) {
        cause = error
        if (!isWithoutFamily(error)) break
      }
    }
    if (cause !== undefined) {
      await server.close()
      const message = `Monitoring cannot listen on port ${port}: ${messageOf(cause)}`
      throw new LifecycleError('MILLRACE_LIFECYCLE_START_FAILED', message, { cause })
    }
    this.#server = server
    const address = server.server.address()
    if (address === null || typeof address === 'string') return { host: host ?? '::', port }
    return { host: address.address, port: address.port }
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await server?.close()
  }
}

function answer(method: string, url: string, reply: FastifyReply, agent: Monitored): FastifyReply {
  if (method === 'TRACE' || method === 'OPTIONS') return reply.code(403).send()
  const path = url.split('?', 1)[0] ?? ''
  if (path === '/') return reply.type(HTML).send(INDEX)
  if (path.toLowerCase() === '/metrics') return reply.type(JSON_TYPE).send(json(agent.metrics()))
  if (path === '/healthz') {
    const health = agent.health()
    return reply
      .code(health.status === 'ok' ? 200 : 503)
      .type(JSON_TYPE)
      .send(json(health))
  }
  return reply.code(404).send()
}

/** Whether the machine lacks the address family, rather than the port being taken. */
function isWithoutFamily(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL'
}

/** JSON with what HTML could read as its own escaped, as Flume's library does. */
function json(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&='\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
