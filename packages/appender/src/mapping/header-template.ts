import type { LogRecord } from '../log-record.js'
import { EVENT_ID_COUNTED, EVENT_ID_LENGTH } from './event-ids.js'
import { headerEntry, headerName } from './header-block.js'
import { shortened } from './context-headers.js'
import { canonicalLevel, severityNumber } from './levels.js'
import { bodyModeOf, type MapperSettings, type Profile } from './mapping-options.js'

/** Most loggers whose headers are kept encoded; more begin anew. */
const MAX_TEMPLATES = 1_000

/** What stays the same for all events of one process. */
export interface ProcessIdentity {
  readonly host: string
  readonly address: string
  readonly pid: number
  /** Cluster worker or worker thread, as `cluster-1` or `thread-2`; undefined in the main one. */
  readonly worker: string | undefined
}

/** The encoded headers of one logger and level. */
export interface HeaderTemplate {
  readonly loggerName: string
  readonly level: number
  readonly levelName: string
  /** Entries that depend on nothing else, and behind them the ids with their ends left open. */
  readonly bytes: Buffer
  readonly entries: number
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

/** Makes and keeps the encoded headers that many events share. */
export class HeaderTemplates {
  readonly #settings: MapperSettings
  readonly #identity: ProcessIdentity
  readonly #idPrefix: string
  readonly #fixed: Readonly<Record<string, string>>
  readonly #byLogger = new Map<string, HeaderTemplate[]>()
  readonly #stampNames: readonly Buffer[]
  #size = 0
  #last: HeaderTemplate | undefined
  #stampMs = Number.NaN
  #stamp: Buffer = Buffer.alloc(0)

  /** `fixed` are the fixed headers that nothing can replace. */
  constructor(
    settings: MapperSettings,
    identity: ProcessIdentity,
    idPrefix: string,
    fixed: Readonly<Record<string, string>>,
  ) {
    this.#settings = settings
    this.#identity = identity
    this.#idPrefix = idPrefix
    this.#fixed = fixed
    this.#stampNames = PROFILE_HEADERS[settings.profile].timestamps.flatMap((name) => {
      const own = this.name(name)
      return own === undefined ? [] : [headerName(own)]
    })
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

  /** Number of entries that {@link HeaderTemplates.stamp} gives. */
  get stampEntries(): number {
    return this.#stampNames.length
  }

  /** The encoded time headers. The same bytes are given until the millisecond changes. */
  stamp(timestampMs: number): Buffer {
    if (timestampMs === this.#stampMs) return this.#stamp
    const text = Number.isFinite(timestampMs) ? Math.trunc(timestampMs).toFixed(0) : '0'
    const length = this.#stampNames.reduce((sum, name) => sum + name.length + 1 + text.length, 0)
    if (this.#stamp.length !== length) this.#stamp = this.#freshStamp(text.length, length)
    const stamp = this.#stamp
    let at = 0
    for (const name of this.#stampNames) {
      at += name.length + 1
      for (let i = 0; i < text.length; i += 1) stamp[at + i] = text.charCodeAt(i)
      at += text.length
    }
    this.#stampMs = timestampMs
    return stamp
  }

  find(record: LogRecord): HeaderTemplate {
    const last = this.#last
    if (last !== undefined && isFor(last, record)) return last
    const known = this.#byLogger.get(record.loggerName)
    let template = known?.find((one) => isFor(one, record))
    if (template === undefined) {
      template = this.#make(record)
      if (this.#size >= MAX_TEMPLATES) {
        this.#byLogger.clear()
        this.#size = 0
      }
      this.#size += 1
      const siblings = this.#byLogger.get(record.loggerName)
      if (siblings === undefined) this.#byLogger.set(record.loggerName, [template])
      else siblings.push(template)
    }
    this.#last = template
    return template
  }

  #freshStamp(digits: number, length: number): Buffer {
    const stamp = Buffer.alloc(length)
    let at = 0
    for (const name of this.#stampNames) {
      at += name.copy(stamp, at)
      stamp[at] = digits * 2
      at += 1 + digits
    }
    return stamp
  }

  #make(record: LogRecord): HeaderTemplate {
    const entries: Buffer[] = []
    const add = (name: string, value: string | undefined): void => {
      const own = this.name(name)
      if (own !== undefined && value !== undefined) entries.push(headerEntry(own, value))
    }
    const { timestamps: _, ...profile } = PROFILE_HEADERS[this.#settings.profile]
    const { maxValueBytes } = this.#settings.headerCaps
    const body = bodyModeOf(this.#settings)
    const level = canonicalLevel(record.level)
    const loggerName = record.loggerName || this.#settings.loggerName
    if (profile.isLog4j1) {
      add('flume.client.log4j.logger.name', shortened(loggerName, maxValueBytes))
      add('flume.client.log4j.log.level', String(level))
      add('flume.client.log4j.message.encoding', 'UTF8')
      add('flume.client.log4j.address', this.#identity.address)
    }
    if (profile.hasHost) add('host', this.#identity.host)
    if (profile.hasExtras) {
      add('millrace.pid', String(this.#identity.pid))
      add('millrace.worker', this.#identity.worker)
      add('millrace.level.name', shortened(record.levelName, maxValueBytes))
      add('millrace.body.format', body === 'layout' ? 'text' : body)
    }
    if (this.#settings.severityNumber) add('severity_number', String(severityNumber(level)))
    for (const [name, value] of Object.entries(this.#fixed)) entries.push(headerEntry(name, value))
    const idEnds = this.#addIds(entries, profile.hasId)
    return {
      loggerName: record.loggerName,
      level: record.level,
      levelName: record.levelName,
      bytes: Buffer.concat(entries),
      entries: entries.length,
      idEnds,
    }
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

function isFor(template: HeaderTemplate, record: LogRecord): boolean {
  return (
    template.loggerName === record.loggerName &&
    template.level === record.level &&
    template.levelName === record.levelName
  )
}
