import {
  avroOfJson,
  avroRecords,
  bodyModeOf,
  isErrorLike,
  LevelNames,
  levelOfPinoNumber,
  LOG4J_LEVEL,
  type LogRecord,
  traceparentOf,
} from '@millrace/appender'
import { systemClock } from '@millrace/runtime'
import type { PinoAppenderOptions, TimestampFormat } from './pino-options.js'

/** A parsed line of pino. */
export type Line = Readonly<Record<string, unknown>>

/** Below this a number of seconds, else of milliseconds: the year 1973 in one, 5138 in the other. */
const SECONDS_BELOW = 1e11

/** What pino tells a worker about its logger. */
export interface PinoConfig {
  readonly levels?: { readonly labels?: Readonly<Record<string, string>> } | undefined
  readonly messageKey?: string | undefined
  readonly errorKey?: string | undefined
}

const LABELS: Readonly<Record<string, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

/** Makes the appender's records of pino's lines, where only the line is there. */
export class LineRecords {
  readonly isJson: boolean
  readonly isLine: boolean
  readonly messageKey: string
  readonly errorKey: string
  readonly #labels: Readonly<Record<string, string>>
  readonly #names: LevelNames
  readonly #hasLevelMap: boolean
  readonly #loggerName: string
  readonly #needsFields: boolean
  readonly #avroKey: string | undefined
  readonly #timestampFormat: TimestampFormat

  constructor(options: PinoAppenderOptions, config: PinoConfig = {}) {
    const mode = bodyModeOf(options)
    this.isJson = mode === 'json'
    this.isLine = mode === 'ndjson'
    this.messageKey = options.messageKey ?? config.messageKey ?? 'msg'
    this.errorKey = options.errorKey ?? config.errorKey ?? 'err'
    this.#labels = { ...LABELS, ...config.levels?.labels }
    this.#names = new LevelNames(options.levelMap)
    this.#hasLevelMap = options.levelMap !== undefined
    this.#loggerName = options.loggerName ?? ''
    this.#needsFields = options.context !== undefined
    this.#avroKey = options.avroKey
    this.#timestampFormat = options.timestampFormat ?? 'auto'
  }

  /** The record of a line, without its newline. A line that is no JSON object is a text. */
  of(text: string): LogRecord {
    const line = parsed(text)
    return line === undefined ? this.#plain(text) : this.ofParsed(text, line)
  }

  /** The records of a line: several where it carries several values of Avro. */
  all(text: string): readonly LogRecord[] {
    if (this.#avroKey === undefined) return [this.of(text)]
    const line = parsed(text)
    if (line === undefined) return [this.#plain(text)]
    const avro = avroOfJson(line[this.#avroKey])
    const record = this.ofParsed(text, line)
    return avro === undefined ? [record] : avroRecords(record, avro)
  }

  ofParsed(text: string, line: Line): LogRecord {
    const { level } = line
    const name = line['name']
    return {
      timestampMs: this.time(line['time'] ?? line['timestamp'] ?? line['@timestamp']),
      level: this.levelOf(this.levelName(level), level),
      levelName: this.levelName(level),
      loggerName: typeof name === 'string' && name !== '' ? name : this.#loggerName,
      text: this.isLine ? text : this.message(text, line),
      error: this.#error(line),
      attributes: this.isJson || this.#needsFields ? this.fields(line) : undefined,
      traceparent: traceparentOf(line),
      tracestate: typeof line['tracestate'] === 'string' ? line['tracestate'] : undefined,
    }
  }

  /** The message of a line; in text mode the line itself when it has none. */
  message(text: string, line: Line): string {
    const message = line[this.messageKey]
    if (typeof message === 'string') return message
    if (message !== undefined && message !== null) return JSON.stringify(message)
    return this.isJson ? '' : text
  }

  time(value: unknown): number {
    const format = this.#timestampFormat
    if (typeof value === 'number' && Number.isFinite(value) && format !== 'iso') {
      const isSeconds = format === 'epochSec' || (format === 'auto' && value < SECONDS_BELOW)
      return isSeconds ? value * 1_000 : value
    }
    // Date.parse reads nanoseconds, too, and keeps the milliseconds.
    const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
    return Number.isNaN(time) ? systemClock.now() : time
  }

  /** Log4j's level for one of pino, given by its name and its number. */
  levelOf(name: string, level: unknown): number {
    if (this.#hasLevelMap) {
      const own = this.#names.own(name)
      if (own !== undefined) return own
    }
    if (typeof level === 'number') return levelOfPinoNumber(level)
    return this.#names.find(name) ?? LOG4J_LEVEL.INFO
  }

  levelName(level: unknown): string {
    if (typeof level === 'number') return this.#labels[level] ?? String(level)
    return typeof level === 'string' ? level : 'info'
  }

  /** The bindings and fields beside what the event shows elsewhere. */
  fields(line: Line): Record<string, unknown> {
    const fields: Record<string, unknown> = {}
    for (const key of Object.keys(line)) {
      if (HEAD.has(key) || key === this.messageKey || key === this.errorKey) continue
      fields[key] = line[key]
    }
    return fields
  }

  /** pino has flattened it: `{ type, message, stack, … }`. */
  #error(line: Line): unknown {
    const error = line[this.errorKey]
    return isErrorLike(error) ? withErrors(error) : undefined
  }

  #plain(text: string): LogRecord {
    return {
      timestampMs: systemClock.now(),
      level: LOG4J_LEVEL.INFO,
      levelName: 'info',
      loggerName: this.#loggerName,
      text,
    }
  }
}

/** pino's serialiser keeps what an AggregateError holds under a name of its own. */
function withErrors(error: object): object {
  if (!('aggregateErrors' in error) || !Array.isArray(error.aggregateErrors)) return error
  const { aggregateErrors, ...rest } = error
  const errors = aggregateErrors.map((one: unknown) => (isErrorLike(one) ? withErrors(one) : one))
  return { ...rest, errors }
}

const HEAD: ReadonlySet<string> = new Set(['level', 'time', 'pid', 'hostname', 'name'])

/** The line as an object; undefined when it is something else. */
export function parsed(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Line)
      : undefined
  } catch {
    return undefined
  }
}
