import type { Clock, Timer } from '@millrace/runtime'
import type { SpoolState } from '../appender-state.js'
import type { DeliveryContext } from '../delivery/batch-delivery.js'
import type { Lane } from '../delivery/lane.js'
import type { Ledger } from '../delivery/ledger.js'
import { Adoption } from './adoption.js'
import { Spool } from './spool.js'
import type { SpoolPlace } from './spool-directory.js'

/** Looks at the limits, for each time that this part of the largest size was written. */
const CHECKS = 64

export interface SpoolsOptions {
  readonly directory: string
  readonly place: SpoolPlace
  readonly maxAgeMs: number
  readonly adoptIntervalMs: number
  /** In memory, for all lanes. */
  readonly maxEvents: number
  readonly maxBytes: number
  readonly context: DeliveryContext
  /** Each gets a spool. */
  readonly lanes: readonly Lane[]
  /** For what other processes left, with a ledger of its own. */
  readonly recovery: { readonly lane: Lane; readonly ledger: Ledger }
  readonly onChange: () => void
}

/** The spools of an appender: one for each lane, and those that it has found. */
export class Spools {
  readonly #options: SpoolsOptions
  readonly #own = new Map<Lane, Spool>()
  readonly #adoption: Adoption
  readonly #clock: Clock
  #timer: Timer | undefined
  #isClosed = false

  constructor(options: SpoolsOptions) {
    const { context, lanes, recovery } = options
    this.#options = options
    this.#clock = context.clock
    const { diagnostics, clock } = context
    const common = { ...options, diagnostics, clock }
    for (const lane of lanes) {
      const spool = new Spool({
        ...common,
        lane,
        ledger: context.ledger,
        window: this.#window(2 * lanes.length),
        hasRoom: (bytes) => this.#hasRoom(bytes),
        onGrown: () => this.trim(),
        checkBytes: Math.floor(options.place.maxDiskBytes / CHECKS),
      })
      this.#own.set(lane, spool)
    }
    this.#adoption = new Adoption({
      ...common,
      ...recovery,
      window: this.#window(8),
      hasRoom: () => true,
      isOwn: (name) => this.#spools.some((spool) => spool.name === name),
      onAdopted: () => {
        this.trim()
        options.onChange()
      },
    })
    this.#tick()
  }

  of(lane: Lane): Spool | undefined {
    return this.#own.get(lane)
  }

  /** Whether an event that was just spooled may stay in memory, too. */
  holdsInMemory(lane: Lane, bytes: number): boolean {
    const { feed } = lane
    return feed !== undefined && !feed.isBehind && feed.hasWindow && this.#hasRoom(bytes)
  }

  /** Resolves when the look for abandoned spools that is under way is done. */
  get idle(): Promise<void> {
    return this.#adoption.idle
  }

  state(): SpoolState {
    const own = this.#spools
    let bytes = this.#adoption.bytes
    let unspooled = 0
    for (const spool of own) {
      bytes += spool.bytes
      unspooled += spool.missed
    }
    const isWritable = own.every((spool) => spool.isWritable)
    return { bytes, isWritable, unspooled, adopted: this.#adoption.size }
  }

  /** Somebody waits for what was accepted by now. */
  mark(): void {
    const { context, recovery } = this.#options
    for (const lane of this.#own.keys()) lane.feed?.mark(context.ledger.sequence)
    this.#adoption.mark(recovery.ledger.sequence)
  }

  /** Keeps the limit in bytes: the oldest goes. */
  trim(): void {
    const { place, context } = this.#options
    let dropped = 0
    while (this.#bytes > place.maxDiskBytes) {
      if (this.#adoption.size > 0) {
        dropped += this.#adoption.dropOldest()
        continue
      }
      const largest = this.#spools
        .filter((spool) => spool.hasOldest)
        .toSorted((a, b) => b.bytes - a.bytes)[0]
      const before = largest?.bytes ?? 0
      if (!largest) break
      dropped += largest.dropOldest('overflow')
      // What a failing disk does not give free is not asked for again and again.
      if (largest.bytes >= before) break
    }
    if (dropped > 0) context.diagnostics.report('dropped', 'the spool is full', undefined, dropped)
  }

  /** Stores what was delivered. */
  settle(): void {
    for (const spool of this.#spools) spool.settle()
  }

  /** Leaves what is not delivered to the next process, and removes what is empty. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#adoption.close()
    for (const spool of this.#spools) await spool.close()
  }

  get #spools(): Spool[] {
    return [...this.#own.values()]
  }

  get #bytes(): number {
    let bytes = this.#adoption.bytes
    for (const spool of this.#own.values()) bytes += spool.bytes
    return bytes
  }

  #window(share: number): { maxEvents: number; maxBytes: number } {
    const { maxEvents, maxBytes } = this.#options
    return {
      maxEvents: Math.max(1, Math.floor(maxEvents / share)),
      maxBytes: Math.max(1, Math.floor(maxBytes / share)),
    }
  }

  #hasRoom(bytes: number): boolean {
    const { context, maxEvents, maxBytes } = this.#options
    const { held, heldBytes } = context.ledger
    return held < maxEvents && heldBytes + bytes <= maxBytes
  }

  #tick(): void {
    if (this.#isClosed) return
    const { adoptIntervalMs } = this.#options
    for (const spool of this.#spools) spool.tryAgain()
    this.#expire()
    void this.#adoption.scan()
    this.#timer = this.#clock.after(adoptIntervalMs, () => this.#tick(), { ref: false })
  }

  #expire(): void {
    const { maxAgeMs, context } = this.#options
    if (maxAgeMs === 0) return
    const oldestMs = this.#clock.now() - maxAgeMs
    let dropped = 0
    for (const spool of this.#spools) {
      while ((spool.oldestAtMs ?? Number.POSITIVE_INFINITY) < oldestMs) {
        dropped += spool.dropOldest('expired')
      }
    }
    if (dropped === 0) return
    context.diagnostics.report('dropped', 'events older than queue.maxAgeMs', undefined, dropped)
  }
}
