import type { ByteWriter } from '@millrace/event'
import { messageOf } from '@millrace/runtime'
import type { EventMapper } from '../event-mapper.js'
import type { AvroDatum, LogRecord } from '../log-record.js'
import { AvroHeaders } from './avro-headers.js'
import { ContextHeaders, shortened } from './context-headers.js'
import { errorType, stackText } from './error-document.js'
import { EventIds } from './event-ids.js'
import { HeaderBlock, headerEntry, headerName, writeText } from './header-block.js'
import { HeaderTemplates } from './header-template.js'
import { JsonBody } from './json-body.js'
import {
  appendsStack,
  bodyModeOf,
  type MapperSettings,
  MAX_HEADER_NAME_BYTES,
} from './mapping-options.js'
import { type ProcessIdentity, processIdentity } from './process-identity.js'
import { isTraceparent, MAX_TRACESTATE_LENGTH } from './trace-context.js'

/** What a mapper takes from its surroundings; tests hand in their own. */
export interface MapperEnvironment {
  readonly identity?: Partial<ProcessIdentity>
  readonly ids?: EventIds
}

/** What a mapper had to leave out so far. */
export interface MapperCounters {
  /** Events whose body was cut to `maxEventBytes`. */
  truncated: number
  /** Context entries that found no room. */
  droppedHeaders: number
  /** Records that could not be encoded as they should: their event carries `millrace.encodeError`. */
  encodeErrors: number
}

/** Makes the mapper for checked options. */
export function createEventMapper(
  settings: MapperSettings,
  environment: MapperEnvironment = {},
): RecordMapper {
  return new RecordMapper(settings, environment)
}

/**
 * Writes records as encoded events, headers and body straight into the batch's bytes.
 *
 *     event   := headers body
 *     headers := time headers, template of logger and level, seq, then what only some records have
 *
 * The common record costs a few copies: everything that repeats is kept encoded. A record that
 * cannot be encoded gives an event that says so, never an exception.
 */
export class RecordMapper implements EventMapper {
  readonly counters: MapperCounters = { truncated: 0, droppedHeaders: 0, encodeErrors: 0 }
  readonly #settings: MapperSettings
  readonly #identity: ProcessIdentity
  readonly #ids: EventIds
  readonly #templates: HeaderTemplates
  readonly #avro: AvroHeaders
  readonly #block = new HeaderBlock()
  readonly #context: ContextHeaders | undefined
  readonly #json: JsonBody | undefined
  readonly #appendsStack: boolean
  readonly #isStrict: boolean
  readonly #sequenceName: Buffer | undefined
  readonly #optional: OptionalNames

  constructor(settings: MapperSettings, environment: MapperEnvironment = {}) {
    this.#settings = settings
    this.#identity = processIdentity(settings, environment.identity)
    this.#ids = environment.ids ?? new EventIds()
    const { fixed, replaceable } = splitFixed(settings)
    const idPrefix = this.#ids.prefix
    this.#templates = new HeaderTemplates(settings, this.#identity, { idPrefix, fixed })
    this.#avro = new AvroHeaders(
      new HeaderTemplates(settings, this.#identity, { idPrefix, fixed, isAvro: true }),
    )
    const body = bodyModeOf(settings)
    this.#json = body === 'json' ? new JsonBody(settings) : undefined
    this.#appendsStack = body !== 'ndjson' && appendsStack(settings)
    this.#isStrict = settings.profile === 'log4j1-strict'
    if (settings.context !== undefined && !this.#isStrict) {
      const prefix = settings.context.prefix ?? (settings.profile === 'log4j2' ? '' : 'mdc.')
      const context = { ...settings.context, prefix }
      const caps = { ...settings.headerCaps, redact: settings.redact }
      this.#context = new ContextHeaders(context, replaceable, caps)
    }
    this.#optional = optionalNames(this.#templates)
    this.#sequenceName = this.#templates.hasExtras ? this.#optional.sequence : undefined
  }

