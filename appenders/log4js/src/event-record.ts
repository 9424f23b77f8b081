import { format } from 'node:util'
import {
  canonicalLevel,
  isError,
  LevelNames,
  LOG4J_LEVEL,
  type LogRecord,
  readProperty,
  traceparentOf,
} from '@millrace/appender'
import type { LoggingEvent } from 'log4js'

/** log4js's MARK lies above every level and means none of them. */
const MARK = 'MARK'
/** Most arguments of one call that are looked at one by one. */
const MAX_ARGUMENTS = 100
const PLACEHOLDER = /%[sdifjoOc%]/g

export type Layout = (event: LoggingEvent) => string

export interface EventRecordOptions {
  readonly layout: Layout
  readonly levelMap: Readonly<Record<string, number>> | undefined
  readonly markLevel: number
  /** Whether the body shows the message and the arguments, and not the layout's text. */
  readonly isJson: boolean
  /** Give context entries at each call; a later one goes before those ahead of it. */
  readonly contexts: readonly (() => unknown)[]
}

/** Makes the appender's records of log4js's logging events. */
export class EventRecords {
  readonly #options: EventRecordOptions
  readonly #names: LevelNames

  constructor(options: EventRecordOptions) {
    this.#options = options
    this.#names = new LevelNames(options.levelMap)
  }

  of(event: LoggingEvent): LogRecord {
    const { isJson, layout } = this.#options
    const errors = errorsOf(event)
    const context = this.#context(event)
    const message = isJson ? messageOf(event.data) : undefined
    return {
      timestampMs: timeOf(event.startTime),
      level: this.#level(event),
      levelName: event.level.levelStr,
      loggerName: event.categoryName,
      text: message === undefined ? layout(event) : message.text,
      error: errors?.[0],
      others: errors !== undefined && errors.length > 1 ? errors.slice(1) : undefined,
      attributes: message?.attributes,
      args: message?.args,
      source: event.fileName === undefined ? undefined : sourceOf(event),
      origin: event.cluster === undefined ? undefined : originOf(event.pid, event.cluster),
      context,
      traceparent: context === undefined ? undefined : traceparentOf(context),
      tracestate: undefined,
      isUncaught: undefined,
    }
  }

  #level(event: LoggingEvent): number {
    const { levelStr, level } = event.level
    const own = this.#names.own(levelStr)
    if (own !== undefined) return own
    return levelStr === MARK ? this.#options.markLevel : canonicalLevel(level)
  }

  /** The logger's context, and over it what the other sources give. */
  #context(event: LoggingEvent): Readonly<Record<string, unknown>> | undefined {
    let context = contextOf(event.context)
    for (const source of this.#options.contexts) {
      const given = contextOf(source())
      if (context === undefined) context = given
      else if (given !== undefined) context = { ...context, ...given }
    }
    return context
  }
}

function contextOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (value instanceof Map) return Object.fromEntries(value) as Record<string, unknown>
  for (const _ in value) return value as Record<string, unknown>
  return undefined
}

/** Events from another process of a cluster have been through JSON. */
function timeOf(time: unknown): number {
  if (time instanceof Date) return time.getTime()
  return typeof time === 'string' ? Date.parse(time) : Number(time)
}

function errorsOf(event: LoggingEvent): unknown[] | undefined {
  const { data } = event
  let errors: unknown[] | undefined = event.error === undefined ? undefined : [event.error]
  for (let i = 0; i < data.length && i < MAX_ARGUMENTS; i += 1) {
    const value: unknown = data[i]
    if (typeof value !== 'object' || value === null) continue
    errors = withErrorsIn(value, errors)
  }
  return errors
}

/** The argument itself when it is an error, else the errors among its fields. */
function withErrorsIn(value: object, errors: unknown[] | undefined): unknown[] | undefined {
  if (isError(value)) return added(errors, value)
  if (Array.isArray(value)) return errors
  let found = errors
  try {
    const fields = value as Record<string, unknown>
    for (const key in fields) {
      const field = fields[key]
      if (typeof field === 'object' && isError(field)) found = added(found, field)
    }
  } catch {
    // A getter threw: the errors that were found before it are the record's.
    return found
  }
  return found
}

function added(errors: unknown[] | undefined, error: unknown): unknown[] {
  if (errors === undefined) return [error]
  if (!errors.includes(error)) errors.push(error)
  return errors
}

/** Events of cluster workers come to the primary with their process beside them. */
function originOf(pid: number, cluster: NonNullable<LoggingEvent['cluster']>): LogRecord['origin'] {
  return { pid, worker: `cluster-${cluster.workerId}` }
}

function sourceOf(event: LoggingEvent): LogRecord['source'] {
  return {
    file: event.fileName,
    line: event.lineNumber,
    column: event.columnNumber,
    func: event.functionName,
  }
}

interface Message {
  readonly text: string
  readonly attributes: Record<string, unknown> | undefined
  readonly args: readonly unknown[]
}

/** The interpolated message, the fields of object arguments merged in order, and the rest. */
function messageOf(data: readonly unknown[]): Message {
  const used = argumentsOfText(data[0])
  let text = used === 0 ? '' : formatted(data.slice(0, used))
  let attributes: Record<string, unknown> | undefined
  const args: unknown[] = []
  for (const value of data.slice(used, MAX_ARGUMENTS)) {
    if (isError(value)) text ||= String(readProperty(value, 'message'))
    else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      attributes = withFields(attributes ?? {}, value)
    } else args.push(value)
  }
  if (text === '' && args.length > 0) text = formatted(args.splice(0, 1))
  return { text, attributes, args }
}

/** The text itself and what its placeholders take; 0 when there is no text. */
function argumentsOfText(first: unknown): number {
  if (typeof first !== 'string') return 0
  return 1 + (first.match(PLACEHOLDER)?.filter((found) => found !== '%%').length ?? 0)
}

function withFields(fields: Record<string, unknown>, value: object): Record<string, unknown> {
  for (const key of Object.keys(value)) {
    const field = readProperty(value, key)
    if (!isError(field)) fields[key] = field
  }
  return fields
}

function formatted(data: readonly unknown[]): string {
  try {
    return format(...data)
  } catch {
    return String(data[0])
  }
}

/** Used where a layout or the record itself cannot be read. */
export function brokenRecord(event: LoggingEvent, reason: string, nowMs: number): LogRecord {
  return {
    timestampMs: nowMs,
    level: LOG4J_LEVEL.INFO,
    levelName: 'INFO',
    loggerName: typeof event?.categoryName === 'string' ? event.categoryName : '',
    text: `[record cannot be read: ${reason}]`,
  }
}
