import { createSocket, type Socket } from 'node:dgram'
import { hostname } from 'node:os'
import type { Monitor, MonitoredAgent } from '@millrace/component'
import { type Clock, type Logger, RateLimit } from '@millrace/runtime'
import { ganglia3Message, gangliaMessages } from './ganglia-message.js'

export interface GangliaOptions {
  readonly hosts: readonly string[]
  readonly pollFrequencyMs: number
  readonly isGanglia3: boolean
  readonly monitored: MonitoredAgent
  readonly logger: Logger
  readonly clock: Clock
}

interface GangliaHost {
  readonly host: string
  readonly port: number
}

const LOG_INTERVAL_MS = 60_000

/** `host:port` between commas or blanks, an IPv6 address in brackets; and what is not that. */
export function parseGangliaHosts(texts: readonly string[]): {
  readonly hosts: readonly GangliaHost[]
  readonly bad: readonly string[]
} {
  const hosts: GangliaHost[] = []
  const bad: string[] = []
  for (const text of texts.flatMap((each) => each.split(',')).filter((each) => each !== '')) {
    const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? []
    const port = Number(digits)
    const host = bracketed ?? plain
    if (host === undefined || port < 1 || port > 65_535) bad.push(text)
    else hosts.push({ host, port })
  }
  return { hosts, bad }
}

/** Sends every attribute of every component at once, and each `pollFrequency`. Nobody says whether it arrives. */
export class GangliaMonitor implements Monitor {
  readonly #options: GangliaOptions
  readonly #hosts: readonly GangliaHost[]
  readonly #rateLimit: RateLimit
  #sockets: Socket[] = []
  #timer: { cancel(): void } | undefined

  constructor(options: GangliaOptions) {
    this.#options = options
    this.#hosts = parseGangliaHosts(options.hosts).hosts
    this.#rateLimit = new RateLimit({ intervalMs: LOG_INTERVAL_MS, clock: options.clock })
  }

  async start(): Promise<void> {
    this.#sockets = this.#hosts.map(({ host }) => {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
      socket.on('error', (error) => this.#failed(error))
      return socket
    })
    this.#report()
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    const sockets = this.#sockets
    this.#sockets = []
    await Promise.all(
      sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))),
    )
  }

  #report(): void {
    const { monitored, clock, pollFrequencyMs } = this.#options
    for (const [component, attributes] of Object.entries(monitored.metrics())) {
      for (const [attribute, value] of Object.entries(attributes)) {
        this.#send(`flume.${component}.${attribute}`, value)
      }
    }
    this.#timer = clock.after(pollFrequencyMs, () => this.#report())
  }

  #send(name: string, value: string): void {
    const metric = { host: hostname(), name, value }
    const messages = this.#options.isGanglia3 ? [ganglia3Message(metric)] : gangliaMessages(metric)
    this.#hosts.forEach(({ host, port }, i) => {
      for (const message of messages) {
        this.#sockets[i]?.send(message, port, host, (error) => {
          if (error) this.#failed(error)
        })
      }
    })
  }

  #failed(error: Error): void {
    if (this.#rateLimit.admit('send') === undefined) return
    this.#options.logger.warn('a report to Ganglia could not be sent', error)
  }
}
