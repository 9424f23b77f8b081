import { type Logger, messageOf } from '@millrace/runtime'
import type { Socket } from 'node:net'

/** TCP's own probes of a silent peer. Only `delayMs` is in Node; the others need `net-keepalive`. */
export interface KeepAliveOptions {
  /** Silence before the first probe, in milliseconds. Default 60,000. */
  readonly delayMs?: number
  /** Between probes, in milliseconds. Default: the system's. */
  readonly intervalMs?: number
  /** Probes without an answer until the connection counts as dead. Default: the system's. */
  readonly probes?: number
  /** How long sent octets may stay unacknowledged, in milliseconds (Linux). Default: the system's. */
  readonly userTimeoutMs?: number
}

const DEFAULT_DELAY_MS = 60_000

/** Loggers that have been told; so it is said once in each log, whatever the number of connections. */
const TOLD = new WeakSet<Logger>()

/** What is used of the optional package `net-keepalive`; its own types may be absent too. */
export interface Tuning {
  setKeepAliveInterval(socket: Socket, intervalMs: number): boolean
  setKeepAliveProbes(socket: Socket, probes: number): boolean
  setUserTimeout(socket: Socket, timeoutMs: number): boolean
}

async function loadTuning(): Promise<Tuning> {
  const loaded: Tuning & { default?: Tuning } = await import('net-keepalive')
  return loaded.default ?? loaded
}

/** Sets the probes of a connected socket. Where the optional package does not load, Node's own serve. */
export async function applyKeepAlive(
  socket: Socket,
  options: KeepAliveOptions,
  { logger, load = loadTuning }: { logger: Logger; load?: () => Promise<Tuning> },
): Promise<void> {
  const { delayMs = DEFAULT_DELAY_MS, intervalMs, probes, userTimeoutMs } = options
  socket.setKeepAlive(true, delayMs)
  if (intervalMs === undefined && probes === undefined && userTimeoutMs === undefined) return
  try {
    const tuning = await load()
    if (socket.destroyed) return
    if (intervalMs !== undefined) tuning.setKeepAliveInterval(socket, intervalMs)
    if (probes !== undefined) tuning.setKeepAliveProbes(socket, probes)
    if (userTimeoutMs !== undefined) tuning.setUserTimeout(socket, userTimeoutMs)
  } catch (error) {
    if (TOLD.has(logger) || socket.destroyed) return
    TOLD.add(logger)
    logger.info(`net-keepalive cannot be used, Node's own keep-alive serves: ${messageOf(error)}`)
  }
}
