import { Backoff, type Clock, type Random } from '@millrace/runtime'
import type { Run } from '../queue/run.js'

/** Fewest refusals alone, with accepted batches of others between them, before an event is given up. */
const CONVICTING_REFUSALS = 3
/** An event is given up when chance explains its refusals in fewer cases than this. */
const MAX_CHANCE = 1e-8

/** What one receiver did since it refused the event alone for the first time. */
interface Evidence {
  /** Refusals of this event alone with accepted batches of others between them, since the last doubt. */
  refusals: number
  /** Whether the receiver has accepted others since the last of them. */
  acceptedOthers: boolean
  /** All refusals of this event alone. */
  tests: number
  /** Accepted batches of others. */
  othersAccepted: number
  /** Refusals of others alone that it has accepted later: they were no fault of theirs. */
  chanceRefusals: number
}

interface Suspect {
  readonly run: Run
  readonly byHost: Map<string, Evidence>
  readonly backoff: Backoff
  testAtMs: number
  /** On its way, and not waiting. */
  isTesting: boolean
}

export interface SuspectsOptions {
  readonly backoff: { readonly minMs: number; readonly maxMs: number }
  readonly clock: Clock
  readonly random: Random
}

/**
 * Events that a receiver refused although they came alone. A refusal proves nothing about an event:
 * the receiver may be full. So the event steps aside, others go to the same receiver, and it is
 * tried again. It is the event's fault when it is refused again and again, others being accepted in
 * between and none refused, so often that it is no chance: a receiver that is full now and then refuses
 * events alone, too, which it accepts later.
 */
export class Suspects {
  readonly #options: SuspectsOptions
  readonly #suspects: Suspect[] = []
  /** The last call was a test that failed: now it is the turn of others. */
  #othersTurn = false

  constructor(options: SuspectsOptions) {
    this.#options = options
  }

  /** Events that wait to be tested. */
  get waiting(): number {
    let count = 0
    for (const suspect of this.#suspects) if (!suspect.isTesting) count += 1
    return count
  }

  /** Encoded bytes of the events that wait. */
  get waitingBytes(): number {
    let bytes = 0
    for (const { run, isTesting } of this.#suspects) if (!isTesting) bytes += run.bytes
    return bytes
  }

  /** The oldest event that waits. */
  get oldest(): Run | undefined {
    let oldest: Run | undefined
    for (const { run, isTesting } of this.#suspects) {
      if (isTesting) continue
      if (!oldest || run.firstSequence < oldest.firstSequence) oldest = run
    }
    return oldest
  }

  /** Milliseconds until one of them may be tested; Infinity when none can. */
  dueInMs(hasOthers: boolean): number {
    if (hasOthers && this.#othersTurn) return Number.POSITIVE_INFINITY
    let earliest = Number.POSITIVE_INFINITY
    for (const { testAtMs, isTesting } of this.#suspects) {
      if (!isTesting) earliest = Math.min(earliest, testAtMs)
    }
    return Math.max(0, earliest - this.#options.clock.monotonic())
  }

  /** The one to be tested now, if any; {@link refused}, {@link inconclusive} or {@link remove} follows. */
  take(hasOthers: boolean): Run | undefined {
    if (hasOthers && this.#othersTurn) return undefined
    const now = this.#options.clock.monotonic()
    const suspect = this.#suspects.find((one) => !one.isTesting && one.testAtMs <= now)
    if (suspect) suspect.isTesting = true
    return suspect?.run
  }

  /** The one that {@link take} would give. */
  peek(hasOthers: boolean): Run | undefined {
    if (this.dueInMs(hasOthers) > 0) return undefined
    const now = this.#options.clock.monotonic()
    return this.#suspects.find((one) => !one.isTesting && one.testAtMs <= now)?.run
  }

  has(run: Run): boolean {
    return this.#find(run) !== undefined
  }

  /**
   * A receiver refused an event alone.
   * @param usableHosts the receivers that take batches now: each must have refused it.
   * @returns whether it is the event's fault by now.
   */
  refused(run: Run, host: string, usableHosts: readonly string[]): boolean {
    const suspect = this.#find(run) ?? this.#add(run)
    const evidence = suspect.byHost.get(host) ?? newEvidence()
    suspect.byHost.set(host, evidence)
    evidence.tests += 1
    if (evidence.refusals === 0 || evidence.acceptedOthers) evidence.refusals += 1
    evidence.acceptedOthers = false
    this.#wait(suspect)
    this.#othersTurn = true
    const refusedByAll = usableHosts.every((name) => suspect.byHost.has(name))
    return refusedByAll && isConvicting(evidence)
  }

  /** A receiver accepted a batch: a suspect that stood the test, or others. */
  accepted(run: Run, host: string): void {
    const chance = this.#find(run)?.byHost.get(host)?.tests ?? 0
    this.remove(run)
    this.#othersTurn = false
    const now = this.#options.clock.monotonic()
    for (const suspect of this.#suspects) {
      const evidence = suspect.byHost.get(host)
      if (evidence) {
        evidence.acceptedOthers = true
        evidence.othersAccepted += 1
        evidence.chanceRefusals += chance
      }
      suspect.testAtMs = now
    }
  }

  /** A receiver refused others: it may be full, so what it said before proves nothing. */
  othersRefused(host: string): void {
    this.#othersTurn = false
    for (const suspect of this.#suspects) {
      const evidence = suspect.byHost.get(host)
      if (evidence) {
        evidence.refusals = 0
        evidence.acceptedOthers = false
        suspect.testAtMs = this.#options.clock.monotonic() + suspect.backoff.next()
      }
    }
  }

  /** A test had no answer. */
  inconclusive(run: Run): void {
    const suspect = this.#find(run)
    if (suspect) this.#wait(suspect)
  }

  remove(run: Run): void {
    const index = this.#suspects.findIndex((suspect) => suspect.run === run)
    if (index >= 0) this.#suspects.splice(index, 1)
    if (this.#suspects.length === 0) this.#othersTurn = false
  }

  #find(run: Run): Suspect | undefined {
    return this.#suspects.find((suspect) => suspect.run === run)
  }

  #add(run: Run): Suspect {
    const { backoff, random } = this.#options
    const suspect = {
      run,
      byHost: new Map<string, Evidence>(),
      backoff: new Backoff({ ...backoff, random }),
      testAtMs: 0,
      isTesting: false,
    }
    this.#suspects.push(suspect)
    return suspect
  }

  #wait(suspect: Suspect): void {
    suspect.isTesting = false
    suspect.testAtMs = this.#options.clock.monotonic() + suspect.backoff.next()
  }
}

function newEvidence(): Evidence {
  return { refusals: 0, acceptedOthers: false, tests: 0, othersAccepted: 0, chanceRefusals: 0 }
}

/**
 * Whether the refusals of one event are no chance: were it refused as often as the others, by Laplace's
 * rule of succession, so many refusals in a row would be less likely than {@link MAX_CHANCE}.
 */
function isConvicting({ refusals, othersAccepted, chanceRefusals }: Evidence): boolean {
  const share = (chanceRefusals + 1) / (othersAccepted + chanceRefusals + 2)
  return refusals >= CONVICTING_REFUSALS && share ** refusals < MAX_CHANCE
}
