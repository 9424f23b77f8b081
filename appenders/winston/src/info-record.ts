import { inspect } from 'node:util'
import {
  isError,
  isErrorLike,
  LevelNames,
  LOG4J_LEVEL,
  type LogRecord,
  readProperty,
  traceparentOf,
} from '@millrace/appender'
import { systemClock } from '@millrace/runtime'

/** The keys under which winston's formats keep what is not a field. */
const LEVEL = Symbol.for('level')
const MESSAGE = Symbol.for('message')
const SPLAT = Symbol.for('splat')

/** Key of what `attachContext` noted. */
export const CAPTURED = Symbol.for('millrace.winston.captured')

export interface Captured {
  readonly timestampMs: number
  readonly context: Readonly<Record<string, unknown>> | undefined
  /** The Error that was logged as the record or as its message. */
  readonly error: Error | undefined
  readonly traceparent: string | undefined
}

/** A record of winston after its formats. */
export type Info = Readonly<Record<string | symbol, unknown>>

/** Fields under which an error is looked for first, in this order. */
const ERROR_FIELDS = ['err', 'error', 'exception', 'reason'] as const
/** Most arguments of a call that are looked through for errors. */
const MAX_SPLAT = 16
const MAX_UNKNOWN_LEVELS = 100

export interface InfoRecordOptions {
  readonly loggerName: string | undefined
  readonly trustTimestamp: boolean
  readonly levelMap: Readonly<Record<string, number>> | undefined
  readonly uncaughtLevel: number
  /** Whether the body shows the message and the fields, and not the rendered text. */
  readonly isJson: boolean
  /** Whether the mapping looks for context entries among the fields. */
  readonly needsFields: boolean
  /** Called once for each level name that nobody knows. */
  readonly onUnknownLevel: (name: string) => void
}

/** Makes the appender's records of winston's. */
export class InfoRecords {
  readonly #options: InfoRecordOptions
  readonly #names: LevelNames
  readonly #levels = new Map<string, number>()

  constructor(options: InfoRecordOptions) {
    this.#options = options
    this.#names = new LevelNames(options.levelMap)
  }

  of(info: Info): LogRecord {
    const levelName = textOf(info[LEVEL] ?? info['level'])
    const captured = info[CAPTURED] as Captured | undefined
    const isUncaught = uncaughtKind(info)
    const errors = errorsOf(info, captured?.error)
    const error = errors?.[0]
    const { isJson } = this.#options
    return {
      timestampMs: this.#time(info, captured),
      level: this.#level(levelName, isUncaught),
      levelName,
      loggerName: this.#loggerName(info),
      text: isJson ? textOf(info['message']) : renderedText(info),
      error,
      others: errors !== undefined && errors.length > 1 ? errors.slice(1) : undefined,
      attributes: isJson ? fieldsOf(info, errors) : this.#options.needsFields ? info : undefined,
      context: captured?.context,
      traceparent: traceOf(info) ?? captured?.traceparent,
      tracestate: info['tracestate'] as string | undefined,
      isUncaught,
    }
  }

  #loggerName(info: Info): string {
    const { loggerName } = this.#options
    if (loggerName !== undefined) return loggerName
    const { logger, label, service } = info
    if (typeof logger === 'string') return logger
    if (typeof label === 'string') return label
    return typeof service === 'string' ? service : ''
  }

  #level(name: string, isUncaught: LogRecord['isUncaught']): number {
    if (isUncaught !== undefined) return this.#options.uncaughtLevel
    const known = this.#levels.get(name)
    if (known !== undefined) return known
    const found = this.#names.find(name)
    if (this.#levels.size < MAX_UNKNOWN_LEVELS) {
      this.#levels.set(name, found ?? LOG4J_LEVEL.INFO)
      if (found === undefined) this.#options.onUnknownLevel(name)
    }
    return found ?? LOG4J_LEVEL.INFO
  }

  #time(info: Info, captured: Captured | undefined): number {
    if (this.#options.trustTimestamp) {
      const { timestamp } = info
      const given =
        typeof timestamp === 'string' && ISO_TIME.test(timestamp)
          ? Date.parse(timestamp)
          : timestamp
      if (typeof given === 'number' && Number.isFinite(given)) return given
    }
    return captured?.timestampMs ?? systemClock.now()
  }
}

