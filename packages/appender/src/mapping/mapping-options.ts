import { OptionError } from '@millrace/runtime'
import {
  checkOptions,
  flag,
  isPlainObject,
  oneOf,
  type OptionGroup,
  type OptionValues,
} from '../options/option-check.js'
import { levelMap } from './levels.js'

/** Which headers an event gets. `log4j1` is the default. */
export const PROFILES = ['log4j1', 'log4j1-strict', 'log4j2', 'minimal'] as const
export type Profile = (typeof PROFILES)[number]

/** What an event's body is. The default is `text`, in profile `minimal` it is `json`. */
export const BODY_MODES = ['text', 'json', 'ndjson', 'layout'] as const
export type BodyMode = (typeof BODY_MODES)[number]

/** Longest value of one header, in bytes. */
export const MAX_HEADER_VALUE_BYTES = 8 * 1_024
/** Longest name of one header, in bytes. */
export const MAX_HEADER_NAME_BYTES = 256
/** Most headers from the `headers` option. */
export const MAX_FIXED_HEADERS = 32

/** Which entries of a record's context become headers. */
export interface ContextOptions {
  /** Names, looked up in the context and then in the record's fields; `'*'` is all of the context. */
  readonly include?: readonly string[] | '*' | undefined
  /** Names left out; without effect when `include` is a list. */
  readonly exclude?: readonly string[] | undefined
  /** Names whose absence is marked by the header `millrace.context.missing`. */
  readonly required?: readonly string[] | undefined
  /** Put in front of each name. Default `mdc.`, in profile `log4j2` nothing. */
  readonly prefix?: string | undefined
}

/** How a record becomes an event. Every field may be left out. */
export interface MappingOptions {
  readonly profile?: Profile | undefined
  readonly body?: BodyMode | undefined
  /** In text mode, whether an error's stack follows the text that does not show it. Default true, in `log4j1-strict` false. */
  readonly appendStack?: boolean | undefined
  /** Value of the header `host`. Default: the machine's host name. */
  readonly host?: string | undefined
  /** Value of `flume.client.log4j.address`. Default: the first address that is not internal. */
  readonly address?: string | undefined
  /** Level names with Log4j's integers; goes before the built-in table. */
  readonly levelMap?: Readonly<Record<string, number>> | undefined
  /** Headers with a fixed value on every event. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Other names for the mapping's own headers; `false` removes one. */
  readonly headerNames?: Readonly<Record<string, string | false>> | undefined
  /** A second header that carries the event's id, for example `id`. */
  readonly idHeader?: string | undefined
  /** Adds `severity_number`, OpenTelemetry's number of the level. Default false. */
  readonly severityNumber?: boolean | undefined
  readonly context?: ContextOptions | undefined
  /**
   * Names of fields, in any case and at any depth, whose values are not shown in JSON bodies and context
   * headers. A text that the logger has rendered is left as it is.
   */
  readonly redact?: readonly string[] | undefined
  /** Other names for the JSON body's fields. */
  readonly fieldNames?: Readonly<Record<string, string>> | undefined
  /** Puts `attrs` on the top level of the JSON body. Default false. */
  readonly flatten?: boolean | undefined
}

/** The checks of {@link MappingOptions}. */
export const mappingOptions = {
  profile: oneOf(PROFILES, { default: 'log4j1' }),
  body: oneOf(BODY_MODES, { default: undefined }),
  appendStack: optionalFlag,
  host: headerValue,
  address: headerValue,
  levelMap,
  headers: fixedHeaders,
  headerNames: newNames,
  idHeader: headerNameOption,
  severityNumber: flag({ default: false }),
  context: contextOptions,
  redact: names,
  fieldNames: texts,
  flatten: flag({ default: false }),
} as const satisfies OptionGroup

/** What a mapper is made from: checked options of the appender and the defaults of its logger. */
export interface MapperSettings extends OptionValues<typeof mappingOptions> {
  /** The logger name of records that have none. */
  readonly loggerName: string
  /** Largest body in bytes. */
  readonly maxEventBytes: number
  readonly headerCaps: { readonly maxValueBytes: number; readonly maxEventBytes: number }
}

