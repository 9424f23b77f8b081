import { type Clock, type Random, systemClock, withDeadline } from '@millrace/runtime'
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
  readonly #lanes: readonly Lane[]
  readonly #intake: Intake
  /** In lower case; undefined: all. */
  readonly #levels: ReadonlySet<string> | undefined
  /** Held here because the process holds it weakly. */
  readonly #ending: EndingAppender
  readonly #leaveProcessEnd: () => void
  /** Events up to this number have been waited for in vain: the end of the process does not do it again. */
  #waitedUpTo = 0
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
    this.#lanes = this.#createLanes(random)
    this.#intake = this.#createIntake(
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
    const { ledger, pool, statistics } = this.#context
    const hosts = pool.states()
    const successes = hosts.flatMap((host) => host.lastSuccessAt ?? [])
    let bytes = 0
    for (const { queue, suspects } of this.#lanes) bytes += queue.bytes + suspects.waitingBytes
    return {
      accepted: ledger.accepted,
      delivered: ledger.delivered,
      deadLettered: ledger.deadLettered,
      dropped: { ...ledger.dropped },
      queued: ledger.queued,
      inFlight: ledger.inFlight,
      resent: ledger.resent,
      split: ledger.split,
      queue: {
        events: ledger.queued,
        bytes,
        oldestAgeMs: Math.max(0, ...this.#lanes.map((lane) => lane.oldestAgeMs)),
      },
      rpc: { ...statistics.outcomes },
      rpcLatencyMs: statistics.latency(),
      hosts,
      lastSuccessAt: successes.length === 0 ? undefined : Math.max(...successes),
      isClosed: this.#isClosed,
    }
  }

  #resume(): void {
    for (const lane of this.#lanes) lane.resume()
  }

  #settle(timeoutMs: number | undefined, byDefault: number): Promise<boolean> {
    const { ledger, pool } = this.#context
    const isGiven = typeof timeoutMs === 'number' && timeoutMs >= 0
    if (ledger.held > 0) {
      for (const lane of this.#lanes) lane.hurry(ledger.sequence)
      pool.hurry()
    }
    return ledger.settled(isGiven ? timeoutMs : byDefault)
  }

  async #close(timeoutMs: number | undefined): Promise<void> {
    const { ledger, pool, diagnostics, clock } = this.#context
    this.#isClosed = true
    await this.#settle(timeoutMs, this.#settings.closeTimeoutMs)
    const lost = ledger.held
    for (const lane of this.#lanes) lane.close()
    if (lost > 0) {
      // What was dropped before for other reasons is told apart.
      diagnostics.finish()
      diagnostics.report('dropped', 'not delivered when the appender closed', undefined, lost)
    }
    await withDeadline(pool.close(), DISCONNECT_TIMEOUT_MS, () => undefined, clock)
    this.#leaveProcessEnd()
    diagnostics.finish()
  }

  #createEnding(): EndingAppender {
    const { exitTimeoutMs } = this.#settings
    const { ledger, pool, diagnostics, clock } = this.#context
    return {
      isWaitedFor: () => exitTimeoutMs > 0 && ledger.held > 0 && ledger.sequence > this.#waitedUpTo,
      deliver: async () => {
        const endMs = clock.monotonic() + exitTimeoutMs
        // Again for what is logged meanwhile.
        while (ledger.held > 0 && (await this.#settle(endMs - clock.monotonic(), 0)));
        if (ledger.held === 0) return
        this.#waitedUpTo = ledger.sequence
        pool.abandonAttempts()
      },
      sayLost: () => {
        const lost = ledger.held
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

  #createLanes(random: Random): Lane[] {
    const { lanes, queue, ...settings } = this.#settings
    const pageBytes = Math.floor(queue.maxBytes / (8 * lanes))
    const pages = new PageStore(Math.min(MAX_PAGE_BYTES, Math.max(MIN_PAGE_BYTES, pageBytes)))
    const context = this.#context
    const create = () => new Lane({ ...settings, context, pages, maxAgeMs: queue.maxAgeMs, random })
    return Array.from({ length: lanes }, create)
  }

  #createIntake(mapper: EventMapper): Intake {
    const { queue, maxEventBytes, headerCaps, urgentLevel, deadLetter } = this.#settings
    return new Intake({
      mapper,
      lanes: this.#lanes,
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

function roomMaker(queue: AppenderSettings['queue']): MakeRoom {
  switch (queue.policy) {
    case 'drop-oldest':
      return dropOldest
    case 'drop-newest':
      return dropNewest
    case 'drop-below-level':
      return dropBelowLevel(levelIndex(queue.level))
  }
}
