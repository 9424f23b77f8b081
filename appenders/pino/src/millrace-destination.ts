import {
  Appender,
  type AppenderState,
  type AvroData,
  avroOf,
  avroRecords,
  isError,
  type LogRecord,
  readProperty,
  traceparentOf,
} from '@millrace/appender'
import { EventDeliveryError } from '@millrace/runtime'
import { type Line, LineRecords, parsed } from './line-record.js'
import { readLoggerParts } from './logger-parts.js'
import { ADAPTER_OPTIONS, checkPinoOptions, type DestinationOptions } from './pino-options.js'

/** Asks pino to leave the last call on its destination. */
const METADATA: unique symbol = Symbol.for('pino.metadata') as never

/** The part of a logger of pino that is looked at. */
interface PinoLogger {
  readonly bindings?: () => Readonly<Record<string, unknown>>
  readonly levels?: { readonly labels: Readonly<Record<number, string>> }
}

/** What stays the same for a logger's calls; a child is a logger of its own. */
interface LoggerFacts {
  /** `name` of its bindings. */
  readonly name: string
  readonly bindings: Readonly<Record<string, unknown>>
  /** For the keys of this logger's lines. */
  readonly records: LineRecords
  /** Whether the message that was logged is the one in the line. */
  readonly isPlain: boolean
}

/**
 * A destination for a pino logger of the same process and thread. `write` takes each line at once
 * into the appender's bounded queue; it never throws and never blocks.
 *
 * What waits is delivered at the natural end of the process; await `close` before any other.
 */
export class MillraceDestination {
  readonly [METADATA] = true
  /** Tells pino a destination from its options. */
  readonly writable = true
  /** Set by pino before each line. */
  lastLevel: unknown
  lastTime: unknown
  lastMsg: unknown
  lastObj: unknown
  lastLogger: unknown
  readonly #options: DestinationOptions
  readonly #appender: Appender
  /** For lines of which only the text is known. */
  readonly #records: LineRecords
  /** Those for other keys. */
  readonly #otherRecords = new Map<string, LineRecords>()
  readonly #getContext: (() => unknown) | undefined
  readonly #needsFields: boolean
  readonly #allContext: boolean
  readonly #loggerName: string
  readonly #avroKey: string | undefined
  readonly #facts = new WeakMap<object, LoggerFacts>()
  #timeText = ''
  #timeMs = 0

  /** @throws OptionError that names the option. */
  constructor(options: DestinationOptions) {
    checkPinoOptions(options)
    this.#appender = new Appender(options, { loggerName: 'pino', adapterOptions: ADAPTER_OPTIONS })
    this.#options = options
    this.#records = new LineRecords(options)
    this.#getContext = options.getContext
    this.#loggerName = options.loggerName ?? ''
    this.#avroKey = options.avroKey
    this.#allContext = options.context !== undefined && !Array.isArray(options.context.include)
    this.#needsFields = options.context !== undefined
  }

  /** Takes one line of pino, or several. Gives true: there is nothing to wait for. */
  write(text: string): boolean {
    const logger = this.lastLogger
    const object = this.lastObj
    // The next line may come from somebody who sets nothing; and nothing is kept alive.
    this.lastLogger = undefined
    this.lastObj = undefined
    if (typeof logger === 'object' && logger !== null) {
      const record = this.#callRecord(text, logger, object)
      const avro = avroOf(object) ?? this.#avroField(object)
      if (avro === undefined) this.#appender.append(record)
      else for (const one of avroRecords(record, avro)) this.#appender.append(one)
      return true
    }
    for (const line of text.split('\n')) {
      if (line !== '') this.#appender.append(this.#lineRecord(line))
    }
    return true
  }

  /**
   * Sends what was logged before the call without waiting for a batch to fill.
   * @param argument a deadline, or pino's callback, which gets an `EventDeliveryError`
   * (`MILLRACE_DELIVERY_DEADLINE`) where the promise gives false.
   * @returns true when all of it is settled, false when the deadline came first; never rejects.
   */
  flush(
    argument?: { timeoutMs?: number | undefined } | ((error?: Error) => void) | null,
  ): Promise<boolean> {
    if (typeof argument !== 'function') return this.#appender.flush(argument ?? {})
    const flushed = this.#appender.flush()
    void flushed.then((isSettled) =>
      process.nextTick(argument, isSettled ? undefined : flushDeadline()),
    )
    return flushed
  }

  /** For callers that expect it. Nothing can be sent synchronously: what waits goes on waiting. */
  flushSync(): void {}

  /**
   * Delivers what waits, within the deadline. What is logged afterwards is dropped. Never rejects.
   */
  close(options: { timeoutMs?: number | undefined } = {}): Promise<void> {
    return this.#appender.close(options)
  }

  /** As a stream's: begins to close and does not wait. */
  end(): void {
    void this.#appender.close()
  }

  /** Counters and the state of the receivers. */
  state(): AppenderState {
    return this.#appender.state()
  }

