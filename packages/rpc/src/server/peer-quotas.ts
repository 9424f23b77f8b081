/**
 * What one remote address may ask of a server. Each limit of calls is a bucket that fills with one
 * second's worth: a call is taken while there is something in it, and its whole cost is taken out, into
 * debt if need be. So the average holds, a pause allows a burst of a second, and a call larger than a
 * second's worth is not refused for ever.
 */
import { type Clock, RpcError } from '@millrace/runtime'

/** Limits for each remote address; 0: none. */
export interface PeerQuotas {
  /** Events of all calls of a second. */
  readonly eventsPerSecond: number
  /** Octets of all calls of a second. */
  readonly bytesPerSecond: number
  /** Connections at one time. */
  readonly connections: number
}

/** Addresses without a connection whose debts are remembered; the one that left first is forgotten. */
const MAX_ABSENT_PEERS = 4_096
/** One line for each address in this time. */
const REPORT_INTERVAL_MS = 30_000

const IPV4_IN_IPV6 = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i

export interface PeerTableOptions {
  readonly quotas: Partial<PeerQuotas>
  readonly clock: Clock
  /** Told of refusals, of each address at most once in 30 seconds. */
  readonly refused: (text: string) => void
}

/** The addresses that have a connection, and those that had one lately. */
export class PeerTable {
  readonly #options: PeerTableOptions
  readonly #present = new Map<string, PeerAccount>()
  readonly #absent = new Map<string, PeerAccount>()

  constructor(options: PeerTableOptions) {
    this.#options = options
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#present.size + this.#absent.size
  }

  /** Counts a new connection; undefined when the address has as many as it may have. */
  connected(remoteAddress: string): PeerAccount | undefined {
    const address = remoteAddress.replace(IPV4_IN_IPV6, '')
    const account =
      this.#present.get(address) ??
      this.#absent.get(address) ??
      new PeerAccount(address, this.#options)
    if (!account.connect()) return undefined
    this.#absent.delete(address)
    this.#present.set(address, account)
    return account
  }

  /** A connection of the account is gone. */
  disconnected(account: PeerAccount): void {
    if (account.disconnect() > 0) return
    const { address } = account
    this.#present.delete(address)
    this.#absent.set(address, account)
    const [oldest] = this.#absent.keys()
    if (this.#absent.size > MAX_ABSENT_PEERS && oldest !== undefined) this.#absent.delete(oldest)
  }
}

/** One address. */
export class PeerAccount {
  readonly address: string
  readonly #options: PeerTableOptions
  readonly #events: Bucket
  readonly #bytes: Bucket
  #connections = 0
  #nextReportMs = Number.NEGATIVE_INFINITY
  #unreported = 0

  constructor(address: string, options: PeerTableOptions) {
    const { eventsPerSecond = 0, bytesPerSecond = 0 } = options.quotas
    this.address = address
    this.#options = options
    this.#events = new Bucket(eventsPerSecond)
    this.#bytes = new Bucket(bytesPerSecond)
  }

  connect(): boolean {
    const { connections = 0 } = this.#options.quotas
    if (connections > 0 && this.#connections >= connections) {
      this.#report('a connection', `is closed: it has its quota of ${connections} connections`)
      return false
    }
    this.#connections += 1
    return true
  }

  /** The number that is left. */
  disconnect(): number {
    this.#connections -= 1
    return this.#connections
  }

  /** Takes a call up. @throws RpcError `MILLRACE_RPC_QUOTA` when a limit is used up. */
  take(events: number, bytes: number): void {
    const nowMs = this.#options.clock.monotonic()
    if (!this.#events.hasSome(nowMs)) this.#refuse(`${this.#events.perSecond} events per second`)
    if (!this.#bytes.hasSome(nowMs)) this.#refuse(`${this.#bytes.perSecond} bytes per second`)
    this.#events.take(events)
    this.#bytes.take(bytes)
  }

  #refuse(quota: string): never {
    this.#report('a call', `is answered FAILED: its quota of ${quota} is used up`)
    throw new RpcError('MILLRACE_RPC_QUOTA', `The quota of ${quota} is used up`)
  }

  #report(what: string, text: string): void {
    const nowMs = this.#options.clock.monotonic()
    if (nowMs < this.#nextReportMs) {
      this.#unreported += 1
      return
    }
    const before = this.#unreported > 0 ? ` (and ${this.#unreported} times before)` : ''
    this.#nextReportMs = nowMs + REPORT_INTERVAL_MS
    this.#unreported = 0
    this.#options.refused(`${what} of ${this.address} ${text}${before}`)
  }
}

class Bucket {
  /** 0: it is never empty. */
  readonly perSecond: number
  #content: number
  #filledMs = Number.NEGATIVE_INFINITY

  constructor(perSecond: number) {
    this.perSecond = perSecond
    this.#content = perSecond
  }

  hasSome(nowMs: number): boolean {
    if (this.perSecond === 0) return true
    const come = ((nowMs - this.#filledMs) * this.perSecond) / 1_000
    this.#content = Math.min(this.perSecond, this.#content + come)
    this.#filledMs = nowMs
    return this.#content > 0
  }

  take(amount: number): void {
    this.#content -= amount
  }
}
