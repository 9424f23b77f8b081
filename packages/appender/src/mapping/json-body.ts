import type { LogRecord } from '../log-record.js'
import { errorJson, errorType, MAX_ERROR_LENGTH } from './error-document.js'
import { canonicalLevel } from './levels.js'
import { type ErrorText, isError, jsonMembers, jsonOf, jsonString } from './json-value.js'
import type { MapperSettings } from './mapping-options.js'
import { type Redaction, redactionOf } from './redaction.js'
import { isTraceparent } from './trace-context.js'

/** Version of the document: a change that consumers must know raises it. */
export const JSON_BODY_VERSION = 1

/** What the mapping knows beside the record. */
export interface JsonIdentity {
  readonly host: string
  readonly pid: number
  readonly id: string
  readonly sequence: number
}

/** How much of a record is written; each stage is tried when the one before was too long. */
interface Stage {
  readonly withFields: boolean
  readonly withError: boolean
  readonly maxTextLength: number
}

/** A JSON character takes at most six bytes; two texts of this share leave room for the rest. */
const BYTES_PER_CHARACTER = 16
const NO_SKIPS: ReadonlySet<string> = new Set()

/**
 * The JSON body, version 1: `v, ts, level, levelValue, logger, msg, err, attrs, args, ctx, trace, src,
 * host, pid, id, seq`. Too long a document loses `attrs`, `args` and `ctx`, then the ends of `msg` and
 * `err`, and stays valid.
 */
export class JsonBody {
  readonly #flatten: boolean
  readonly #reserved: ReadonlySet<string>
  readonly #head: string
  /** Of each field what stands in front of its value. */
  readonly #starts: Readonly<Record<Field, string>>
  readonly #redacted: Redaction | undefined
  readonly #errorText: ErrorText

  constructor(settings: Pick<MapperSettings, 'flatten' | 'fieldNames' | 'redact'>) {
    this.#flatten = settings.flatten
    const redacted = redactionOf(settings.redact)
    this.#redacted = redacted
    this.#errorText = (error) =>
      isError(error) ? errorJson(error, [], MAX_ERROR_LENGTH, redacted) : 'null'
    const names = FIELDS.map((field) => [field, settings.fieldNames[field] ?? field] as const)
    this.#reserved = new Set(names.map(([, name]) => name))
    this.#starts = Object.fromEntries(
      names.map(([field, name]) => [field, `,${jsonString(name)}:`]),
    ) as Record<Field, string>
    this.#head = `{${this.#starts.v.slice(1)}${JSON_BODY_VERSION}`
  }

  /** The document, at most `maxBytes` long, and how long it would have been when it was cut. */
  text(
    record: LogRecord,
    identity: JsonIdentity,
    maxBytes: number,
  ): { text: string; fullBytes: number | undefined } {
    const full = this.#document(record, identity, WHOLE)
    if (full.length * 3 <= maxBytes) return { text: full, fullBytes: undefined }
    const fullBytes = Buffer.byteLength(full)
    if (fullBytes <= maxBytes) return { text: full, fullBytes: undefined }
    const maxTextLength = Math.floor(maxBytes / BYTES_PER_CHARACTER)
    for (const stage of [
      WITHOUT_FIELDS,
      { withFields: false, withError: true, maxTextLength },
      { withFields: false, withError: false, maxTextLength },
    ]) {
      const text = this.#document(record, identity, stage)
      if (Buffer.byteLength(text) <= maxBytes) return { text, fullBytes }
    }
    return { text: this.#document({ ...record, text: '' }, identity, BARE), fullBytes }
  }

  #field(field: Field, json: string | undefined): string {
    return json === undefined ? '' : this.#starts[field] + json
  }

  #document(record: LogRecord, identity: JsonIdentity, stage: Stage): string {
    const text = typeof record.text === 'string' ? record.text : record.text.toString('utf8')
    let document = this.#head
    document += this.#field('ts', `"${isoTime(record.timestampMs)}"`)
    document += this.#field('level', jsonString(record.levelName, 256))
    document += this.#field('levelValue', String(canonicalLevel(record.level)))
    document += this.#field('logger', jsonString(record.loggerName, 1_024))
    document += this.#field('msg', jsonString(text, stage.maxTextLength))
    if (record.error !== undefined && record.error !== null) {
      document += this.#field('err', this.#error(record, stage))
    }
    if (stage.withFields) document += this.#fields(record)
    document += this.#field('trace', traceJson(record.traceparent))
    document += this.#field('src', record.source && jsonOf(record.source))
    document += this.#field('host', jsonString(identity.host, 256))
    document += this.#field('pid', String(identity.pid))
    document += this.#field('id', `"${identity.id}"`)
    return `${document}${this.#field('seq', String(identity.sequence))}}`
  }

  #error(record: LogRecord, stage: Stage): string {
    if (!stage.withError) {
      return `{"type":${jsonString(errorType(record.error) ?? typeof record.error)}}`
    }
    const maxLength = Math.min(MAX_ERROR_LENGTH, stage.maxTextLength)
    return errorJson(record.error, record.others, maxLength, this.#redacted)
  }

  #fields(record: LogRecord): string {
    let fields = ''
    if (record.attributes !== undefined) fields += this.#attributes(record.attributes)
    if (record.args !== undefined && record.args.length > 0) {
      const args = jsonOf(record.args, undefined, this.#errorText, this.#redacted)
      fields += this.#field('args', args)
    }
    if (record.context !== undefined) {
      const members = jsonMembers(record.context, this.#members())
      if (members !== '') fields += this.#field('ctx', `{${members}}`)
    }
    return fields
  }

  #attributes(attributes: Readonly<Record<string, unknown>>): string {
    if (!this.#flatten) {
      const members = jsonMembers(attributes, this.#members())
      return members === '' ? '' : this.#field('attrs', `{${members}}`)
    }
    const members = jsonMembers(attributes, {
      ...this.#members(),
      skips: NO_SKIPS,
      rename: (key) => this.#free(key, attributes),
    })
    return members === '' ? '' : `,${members}`
  }

  #members() {
    return { errorText: this.#errorText, redacted: this.#redacted }
  }

  /** The key, with underscores behind it for as long as it is a name of the document. */
  #free(key: string, attributes: object): string {
    let free = key
    while (this.#reserved.has(free) || (free !== key && Object.hasOwn(attributes, free)))
      free += '_'
    return free
  }
}

const FIELDS = [
  'v',
  'ts',
  'level',
  'levelValue',
  'logger',
  'msg',
  'err',
  'attrs',
  'args',
  'ctx',
  'trace',
  'src',
  'host',
  'pid',
  'id',
  'seq',
] as const
type Field = (typeof FIELDS)[number]

const WHOLE: Stage = { withFields: true, withError: true, maxTextLength: Number.MAX_SAFE_INTEGER }
const WITHOUT_FIELDS: Stage = { ...WHOLE, withFields: false }
const BARE: Stage = { withFields: false, withError: false, maxTextLength: 0 }

function isoTime(timestampMs: number): string {
  const date = new Date(timestampMs)
  return Number.isNaN(date.getTime()) ? '1970-01-01T00:00:00.000Z' : date.toISOString()
}

function traceJson(traceparent: string | undefined): string | undefined {
  if (!isTraceparent(traceparent)) return undefined
  const [, traceId, spanId, flags] = traceparent.split('-')
  return jsonOf({ traceId, spanId, flags })
}