/** What the body is when it is left to the profile. */
export function bodyModeOf(options: Pick<MappingOptions, 'profile' | 'body'>): BodyMode {
  return options.body ?? (options.profile === 'minimal' ? 'json' : 'text')
}

export function appendsStack(options: Pick<MappingOptions, 'profile' | 'appendStack'>): boolean {
  return options.appendStack ?? options.profile !== 'log4j1-strict'
}

function optionalFlag(value: unknown, name: string): boolean | undefined {
  return value === undefined ? undefined : flag({ default: false })(value, name)
}

function headerValue(value: unknown, name: string): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && Buffer.byteLength(value) <= MAX_HEADER_VALUE_BYTES) return value
  throw new OptionError(`${name} must be a text of at most ${MAX_HEADER_VALUE_BYTES} bytes`)
}

function headerNameOption(value: unknown, name: string): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw new OptionError(`${name} must be the name of a header`)
  checkName(name, value)
  return value
}

function texts(value: unknown, name: string): Readonly<Record<string, string>> {
  if (value === undefined) return {}
  if (!isPlainObject(value)) throw new OptionError(`${name} must be an object of texts`)
  const result: Record<string, string> = {}
  for (const [key, one] of Object.entries(value)) {
    if (typeof one !== 'string') throw new OptionError(`${name}.${key} must be a text`)
    result[key] = one
  }
  return result
}

function checkName(option: string, name: string): void {
  if (name !== '' && Buffer.byteLength(name) <= MAX_HEADER_NAME_BYTES) return
  throw new OptionError(
    `${option}: a header's name has between 1 and ${MAX_HEADER_NAME_BYTES} bytes`,
  )
}

function fixedHeaders(value: unknown, option: string): Readonly<Record<string, string>> {
  if (typeof value === 'function') {
    throw new OptionError(`${option} as a function is not available yet; give an object`)
  }
  const headers = texts(value, option)
  const entries = Object.entries(headers)
  if (entries.length > MAX_FIXED_HEADERS) {
    throw new OptionError(`${option} must hold at most ${MAX_FIXED_HEADERS} entries`)
  }
  for (const [name, one] of entries) {
    checkName(option, name)
    headerValue(one, `${option}.${name}`)
    if (isReservedHeader(name)) {
      throw new OptionError(
        `${option}.${name}: this header belongs to the mapping; rename or remove it with headerNames`,
      )
    }
  }
  return headers
}

function newNames(value: unknown, option: string): Readonly<Record<string, string | false>> {
  if (value === undefined) return {}
  if (!isPlainObject(value)) throw new OptionError(`${option} must be an object of header names`)
  const result: Record<string, string | false> = {}
  for (const [name, other] of Object.entries(value)) {
    if (other !== false && typeof other !== 'string') {
      throw new OptionError(`${option}.${name} must be a name or false`)
    }
    if (other !== false) checkName(`${option}.${name}`, other)
    result[name] = other
  }
  return result
}

/** {@link ContextOptions} after the check; without a prefix the profile decides. */
export interface ContextSettings {
  readonly include: readonly string[] | '*'
  readonly exclude: readonly string[]
  readonly required: readonly string[]
  readonly prefix: string | undefined
}

function contextOptions(value: unknown, option: string): ContextSettings | undefined {
  if (value === undefined) return undefined
  return checkOptions(
    { include: namesOrAll, exclude: names, required: names, prefix: headerValue },
    value,
    option,
  )
}

function namesOrAll(value: unknown, option: string): readonly string[] | '*' {
  return value === undefined || value === '*' ? '*' : names(value, option)
}

function names(value: unknown, option: string): readonly string[] {
  if (value === undefined) return []
  if (Array.isArray(value) && value.every((one): one is string => typeof one === 'string')) {
    return [...value]
  }
  throw new OptionError(`${option} must be a list of names`)
}

const RESERVED: ReadonlySet<string> = new Set([
  'timestamp',
  'timeStamp',
  'host',
  'guId',
  'error.type',
  'traceparent',
  'tracestate',
  'severity_number',
])

/** True for the names that the mapping writes itself, and for `flume.*` and `millrace.*`. */
export function isReservedHeader(name: string): boolean {
  return name.startsWith('flume.') || name.startsWith('millrace.') || RESERVED.has(name)
}