  encode(record: LogRecord, writer: ByteWriter): void {
    const start = writer.position
    this.#ids.advance()
    try {
      this.#open(record, writer)
      if (this.#context !== undefined || hasMore(record)) this.#writeMore(record, writer, start)
      if (record.avro === undefined) this.#writeBody(record, writer)
      else this.#writeAvro(record.avro, writer)
    } catch (error) {
      writer.position = start
      this.#writeFailure(record, writer, error)
    }
  }

  /** Opens the header map with what every event has. */
  #open(record: LogRecord, writer: ByteWriter): void {
    const ids = this.#ids
    const templates = record.avro === undefined ? this.#templates : this.#avro.templates
    const template = templates.find(record)
    const { bytes, idEnds } = template
    const sequenceName = this.#sequenceName
    for (let i = 0; i < idEnds.length; i += 1) ids.writeCounted(bytes, idEnds[i] as number)
    writer.reserve(1 + bytes.length + MAX_SEQUENCE_BYTES)
    const block = this.#block
    block.open(writer)
    const { buffer } = writer
    let at = writer.position
    buffer.set(bytes, at)
    at += bytes.length
    block.counted(template.entries)
    if (sequenceName !== undefined) {
      buffer.set(sequenceName, at)
      at += sequenceName.length
      buffer[at] = ids.digits * 2
      ids.writeSequence(buffer, at + 1)
      at += 1 + ids.digits
      block.counted(1)
    }
    writer.position = at
  }

  /** The headers that only some records have. */
  #writeMore(record: LogRecord, writer: ByteWriter, start: number): void {
    const block = this.#block
    if (this.#templates.hasExtras) {
      const { uncaught, errorType: typeName, traceparent, tracestate } = this.#optional
      if (uncaught !== undefined && record.isUncaught !== undefined) {
        block.addText(writer, uncaught, record.isUncaught)
      }
      const type = typeName && errorType(record.error)
      if (typeName !== undefined && type !== undefined) block.addText(writer, typeName, type)
      if (isTraceparent(record.traceparent)) {
        if (traceparent !== undefined) block.addText(writer, traceparent, record.traceparent)
        const state = record.tracestate
        if (tracestate !== undefined && state !== undefined && state !== '') {
          if (state.length <= MAX_TRACESTATE_LENGTH) block.addText(writer, tracestate, state)
        }
      }
    }
    if (this.#context === undefined) return
    this.#context.write(record, block, writer, start)
    this.counters.droppedHeaders = this.#context.dropped
  }

