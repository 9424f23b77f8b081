import { type Clock, messageOf, type Random } from '@millrace/runtime'
import type { HostState } from '../appender-state.js'
import type { Diagnostics } from '../diagnostics.js'
import type { Strategy } from '../options/appender-options.js'
import type { HostAddress } from '../options/hosts.js'
import { Host, type PooledConnection } from './host.js'
import { type HostSelector, hostSelector } from './host-selector.js'
import type { ConnectReceiver } from './receiver-connection.js'
import { StandstillWatch } from './standstill-watch.js'

/** Share by which the maximum age of each connection is spread, up and down. */
const AGE_SPREAD = 0.2

export interface HostPoolOptions {
  readonly hosts: readonly HostAddress[]
  readonly strategy: Strategy
  readonly backoff: { readonly minMs: number; readonly maxMs: number }
  readonly maxConnectionAgeMs: number
  readonly idleCheckMs: number
  readonly connect: ConnectReceiver
  readonly clock: Clock
  readonly random: Random
  readonly diagnostics: Diagnostics
  /** Called when a host became usable, or may be tried again earlier than it was said. */
  readonly onChange: () => void
}

/** A connection lent for one batch. */
export interface Lease {
  readonly host: Host
  readonly connection: PooledConnection
}

/**
 * The receivers and the connections to them. While one host is trusted, the others that failed are
 * tried in the background, so that no batch waits for a dead host; when all failed, one attempt for
 * each that asks goes to a host whose time has come.
 */
export class HostPool {
  readonly hosts: readonly Host[]
  readonly #options: HostPoolOptions
  readonly #select: HostSelector
  readonly #watch: StandstillWatch
  #isClosed = false
  /** Each ends one attempt to connect. */
  readonly #attempts = new Set<AbortController>()
  readonly #open = new Set<PooledConnection>()

  constructor(options: HostPoolOptions) {
    this.#options = options
    this.hosts = options.hosts.map((address) => new Host(address, options))
    this.#select = hostSelector(options.strategy, this.hosts, options.random)
    this.#watch = new StandstillWatch(options.idleCheckMs, options.clock)
  }

  /** Connections that are open. */
  get connectionCount(): number {
    return this.#open.size
  }

  /**
   * A connection for the next batch, or undefined when there is none now; see {@link retryInMs}.
   * @param avoid names of hosts that only serve when no other can.
   */
  async acquire(avoid: readonly string[] = []): Promise<Lease | undefined> {
    while (!this.#isClosed) {
      this.#probe()
      const host = this.#choose(avoid)
      if (!host) return undefined
      const connection = this.#takeIdle(host) ?? (await this.#connectNow(host))
      if (!connection) continue
      host.pending += 1
      return { host, connection }
    }
    return undefined
  }

  /** Names of the hosts that take batches now. */
  readyNames(): string[] {
    const now = this.#options.clock.monotonic()
    return this.hosts.filter((host) => host.isReady(now)).map((host) => host.name)
  }

  /** Gives a connection back that is as good as before. */
  release(lease: Lease): void {
    lease.host.pending -= 1
    lease.connection.standstills = this.#watch.count()
    this.#keep(lease.host, lease.connection)
  }

  /** Gives a connection back that failed. */
  discard(lease: Lease): void {
    lease.host.pending -= 1
    this.#drop(lease.connection)
  }

  /**
   * Milliseconds until a call of {@link acquire} can succeed; Infinity when only an attempt that is
   * under way can change that.
   */
  retryInMs(): number {
    const now = this.#options.clock.monotonic()
    let earliest = Number.POSITIVE_INFINITY
    for (const host of this.hosts) {
      if (host.isReady(now)) return 0
      if (host.connecting > 0 || host.pending > 0) continue
      earliest = Math.min(earliest, host.retryAtMs)
    }
    return Math.max(0, earliest - now)
  }

  /** Tries hosts that failed earlier than their time: somebody waits. */
  hurry(): void {
    for (const host of this.hosts) host.hurry()
    this.#options.onChange()
  }

