import type { LogRecord } from '../log-record.js'
import { EVENT_ID_COUNTED, EVENT_ID_LENGTH } from './event-ids.js'
import { headerEntry } from './header-block.js'
import { shortened } from './context-headers.js'
import { canonicalLevel, severityNumber } from './levels.js'
import { bodyModeOf, type MapperSettings, type Profile } from './mapping-options.js'
import type { ProcessIdentity } from './process-identity.js'

/** Most loggers whose headers are kept encoded; more begin anew. */
const MAX_TEMPLATES = 1_000

/** The encoded headers of one logger and level. */
export interface HeaderTemplate {
  readonly loggerName: string
  readonly level: number
  readonly levelName: string
  /** The process that logged, when it is another one; else 0. */
  readonly originPid: number
  /** All entries that every event of this logger and level has. Time and ids are written into it. */
  readonly bytes: Buffer
  readonly entries: number
  /** The time that `bytes` show now, and where. */
  timestampMs: number
  readonly timeStarts: readonly number[]
  readonly timeDigits: number
  /** Where in `bytes` the counted end of an id goes. */
  readonly idEnds: readonly number[]
}

interface ProfileHeaders {
  readonly timestamps: readonly string[]
  readonly isLog4j1: boolean
  readonly hasExtras: boolean
  readonly hasHost: boolean
  readonly hasId: boolean
}

const PROFILE_HEADERS: Readonly<Record<Profile, ProfileHeaders>> = {
  log4j1: {
    timestamps: ['flume.client.log4j.timestamp', 'timestamp'],
    isLog4j1: true,
    hasExtras: true,
    hasHost: true,
    hasId: true,
  },
  'log4j1-strict': {
    timestamps: ['flume.client.log4j.timestamp'],
    isLog4j1: true,
    hasExtras: false,
    hasHost: false,
    hasId: false,
  },
  log4j2: {
    timestamps: ['timeStamp'],
    isLog4j1: false,
    hasExtras: false,
    hasHost: false,
    hasId: true,
  },
  minimal: {
    timestamps: ['timestamp'],
    isLog4j1: false,
    hasExtras: false,
    hasHost: true,
    hasId: false,
  },
}

/** What all events of a mapper have in common. */
export interface SharedHeaders {
  readonly idPrefix: string
  /** The fixed headers that nothing can replace. */
  readonly fixed: Readonly<Record<string, string>>
  /** For events whose body is a datum of Avro and no text. */
  readonly isAvro?: boolean
}

/** Makes and keeps the encoded headers that many events share. */
export class HeaderTemplates {
  readonly #settings: MapperSettings
  readonly #identity: ProcessIdentity
  readonly #idPrefix: string
  readonly #fixed: Readonly<Record<string, string>>
  readonly #isAvro: boolean
  readonly #byLogger = new Map<string, HeaderTemplate[]>()
  #size = 0
  #last: HeaderTemplate | undefined

  constructor(settings: MapperSettings, identity: ProcessIdentity, shared: SharedHeaders) {
    this.#settings = settings
    this.#identity = identity
    this.#idPrefix = shared.idPrefix
    this.#fixed = shared.fixed
    this.#isAvro = shared.isAvro === true
  }

  /** Whether the profile has Millrace's own headers beside the contract's. */
  get hasExtras(): boolean {
    return PROFILE_HEADERS[this.#settings.profile].hasExtras
  }

  /** The name under which a header goes out; undefined when it was removed. */
  name(name: string): string | undefined {
    const own = Object.hasOwn(this.#settings.headerNames, name)
      ? this.#settings.headerNames[name]
      : name
    return own === false ? undefined : own
  }

  /** The template for a record, with the record's time in it. */
  find(record: LogRecord): HeaderTemplate {
    const last = this.#last
    const template = last !== undefined && isFor(last, record) ? last : this.#known(record)
    this.#last = template
    if (template.timestampMs === record.timestampMs) return template
    return this.#timed(template, record)
  }

  #known(record: LogRecord): HeaderTemplate {
    const known = this.#byLogger.get(record.loggerName)?.find((one) => isFor(one, record))
    return known ?? this.#keep(this.#make(record))
  }

  #keep(template: HeaderTemplate): HeaderTemplate {
    if (this.#size >= MAX_TEMPLATES) {
      this.#byLogger.clear()
      this.#size = 0
    }
    this.#size += 1
    const siblings = this.#byLogger.get(template.loggerName)
    if (siblings === undefined) this.#byLogger.set(template.loggerName, [template])
    else siblings.push(template)
    return template
  }

