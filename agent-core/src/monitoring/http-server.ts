/** Flume's HTTP reporting: metrics as JSON, and whether the agent is well. */
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify'
import type { AgentHealth, Monitor, MonitoredAgent } from '@millrace/component'
import { LifecycleError, type Logger, messageOf } from '@millrace/runtime'
import { PROMETHEUS_TYPE, prometheusText } from './prometheus-text.js'

export interface HttpMetricsServerOptions {
  /** 0: any free one. */
  readonly port: number
  /** Address to listen on. Default all of the machine. */
  readonly host?: string | undefined
  readonly agent: MonitoredAgent
  readonly logger: Logger
  /** What `/metrics` is; `/prometheus` is there too. */
  readonly metricsFormat: 'json' | 'prometheus'
}

const INDEX = 'For Flume metrics please click <a href = "./metrics"> here</a>.'
const HTML = 'text/html;charset=utf-8'
const JSON_TYPE = 'application/json;charset=utf-8'
/** How long one request may take, in milliseconds, and how large its head may be in bytes. */
const REQUEST_TIMEOUT_MS = 10_000
const MAX_CONNECTIONS = 256

/**
 * Serves `/metrics`, `/prometheus`, `/healthz`, `/readyz` and a page with a link. Reads only; has no password and no
 * TLS, as in Flume.
 */
export class HttpMetricsServer implements Monitor {
  readonly #options: HttpMetricsServerOptions
  #server: FastifyInstance | undefined
  #address: Monitor['address']

  constructor(options: HttpMetricsServerOptions) {
    this.#options = options
  }

  get address(): Monitor['address'] {
    return this.#address
  }

  /** @throws LifecycleError when the address cannot be had. */
  async start(): Promise<void> {
    await this.stop()
    const { host, port } = this.#options
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
      answer(request.method, request.url, reply, this.#options),
    )
    this.#server = server
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
      await this.stop()
      const message = `Monitoring cannot listen on port ${port}: ${messageOf(cause)}`
      throw new LifecycleError('MILLRACE_LIFECYCLE_START_FAILED', message, { cause })
    }
    const address = server.server.address()
    if (address === null || typeof address === 'string') return
    this.#address = { host: address.address, port: address.port }
    const shown = address.address.includes(':') ? `[${address.address}]` : address.address
    this.#options.logger.info(`monitoring on http://${shown}:${address.port}/metrics`)
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.#address = undefined
    await server?.close()
  }
}

async function answer(
  method: string,
  url: string,
  reply: FastifyReply,
  { agent, metricsFormat }: HttpMetricsServerOptions,
): Promise<FastifyReply> {
  if (method === 'TRACE' || method === 'OPTIONS') return reply.code(403).send()
  const path = url.split('?', 1)[0] ?? ''
  if (path === '/') return reply.type(HTML).send(INDEX)
  const isMetrics = path.toLowerCase() === '/metrics'
  if (path === '/prometheus' || (isMetrics && metricsFormat === 'prometheus'))
    return reply.type(PROMETHEUS_TYPE).send(await prometheusText(agent))
  if (isMetrics) return reply.type(JSON_TYPE).send(json(agent.metrics()))
  const health = agent.health()
  if (path === '/healthz') return sendHealth(reply, health, health.status === 'ok')
  if (path === '/readyz') return sendHealth(reply, health, health.isReady)
  return reply.code(404).send()
}

function sendHealth(reply: FastifyReply, health: AgentHealth, isGood: boolean): FastifyReply {
  const { status, components } = health
  return reply
    .code(isGood ? 200 : 503)
    .type(JSON_TYPE)
    .send(json({ status, components }))
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
