import { type Clock, type Random, systemClock, withDeadline } from '@millrace/runtime'
import { snapshot } from './appender-snapshot.js'
import { type AppenderSpool, createSpooling, type SpoolDisk } from './appender-spool.js'
import type { AppenderState } from './appender-state.js'
import { DeadLetters } from './dead-letter/dead-letters.js'
import { connectAvroReceiver } from './delivery/avro-receiver.js'
import type { DeliveryContext } from './delivery/batch-delivery.js'
import { HostPool } from './delivery/host-pool.js'
import { Lane } from './delivery/lane.js'
import { Ledger } from './delivery/ledger.js'
import type { ConnectReceiver } from './delivery/receiver-connection.js'
import { RpcStatistics } from './delivery/rpc-statistics.js'
import { LineOutput, ListenerOutput } from './diagnostic-output.js'
import { type DiagnosticListener, Diagnostics } from './diagnostics.js'
import type { EventMapper } from './event-mapper.js'
import { Intake } from './intake.js'
import type { LogRecord } from './log-record.js'
import { createEventMapper } from './mapping/index.js'
import type { AppenderOptions } from './options/appender-options.js'
import { type AppenderSettings, checkAppenderOptions } from './options/appender-option-group.js'
import { type EndingAppender, joinProcessEnd } from './process-end.js'
import { dropBelowLevel, dropNewest, dropOldest, type MakeRoom } from './queue/overflow.js'
import { levelIndex } from './queue/page.js'
import { PageStore } from './queue/page-store.js'

const MIN_PAGE_BYTES = 16 * 1_024
const MAX_PAGE_BYTES = 256 * 1_024
/** Room for the headers of the profile, beside `maxEventBytes` and `headerCaps.maxEventBytes`. */
const PROFILE_HEADER_BYTES = 64 * 1_024
/** How long `close` waits for its connections to end, beyond its own deadline, in milliseconds. */
const DISCONNECT_TIMEOUT_MS = 500

/** What the adapter of a logger settles for its appenders. */
export interface AppenderDefaults {
  /** The logger name of records that have none, such as `winston`. */
  readonly loggerName: string
  /** Options that the adapter reads itself: known here, and left alone. */
  readonly adapterOptions?: readonly string[]
  /** Takes the place of the mapper that the options describe. */
  readonly mapper?: EventMapper
  /** Takes the place of Flume's RPC. */
  readonly connect?: ConnectReceiver
  /** Hears each report, beside where the options have it go. */
  readonly onReport?: DiagnosticListener
  /** Takes the place of the disk of the spool, and of what keeps other processes out of it. */
  readonly spoolDisk?: SpoolDisk
  readonly clock?: Clock
  readonly random?: Random
}

/**
 * Ships the records of a logger to receivers that speak Flume's RPC. It never throws into, blocks or
 * outlives the application: what cannot be delivered is kept within limits, then dropped and counted.
 */
export class Appender {
  readonly #settings: AppenderSettings
  readonly #context: DeliveryContext
  /** All, those for what is only in memory and for what other processes left included. */
  readonly #lanes: readonly Lane[]
  readonly #spooling: AppenderSpool | undefined
  readonly #intake: Intake
  /** In lower case; undefined: all. */
  readonly #levels: ReadonlySet<string> | undefined
  /** Held here because the process holds it weakly. */
  readonly #ending: EndingAppender
  readonly #leaveProcessEnd: () => void
  /** Events up to this number have been waited for in vain: the end of the process does not do it again. */
  #waitedUpTo = 0
  #hasWaitedForOthers = false
  #isClosed = false
  #closing: Promise<void> | undefined