  #avroField(object: unknown): AvroData | undefined {
    if (this.#avroKey === undefined || typeof object !== 'object' || object === null)
      return undefined
    return avroOf(readProperty(object, this.#avroKey))
  }

  #lineRecord(line: string): LogRecord {
    return this.#withContext(this.#records.of(line))
  }

  #withContext(record: LogRecord): LogRecord {
    const context = contextOf(this.#getContext)
    return context === undefined ? record : { ...record, context }
  }

  /** The record of a call whose arguments pino has left here. */
  #callRecord(text: string, logger: PinoLogger & object, object: unknown): LogRecord {
    try {
      return this.#directRecord(text, logger, object)
    } catch {
      // A getter of the logged object threw; pino has read it once already, so the line is good.
      return this.#lineRecord(text.slice(0, -1))
    }
  }

  #directRecord(text: string, logger: PinoLogger & object, object: unknown): LogRecord {
    const facts = this.#factsOf(logger)
    const { records } = facts
    const level = this.lastLevel
    const label = typeof level === 'number' ? logger.levels?.labels[level] : undefined
    const levelName = label ?? records.levelName(level)
    const fields = typeof object === 'object' && object !== null ? (object as Line) : NO_FIELDS
    const error = errorOf(fields, records.errorKey)
    const needsLine = records.isJson || this.#needsFields
    const line = needsLine ? (parsed(text) ?? NO_FIELDS) : undefined
    return {
      timestampMs: this.#time(),
      level: records.levelOf(levelName, level),
      levelName,
      loggerName: facts.name === '' ? this.#loggerName : facts.name,
      text: this.#text(text, facts, line),
      error,
      attributes: line === undefined ? undefined : records.fields(line),
      context: this.#contextOf(facts),
      traceparent: hasTrace(fields) ? traceparentOf(fields) : undefined,
      tracestate: fields['tracestate'] as string | undefined,
    }
  }

  /** The body as it is in the line: pino may have redacted or changed what it was given. */
  #text(text: string, facts: LoggerFacts, line: Line | undefined): string {
    const { records } = facts
    if (records.isLine) return text.slice(0, -1)
    const message = this.lastMsg
    // To look into the line costs more than all the rest of the call: pino has just glued it together.
    if (typeof message === 'string' && facts.isPlain) return message
    const whole = text.slice(0, -1)
    const fields = line ?? parsed(whole)
    return fields === undefined ? whole : records.message(whole, fields)
  }

  #contextOf(facts: LoggerFacts): Readonly<Record<string, unknown>> | undefined {
    const given = contextOf(this.#getContext)
    if (!this.#allContext) return given
    return given === undefined ? facts.bindings : { ...facts.bindings, ...given }
  }

  #time(): number {
    const text = this.lastTime
    // Without a time in the lines the text is empty.
    if (typeof text !== 'string' || text === '') return this.#records.time(undefined)
    if (text === this.#timeText) return this.#timeMs
    this.#timeText = text
    this.#timeMs = this.#records.time(text.startsWith('"') ? text.slice(1, -1) : Number(text))
    return this.#timeMs
  }

  #factsOf(logger: PinoLogger & object): LoggerFacts {
    const known = this.#facts.get(logger)
    if (known !== undefined) return known
    const bindings = logger.bindings?.() ?? {}
    const { name } = bindings
    const { messageKey, errorKey, writesPlainMessages } = readLoggerParts(logger)
    const records = this.#recordsFor(messageKey, errorKey)
    const facts = {
      name: typeof name === 'string' ? name : '',
      bindings,
      records,
      isPlain: writesPlainMessages && records.messageKey === messageKey,
    }
    this.#facts.set(logger, facts)
    return facts
  }

  /** An option goes before the logger's own key. */
  #recordsFor(messageKey: string | undefined, errorKey: string | undefined): LineRecords {
    const own = this.#records
    const options = this.#options
    const message = options.messageKey ?? messageKey ?? own.messageKey
    const error = options.errorKey ?? errorKey ?? own.errorKey
    if (message === own.messageKey && error === own.errorKey) return own
    const key = JSON.stringify([message, error])
    const known = this.#otherRecords.get(key)
    if (known !== undefined) return known
    const records = new LineRecords(options, { messageKey: message, errorKey: error })
    this.#otherRecords.set(key, records)
    return records
  }
}

/** The Error that was logged, as it was before pino flattened it. */
function errorOf(fields: Line, errorKey: string): unknown {
  const primary = fields[errorKey]
  if (isError(primary)) return primary
  for (const key in fields) {
    const value = fields[key]
    if (typeof value === 'object' && isError(value)) return value
  }
  return undefined
}

function flushDeadline(): EventDeliveryError {
  return new EventDeliveryError(
    'MILLRACE_DELIVERY_DEADLINE',
    'Events were not delivered when the deadline of flush came; they are kept',
  )
}

const NO_FIELDS: Line = {}

function hasTrace(fields: Line): boolean {
  return (
    fields['trace_id'] !== undefined ||
    fields['traceparent'] !== undefined ||
    fields['traceId'] !== undefined
  )
}

function contextOf(
  getContext: (() => unknown) | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (getContext === undefined) return undefined
  try {
    const value = getContext()
    if (value instanceof Map) return Object.fromEntries(value) as Record<string, unknown>
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/**
 * Makes a destination for `pino(options, destination)` in the process that logs.
 * @throws OptionError that names the option.
 */
export function createDestination(options: DestinationOptions): MillraceDestination {
  return new MillraceDestination(options)
}