  /** Writes the time into the template; one with another number of digits takes its place. */
  #timed(template: HeaderTemplate, record: LogRecord): HeaderTemplate {
    const text = timeText(record.timestampMs)
    if (text.length !== template.timeDigits) {
      this.#last = this.#make(record)
      return this.#last
    }
    const { bytes, timeStarts } = template
    for (const start of timeStarts) {
      for (let i = 0; i < text.length; i += 1) bytes[start + i] = text.charCodeAt(i)
    }
    template.timestampMs = record.timestampMs
    return template
  }

  #make(record: LogRecord): HeaderTemplate {
    const entries: Buffer[] = []
    const add = (name: string, value: string | undefined): void => {
      const own = this.name(name)
      if (own !== undefined && value !== undefined) entries.push(headerEntry(own, value))
    }
    const profile = PROFILE_HEADERS[this.#settings.profile]
    const time = timeText(record.timestampMs)
    for (const name of profile.timestamps) add(name, time)
    const timeStarts = timeStartsOf(entries, time.length)
    const { maxValueBytes } = this.#settings.headerCaps
    const level = canonicalLevel(record.level)
    const loggerName = record.loggerName || this.#settings.loggerName
    if (profile.isLog4j1) {
      add('flume.client.log4j.logger.name', shortened(loggerName, maxValueBytes))
      add('flume.client.log4j.log.level', String(level))
      add('flume.client.log4j.message.encoding', this.#isAvro ? undefined : 'UTF8')
      add('flume.client.log4j.address', this.#identity.address)
    }
    if (profile.hasHost) add('host', this.#identity.host)
    if (profile.hasExtras) {
      add('millrace.pid', String(record.origin?.pid ?? this.#identity.pid))
      add('millrace.worker', record.origin?.worker ?? this.#identity.worker)
      add('millrace.level.name', shortened(record.levelName, maxValueBytes))
      add('millrace.body.format', this.#bodyFormat())
    }
    if (this.#settings.severityNumber) add('severity_number', String(severityNumber(level)))
    for (const [name, value] of Object.entries(this.#fixed)) entries.push(headerEntry(name, value))
    const idEnds = this.#addIds(entries, profile.hasId)
    return {
      loggerName: record.loggerName,
      level: record.level,
      levelName: record.levelName,
      originPid: record.origin?.pid ?? 0,
      bytes: Buffer.concat(entries),
      entries: entries.length,
      timestampMs: record.timestampMs,
      timeStarts,
      timeDigits: time.length,
      idEnds,
    }
  }

  #bodyFormat(): string {
    if (this.#isAvro) return 'avro'
    const body = bodyModeOf(this.#settings)
    return body === 'layout' ? 'text' : body
  }

  #addIds(entries: Buffer[], hasId: boolean): number[] {
    const names = [hasId ? this.name('guId') : undefined, this.#settings.idHeader]
    const ends: number[] = []
    let length = entries.reduce((sum, entry) => sum + entry.length, 0)
    for (const name of names) {
      if (name === undefined) continue
      const entry = headerEntry(name, this.#idPrefix.padEnd(EVENT_ID_LENGTH, '0'))
      entries.push(entry)
      length += entry.length
      ends.push(length - EVENT_ID_COUNTED)
    }
    return ends
  }
}

function timeText(timestampMs: number): string {
  return Number.isFinite(timestampMs) ? Math.trunc(timestampMs).toFixed(0) : '0'
}

/** Where the values of the first entries begin when each is `digits` long. */
function timeStartsOf(entries: readonly Buffer[], digits: number): number[] {
  let end = 0
  return entries.map((entry) => {
    end += entry.length
    return end - digits
  })
}

function isFor(template: HeaderTemplate, record: LogRecord): boolean {
  return (
    template.loggerName === record.loggerName &&
    template.level === record.level &&
    template.levelName === record.levelName &&
    template.originPid === (record.origin === undefined ? 0 : record.origin.pid)
  )
}