  /** @throws OptionError that names the option. */
  constructor(options: AppenderOptions, defaults: AppenderDefaults) {
    const settings = checkAppenderOptions(options, defaults.adapterOptions)
    const { clock = systemClock, random = Math.random } = defaults
    this.#settings = settings
    const { onDiagnostic, levels } = settings
    this.#levels = levels && new Set(levels.map((name) => name.toLowerCase()))
    const output = onDiagnostic
      ? new ListenerOutput(onDiagnostic)
      : new LineOutput(settings.diagnostics)
    const diagnostics = new Diagnostics(output, clock, defaults.onReport)
    this.#context = {
      pool: new HostPool({
        ...settings,
        connect: defaults.connect ?? connectAvroReceiver({ ...settings, clock }),
        clock,
        random,
        diagnostics,
        onChange: () => this.#resume(),
      }),
      ledger: new Ledger(clock),
      statistics: new RpcStatistics(),
      deadLetters: new DeadLetters({ target: settings.deadLetter, clock, diagnostics }),
      diagnostics,
      clock,
    }
    const lanes = createLanes(settings, this.#context, random)
    this.#spooling = createSpooling(settings, defaults, {
      context: this.#context,
      lanes,
      createLane: (context) => createLanes({ ...settings, lanes: 1 }, context, random),
    })
    this.#lanes = [...lanes, ...(this.#spooling?.lanes ?? [])]
    this.#intake = this.#createIntake(
      lanes,
      defaults.mapper ?? createEventMapper({ ...settings, loggerName: defaults.loggerName }),
    )
    this.#ending = this.#createEnding()
    this.#leaveProcessEnd = joinProcessEnd(this.#ending)
  }

  /** Takes a record. Encodes it at once, and sends it later. Never throws, never blocks. */
  append(record: LogRecord): void {
    const levels = this.#levels
    if (levels !== undefined && !levels.has(record.levelName.toLowerCase())) return
    if (this.#isClosed) this.#intake.refuseClosed()
    else this.#intake.append(record)
  }

  /**
   * Sends what waits at once. Resolves true when all records accepted before the call are settled
   * (delivered, dead-lettered or dropped), false at the deadline; never rejects. The appender stays
   * usable. Keeps the process alive until then.
   * @param options.timeoutMs default `flushTimeoutMs`.
   */
  async flush(options?: { timeoutMs?: number | undefined } | null): Promise<boolean> {
    const { sequence } = this.#context.ledger
    const isSettled = await this.#settle(options?.timeoutMs, this.#settings.flushTimeoutMs)
    if (!isSettled) this.#waitedUpTo = Math.max(this.#waitedUpTo, sequence)
    return isSettled
  }

  /**
   * Takes no more records, flushes until the deadline, drops and counts the rest, and ends all
   * connections. Can be called again: it is the same ending. Never rejects.
   * @param options.timeoutMs default `closeTimeoutMs`.
   */
  close(options?: { timeoutMs?: number | undefined } | null): Promise<void> {
    this.#closing ??= this.#close(options?.timeoutMs)
    return this.#closing
  }

  state(): AppenderState {
    return snapshot({
      ...this.#context,
      lanes: this.#lanes,
      spooling: this.#spooling,
      isClosed: this.#isClosed,
    })
  }

  #resume(): void {
    for (const lane of this.#lanes) lane.resume()
  }

  #settle(timeoutMs: number | undefined, byDefault: number): Promise<boolean> {
    const { ledger } = this.#context
    const isGiven = typeof timeoutMs === 'number' && timeoutMs >= 0
    this.#hurry()
    return ledger.settled(isGiven ? timeoutMs : byDefault)
  }

  #hurry(): void {
    const { ledger, pool } = this.#context
    if (this.#open === 0) return
    this.#spooling?.spools.mark()
    for (const lane of this.#lanes) lane.hurry(ledger.sequence)
    pool.hurry()
  }

  /** Events without a fate, those that other processes left included. */
  get #open(): number {
    return this.#context.ledger.open + (this.#spooling?.recovered.open ?? 0)
  }

  /** As {@link #settle}, with what other processes left. */
  async #settleAll(timeoutMs: number): Promise<boolean> {
    await this.#spooling?.spools.idle
    const others = this.#spooling?.recovered.settled(timeoutMs) ?? Promise.resolve(true)
    const settled = await Promise.all([this.#settle(timeoutMs, 0), others])
    return settled.every((isSettled) => isSettled)
  }

  async #close(timeoutMs: number | undefined): Promise<void> {
    const { ledger, pool, diagnostics, clock } = this.#context
    this.#isClosed = true
    const isGiven = typeof timeoutMs === 'number' && timeoutMs >= 0
    await this.#settleAll(isGiven ? timeoutMs : this.#settings.closeTimeoutMs)
    const before = ledger.dropped['close-deadline']
    for (const lane of this.#lanes) lane.close()
    ledger.abandon()
    this.#spooling?.recovered.abandon()
    const lost = ledger.dropped['close-deadline'] - before
    if (lost > 0) {
      // What was dropped before for other reasons is told apart.
      diagnostics.finish()
      diagnostics.report('dropped', 'not delivered when the appender closed', undefined, lost)
    }
    if (this.#open > 0) {
      diagnostics.report('spool', 'kept in the spool for the next start', undefined, this.#open)
    }
    await this.#spooling?.spools.close()
    await withDeadline(pool.close(), DISCONNECT_TIMEOUT_MS, () => undefined, clock)
    this.#leaveProcessEnd()
    diagnostics.finish()
  }

  #createEnding(): EndingAppender {
    const { exitTimeoutMs } = this.#settings
    const { ledger, pool, diagnostics, clock } = this.#context
    return {
      isWaitedFor: () => {
        if (exitTimeoutMs === 0) return false
        if (ledger.open > 0 && ledger.sequence > this.#waitedUpTo) return true
        return this.#open > ledger.open && !this.#hasWaitedForOthers
      },
      deliver: async () => {
        const endMs = clock.monotonic() + exitTimeoutMs
        // Again for what is logged meanwhile.
        while (this.#open > 0 && (await this.#settleAll(endMs - clock.monotonic())));
        this.#hasWaitedForOthers = true
        if (this.#open === 0) return
        this.#waitedUpTo = ledger.sequence
        pool.abandonAttempts()
      },
      sayLost: () => {
        this.#spooling?.spools.settle()
        const lost = this.#spooling ? this.#spooling.memoryOnly : ledger.held
        if (lost > 0) {
          diagnostics.report(
            'process-end',
            'not delivered before the process ended',
            undefined,
            lost,
          )
        }
        diagnostics.finish()
      },
    }
  }

  #createIntake(lanes: readonly Lane[], mapper: EventMapper): Intake {
    const { queue, maxEventBytes, headerCaps, urgentLevel, deadLetter } = this.#settings
    return new Intake({
      mapper,
      lanes,
      spooling: this.#spooling,
      ledger: this.#context.ledger,
      diagnostics: this.#context.diagnostics,
      makeRoom: roomMaker(queue),
      policyName: queue.policy,
      maxEvents: queue.maxEvents,
      maxBytes: queue.maxBytes,
      maxEventBytes: maxEventBytes + headerCaps.maxEventBytes + PROFILE_HEADER_BYTES,
      urgentLevel,
      hasDeadLetters: deadLetter !== undefined,
    })
  }
}

function createLanes(settings: AppenderSettings, context: DeliveryContext, random: Random): Lane[] {
  const { lanes, queue, ...others } = settings
  const pageBytes = Math.floor(queue.maxBytes / (8 * lanes))
  const pages = new PageStore(Math.min(MAX_PAGE_BYTES, Math.max(MIN_PAGE_BYTES, pageBytes)))
  const create = () => new Lane({ ...others, context, pages, maxAgeMs: queue.maxAgeMs, random })
  return Array.from({ length: lanes }, create)
}

function roomMaker(queue: AppenderSettings['queue']): MakeRoom {
  switch (queue.policy) {
    case 'drop-oldest':
    // Among what the disk does not take.
    case 'spool':
      return dropOldest
    case 'drop-newest':
      return dropNewest
    case 'drop-below-level':
      return dropBelowLevel(levelIndex(queue.level))
  }
}