  states(): HostState[] {
    return this.hosts.map((host) => host.state())
  }

  /** Ends the attempts to connect that are under way, each of which keeps the process alive: they failed. */
  abandonAttempts(): void {
    for (const attempt of this.#attempts) attempt.abort()
  }

  /** Ends all connections and attempts. What is on the way fails. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.abandonAttempts()
    this.#watch.stop()
    for (const host of this.hosts) host.idle.length = 0
    const open = [...this.#open]
    this.#open.clear()
    await Promise.allSettled(open.map((connection) => connection.client.close()))
  }

  #choose(avoid: readonly string[]): Host | undefined {
    const now = this.#options.clock.monotonic()
    const ready = this.hosts.filter((host) => host.isReady(now))
    const preferred = ready.filter((host) => !avoid.includes(host.name))
    if (preferred.length > 0) return this.#select(preferred)
    if (ready.length > 0) return this.#select(ready)
    return this.#select(this.hosts.filter((host) => host.isDue(now)))
  }

  /** Starts an attempt in the background for each host whose time has come, if others can serve. */
  #probe(): void {
    if (!this.hosts.some((host) => host.isTrusted)) return
    const now = this.#options.clock.monotonic()
    for (const host of this.hosts) {
      if (!host.isDue(now) || host.idle.length > 0) continue
      void this.#connectBehind(host)
    }
  }

  async #connectBehind(host: Host): Promise<void> {
    const connection = await this.#connect(host)
    if (!connection) return
    this.#keep(host, connection)
    this.#options.onChange()
  }

  /** An idle connection that can be trusted; what cannot is closed. */
  #takeIdle(host: Host): PooledConnection | undefined {
    const now = this.#options.clock.monotonic()
    const standstills = this.#watch.count()
    for (let connection = host.idle.pop(); connection; connection = host.idle.pop()) {
      const isFresh = connection.expiresAtMs > now && connection.standstills === standstills
      if (connection.client.isActive && isFresh) return connection
      this.#drop(connection)
    }
    return undefined
  }

  async #connectNow(host: Host): Promise<PooledConnection | undefined> {
    // A host that failed and whose fresh connection has died again must wait for its time.
    if (!host.isTrusted && !host.isDue(this.#options.clock.monotonic())) return undefined
    return this.#connect(host)
  }

  /** A new connection, or undefined after the failure has been noted. */
  async #connect(host: Host): Promise<PooledConnection | undefined> {
    const { connect, clock, random, maxConnectionAgeMs, diagnostics } = this.#options
    const attempt = new AbortController()
    this.#attempts.add(attempt)
    host.connecting += 1
    try {
      const client = await connect(host.address, { signal: attempt.signal })
      const spread = 1 - AGE_SPREAD + 2 * AGE_SPREAD * random()
      const expiresAtMs =
        maxConnectionAgeMs === 0
          ? Number.POSITIVE_INFINITY
          : clock.monotonic() + maxConnectionAgeMs * spread
      this.#watch.start()
      const connection = { client, expiresAtMs, standstills: this.#watch.count() }
      host.connects += 1
      this.#open.add(connection)
      if (!this.#isClosed) return connection
      this.#drop(connection)
    } catch (error) {
      if (this.#isClosed) return undefined
      host.failed()
      diagnostics.report(
        'connect-failed',
        `no connection to ${host.name}: ${messageOf(error)}`,
        error,
      )
    } finally {
      host.connecting -= 1
      this.#attempts.delete(attempt)
    }
    this.#options.onChange()
    return undefined
  }

  #keep(host: Host, connection: PooledConnection): void {
    if (this.#isClosed || !connection.client.isActive) this.#drop(connection)
    else host.idle.push(connection)
  }

  #drop(connection: PooledConnection): void {
    this.#open.delete(connection)
    if (this.#open.size === 0) this.#watch.stop()
    // Nobody waits for a connection that is given up; its end cannot fail in a way that matters.
    connection.client.close().catch(() => undefined)
  }
}
