/** Reads the `flume.monitoring.*` system properties and starts what they ask for. */
import { ConfigurationError, type Logger } from '@millrace/runtime'
import type { Monitored } from './http-server.js'

/** Flume's default port of HTTP reporting. */
const DEFAULT_PORT = 41_414
const PREFIX = 'flume.monitoring.'
const KEYS: readonly string[] = ['type', 'port', 'host']

/** Monitoring that runs. */
export interface Monitoring {
  /** Where it listens. */
  readonly host: string
  readonly port: number
  stop(): Promise<void>
}

export interface MonitoringOptions {
  /** The `-D` properties of the command line. */
  readonly systemProperties: Readonly<Record<string, string>>
  readonly agent: Monitored
  readonly logger: Logger
}

/**
 * Starts monitoring as `flume.monitoring.type` says: absent means none, `http` serves
 * `flume.monitoring.port` (41414) on `flume.monitoring.host` (all interfaces, as in Flume). The HTTP
 * library is loaded only when it is asked for.
 * @throws ConfigurationError for another type or a bad port, LifecycleError when the port is taken.
 */
export async function startMonitoring(options: MonitoringOptions): Promise<Monitoring | undefined> {
  const { systemProperties, agent, logger } = options
  const type = systemProperties[`${PREFIX}type`]
  for (const key of Object.keys(systemProperties)) {
    if (!key.startsWith(PREFIX)) continue
    const name = key.slice(PREFIX.length)
    if (!KEYS.includes(name)) logger.warn(`-D${key} is not known; there are ${KEYS.join(', ')}`)
    else if (type === undefined) logger.warn(`-D${key} does nothing without -D${PREFIX}type`)
  }
  if (type === undefined) return undefined
  if (type.toLowerCase() !== 'http') {
    const message = `${PREFIX}type: ${type} is not supported; http is`
    throw new ConfigurationError('MILLRACE_CONFIG_UNSUPPORTED', message)
  }
  const port = portOf(systemProperties[`${PREFIX}port`])
  const { HttpMetricsServer } = await import('./http-server.js')
  const host = systemProperties[`${PREFIX}host`]
  const server = new HttpMetricsServer({ host, port, agent })
  const address = await server.start()
  const shown = address.host.includes(':') ? `[${address.host}]` : address.host
  logger.info(`monitoring on http://${shown}:${address.port}/metrics`)
  return { ...address, stop: () => server.stop() }
}

function portOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PORT
  const port = Number(text)
  if (/^\d+$/.test(text) && port < 65_536) return port
  const message = `${PREFIX}port: ${text} is not a port number`
  throw new ConfigurationError('MILLRACE_CONFIG_INVALID', message)
}