  #writeBody(record: LogRecord, writer: ByteWriter): void {
    const limit = this.#settings.maxEventBytes
    if (this.#json !== undefined) {
      const { text, fullBytes } = this.#json.text(record, this.#jsonIdentity(record), limit)
      this.#close(writer, fullBytes)
      writeText(writer, text)
      return
    }
    const text = this.#textBody(record)
    if (text.length * 3 > limit) {
      this.#writeLong(text, writer, limit)
      return
    }
    this.#block.close(writer)
    if (typeof text === 'string') writeText(writer, text)
    else writer.writeBytes(text)
  }

  /** Never cut: half a datum is none. */
  #writeAvro({ bytes, failure, ...schema }: AvroDatum, writer: ByteWriter): void {
    if (failure !== undefined) throw new TypeError(failure)
    const entry = this.#avro.schemaEntry(schema)
    if (entry !== undefined) this.#block.add(writer, entry)
    this.#block.close(writer)
    writer.writeBytes(bytes)
  }

  #textBody(record: LogRecord): string | Buffer {
    const { text, error } = record
    if (error === undefined || error === null || typeof text !== 'string') return text
    if (!this.#appendsStack) return text
    const stack = stackText(error, text)
    return text === '' || stack === '' ? text + stack : `${text}\n${stack}`
  }

  /** A body that may be too long: it is cut between code points. */
  #writeLong(text: string | Buffer, writer: ByteWriter, limit: number): void {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text
    if (bytes.length <= limit) {
      this.#block.close(writer)
      writer.writeBytes(bytes)
      return
    }
    this.#close(writer, bytes.length)
    let end = limit
    while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1
    writer.writeBytes(bytes.subarray(0, end))
  }

  /** Ends the headers; `fullBytes` is given when the body behind them was cut. */
  #close(writer: ByteWriter, fullBytes: number | undefined): void {
    if (fullBytes !== undefined) {
      this.counters.truncated += 1
      const { truncated } = this.#optional
      if (truncated !== undefined && !this.#isStrict) {
        this.#block.addText(writer, truncated, String(fullBytes))
      }
    }
    this.#block.close(writer)
  }

  #writeFailure(record: LogRecord, writer: ByteWriter, error: unknown): void {
    this.counters.encodeErrors += 1
    this.#open({ ...record, avro: undefined }, writer)
    if (!this.#isStrict) {
      const reason = shortened(reasonOf(error), MAX_REASON_BYTES)
      this.#block.add(writer, headerEntry(ENCODE_ERROR_HEADER, reason))
    }
    this.#block.close(writer)
    const text = typeof record.text === 'string' ? record.text.slice(0, MAX_FAILED_TEXT) : ''
    writeText(writer, this.#json === undefined ? text : JSON.stringify({ v: 1, msg: text }))
  }

  #jsonIdentity(record: LogRecord) {
    const { host } = this.#identity
    const pid = record.origin?.pid ?? this.#identity.pid
    return { host, pid, id: this.#ids.id(), sequence: this.#ids.sequence() }
  }
}

/** Header of an event whose record could not be encoded as it should. */
export const ENCODE_ERROR_HEADER = 'millrace.encodeError'

/** Room for the header `millrace.seq`. */
const MAX_SEQUENCE_BYTES = MAX_HEADER_NAME_BYTES + 32
const MAX_FAILED_TEXT = 4 * 1_024
const MAX_REASON_BYTES = 256

interface OptionalNames {
  readonly sequence: Buffer | undefined
  readonly uncaught: Buffer | undefined
  readonly errorType: Buffer | undefined
  readonly traceparent: Buffer | undefined
  readonly tracestate: Buffer | undefined
  readonly truncated: Buffer | undefined
}

function optionalNames(templates: HeaderTemplates): OptionalNames {
  const encoded = (name: string): Buffer | undefined => {
    const own = templates.name(name)
    return own === undefined ? undefined : headerName(own)
  }
  return {
    sequence: encoded('millrace.seq'),
    uncaught: encoded('millrace.uncaught'),
    errorType: encoded('error.type'),
    traceparent: encoded('traceparent'),
    tracestate: encoded('tracestate'),
    truncated: encoded('millrace.truncated'),
  }
}

function hasMore(record: LogRecord): boolean {
  return (
    record.error !== undefined ||
    record.traceparent !== undefined ||
    record.isUncaught !== undefined
  )
}

/** Fixed headers, and those of them whose place a context entry can take. */
function splitFixed(settings: MapperSettings): {
  fixed: Record<string, string>
  replaceable: Record<string, string>
} {
  const fixed: Record<string, string> = {}
  const replaceable: Record<string, string> = {}
  const { context, profile } = settings
  const prefix = context?.prefix ?? (profile === 'log4j2' ? '' : 'mdc.')
  for (const [name, value] of Object.entries(settings.headers)) {
    if (profile === 'log4j1-strict') continue
    const isReplaceable =
      context !== undefined &&
      name.startsWith(prefix) &&
      (context.include === '*' || context.include.includes(name.slice(prefix.length)))
    if (isReplaceable) replaceable[name] = value
    else fixed[name] = value
  }
  return { fixed, replaceable }
}

function reasonOf(error: unknown): string {
  try {
    return messageOf(error)
  } catch {
    return 'unknown'
  }
}
