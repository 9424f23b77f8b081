import { Backoff, type Clock, type Random } from '@millrace/runtime'
import type { HostState, HostStateName } from '../appender-state.js'
import { type HostAddress, hostName } from '../options/hosts.js'
import type { ReceiverConnection } from './receiver-connection.js'

/** Refusals in a row that are met without a growing delay: a batch of 100 is halved 7 times. */
const QUICK_REFUSALS = 8

export interface HostOptions {
  readonly backoff: { readonly minMs: number; readonly maxMs: number }
  readonly clock: Clock
  readonly random: Random
}

/** A connection, and until when it may be used. */
export interface PooledConnection {
  readonly client: ReceiverConnection
  readonly expiresAtMs: number
  /** The number of standstills when it was last known to be good. */
  standstills: number
}

/**
 * One receiver. After a failure it is left alone for a growing, random time; then one attempt at a
 * time tests it, until a batch is acknowledged: a mere connection proves nothing.
 */
export class Host {
  readonly address: HostAddress
  /** `host:port`. */
  readonly name: string
  readonly weight: number
  readonly idle: PooledConnection[] = []
  /** Connections that are being made. */
  connecting = 0
  /** Batches on the way. */
  pending = 0
  failures = 0
  connects = 0
  delivered = 0
  lastSuccessAt: number | undefined
  retryAtMs = 0
  #lastFailureMs = 0
  /** Refused batches since the last acknowledged one. */
  #refusals = 0
  readonly #backoff: Backoff
  readonly #options: HostOptions

  constructor(address: HostAddress, options: HostOptions) {
    this.address = address
    this.name = hostName(address)
    this.weight = address.weight
    this.#options = options
    this.#backoff = new Backoff({ ...options.backoff, jitter: 'full', random: options.random })
  }

  /** Whether a batch may go there now without being an experiment. */
  get isTrusted(): boolean {
    return this.failures === 0
  }

  /** Whether the next batch may go there: trusted, or connected again and not yet tested. */
  isReady(nowMs: number): boolean {
    if (this.failures === 0) return true
    return this.idle.length > 0 && this.pending === 0 && this.retryAtMs <= nowMs
  }

  /** Whether a failed host may be tried again now. */
  isDue(nowMs: number): boolean {
    if (this.failures === 0 || this.connecting > 0 || this.pending > 0) return false
    return this.retryAtMs <= nowMs
  }

  succeeded(events: number): void {
    this.failures = 0
    this.retryAtMs = 0
    this.#refusals = 0
    this.#backoff.reset()
    this.delivered += events
    this.lastSuccessAt = this.#options.clock.now()
  }

  /** Notes a failure. While the host is left alone already, that time stays as it is. */
  failed(): void {
    const now = this.#options.clock.monotonic()
    this.failures += 1
    this.#lastFailureMs = now
    if (now >= this.retryAtMs) this.retryAtMs = now + this.#backoff.next()
  }

  /**
   * Notes a refused batch. To find out whether one event is the cause, batches are halved; these few
   * attempts need no growing delay. A host that goes on refusing is full, and gets it.
   */
  refused(): void {
    this.#refusals += 1
    if (this.#refusals > QUICK_REFUSALS) {
      this.failed()
      return
    }
    const { clock, random, backoff } = this.#options
    const now = clock.monotonic()
    this.failures += 1
    this.#lastFailureMs = now
    if (now >= this.retryAtMs) this.retryAtMs = now + Math.floor(backoff.minMs * random())
  }

  /** Makes the next attempt come at once, though never within `minMs` after the last failure. */
  hurry(): void {
    if (this.failures === 0) return
    this.retryAtMs = Math.min(this.retryAtMs, this.#lastFailureMs + this.#options.backoff.minMs)
  }

  state(): HostState {
    return {
      host: this.name,
      state: this.#stateName(),
      failures: this.failures,
      connects: this.connects,
      delivered: this.delivered,
      pending: this.pending,
      lastSuccessAt: this.lastSuccessAt,
    }
  }

  #stateName(): HostStateName {
    const isOpen = this.idle.length > 0 || this.pending > 0
    if (this.failures === 0) return isOpen ? 'connected' : 'idle'
    return isOpen || this.connecting > 0 ? 'probing' : 'backing-off'
  }
}