/** With a zone: without one the text could mean any local time. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)$/

function uncaughtKind(info: Info): LogRecord['isUncaught'] {
  if (info['exception'] === true) return 'exception'
  return info['rejection'] === true ? 'rejection' : undefined
}

/** What a format rendered, else the message. */
function renderedText(info: Info): string {
  const rendered = info[MESSAGE]
  if (typeof rendered !== 'string') return textOf(info['message'])
  // An Error as the record has its message where JSON does not look.
  if (!isError(info)) return rendered
  const message = textOf(readProperty(info, 'message'))
  return rendered.includes(JSON.stringify(message).slice(1, -1)) ? rendered : message
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return ''
  if (isError(value)) return textOf(readProperty(value, 'message'))
  return inspect(value)
}

/** The record's errors, the primary one first; undefined when there are none. */
function errorsOf(info: Info, captured: Error | undefined): unknown[] | undefined {
  const errors = mayHaveErrors(info) ? findErrors(info) : undefined
  if (errors !== undefined) return errors
  if (captured !== undefined) return [captured]
  // A child logger, winston's own merge and its format `errors` copy the stack and forget the Error.
  const { stack } = info
  return typeof stack === 'string' ? [copiedError(info, stack)] : undefined
}

/** False for the common record: it is no error, and neither its fields nor its arguments are objects. */
function mayHaveErrors(info: Info): boolean {
  if (info['stack'] !== undefined || isError(info)) return true
  for (const key in info) {
    const value = info[key]
    if (typeof value === 'object' && value !== null) return true
  }
  const splat = info[SPLAT]
  if (!Array.isArray(splat)) return false
  return splat.length > 1 || isError(splat[0])
}

function findErrors(info: Info): unknown[] | undefined {
  let errors: unknown[] | undefined
  if (isError(info)) errors = [info]
  const splat = info[SPLAT]
  if (Array.isArray(splat) && splat.length > 0) {
    for (let i = 0; i < splat.length && i < MAX_SPLAT; i += 1) {
      if (isError(splat[i])) errors = added(errors, splat[i])
    }
  }
  for (const key of ERROR_FIELDS) {
    const value = info[key]
    if (value !== undefined && isErrorLike(value)) errors = added(errors, value)
  }
  for (const key in info) {
    const value = info[key]
    if (typeof value === 'object' && isError(value) && key !== 'cause')
      errors = added(errors, value)
  }
  return errors
}

/** What is left of an Error after its fields were copied. */
function copiedError(info: Info, stack: string): object {
  const { name } = info
  const [, inStack] = STACK_TYPE.exec(stack) ?? []
  // Most classes set their name when the stack is already written.
  const isNamed = typeof name === 'string' && ERROR_NAME.test(name)
  const type = isNamed && (inStack === undefined || inStack === 'Error') ? name : inStack
  return { type, message: textOf(info['message']), stack, cause: info['cause'] }
}

/** `TypeError: …`, `TypeError [ERR_CODE]: …`, or the type alone. */
const STACK_TYPE = /^([A-Za-z_$][\w$.]{0,254})(?: \[[^\]\n]{1,100}\])?(?::|\n|$)/
const ERROR_NAME = /^[A-Za-z_$][\w$]{0,250}(?:Error|Exception)$/

function added(errors: unknown[] | undefined, error: unknown): unknown[] {
  if (errors === undefined) return [error]
  if (!errors.includes(error)) errors.push(error)
  return errors
}

/** The fields beside level, message and what became the error. */
function fieldsOf(info: Info, errors: readonly unknown[] | undefined): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const key of Object.keys(info)) {
    if (key === 'level' || key === 'message') continue
    if (errors !== undefined && (key === 'stack' || key === 'cause')) continue
    const value = readProperty(info, key)
    if (errors?.includes(value) !== true) fields[key] = value
  }
  return fields
}

function traceOf(info: Info): string | undefined {
  if (
    info['trace_id'] === undefined &&
    info['traceparent'] === undefined &&
    info['traceId'] === undefined
  ) {
    return undefined
  }
  return traceparentOf(info)
}
