import type { ByteWriter } from '@millrace/event'
import type { LogRecord } from '../log-record.js'
import { type HeaderBlock, headerEntry, headerName } from './header-block.js'
import { jsonOf, ownKeys, readProperty, REDACTED } from './json-value.js'
import { type ContextSettings, isReservedHeader, MAX_HEADER_NAME_BYTES } from './mapping-options.js'
import { type Redaction, redactionOf } from './redaction.js'

/** Most context headers of one event. */
export const MAX_CONTEXT_HEADERS = 64
const MAX_CACHED_NAMES = 256

/** Limits of an event's headers, in bytes. */
export interface HeaderCaps {
  readonly maxValueBytes: number
  readonly maxEventBytes: number
}

/** Header that lists the required context entries which a record does not have. */
export const MISSING_CONTEXT_HEADER = 'millrace.context.missing'

/** Writes the chosen entries of a record's context, and fixed headers that they may replace. */
export class ContextHeaders {
  readonly #options: ContextSettings & { readonly prefix: string }
  readonly #fixed: Readonly<Record<string, string>>
  readonly #names = new Map<string, Buffer | undefined>()
  readonly #caps: HeaderCaps
  readonly #redacted: Redaction | undefined
  /** Entries that found no room. */
  dropped = 0

  /** `fixed` are headers with a fixed value whose names the context can give too. */
  constructor(
    options: ContextSettings & { readonly prefix: string },
    fixed: Readonly<Record<string, string>>,
    caps: HeaderCaps & { readonly redact: readonly string[] },
  ) {
    this.#redacted = redactionOf(caps.redact)
    this.#options = options
    this.#fixed = fixed
    this.#caps = caps
  }

  /** `start` is where the event begins: its headers may take so much from there. */
  write(record: LogRecord, block: HeaderBlock, writer: ByteWriter, start: number): void {
    const { include, exclude, prefix, required } = this.#options
    const context = record.context ?? {}
    const keys = include === '*' ? ownKeys(context) : include
    const limit = start + this.#caps.maxEventBytes
    let count = 0
    for (const key of keys) {
      if (include === '*' && exclude.includes(key)) continue
      const name = this.#name(prefix + key)
      const value = name && this.#value(record, key)
      if (name === undefined || value === undefined) continue
      const size = name.length + Buffer.byteLength(value)
      if (count >= MAX_CONTEXT_HEADERS || writer.position + size > limit) {
        this.dropped += 1
        continue
      }
      count += 1
      block.addText(writer, name, value)
    }
    for (const [name, value] of Object.entries(this.#fixed)) {
      const given = this.#value(record, name.slice(prefix.length))
      if (given === undefined) block.add(writer, headerEntry(name, value))
    }
    const missing = required.filter((key) => this.#value(record, key) === undefined)
    if (missing.length > 0) {
      block.add(writer, headerEntry(MISSING_CONTEXT_HEADER, missing.join(',').slice(0, 1_024)))
    }
  }

  /** The encoded name; undefined when it is reserved or too long. */
  #name(name: string): Buffer | undefined {
    if (this.#names.has(name)) return this.#names.get(name)
    const isUsable = !isReservedHeader(name) && name !== 'key' && name !== 'topic' && fits(name)
    const encoded = isUsable ? headerName(name) : undefined
    if (this.#names.size >= MAX_CACHED_NAMES) this.#names.clear()
    this.#names.set(name, encoded)
    return encoded
  }

  #value(record: LogRecord, key: string): string | undefined {
    const own = record.context && readProperty(record.context, key)
    const value =
      own === undefined && this.#options.include !== '*' && record.attributes !== undefined
        ? readProperty(record.attributes, key)
        : own
    if (value === undefined || value === null) return undefined
    if (this.#redacted !== undefined && this.#redacted.has(key)) return REDACTED
    const text = typeof value === 'string' ? value : headerText(value, this.#redacted)
    return text === undefined ? undefined : shortened(text, this.#caps.maxValueBytes)
  }
}

function headerText(value: unknown, redacted: Redaction | undefined): string | undefined {
  const json = jsonOf(value, undefined, undefined, redacted)
  // A Date or BigInt is one quoted text.
  return json?.startsWith('"') === true ? String(JSON.parse(json)) : json
}

function fits(name: string): boolean {
  return (
    name !== '' &&
    name.length <= MAX_HEADER_NAME_BYTES &&
    Buffer.byteLength(name) <= MAX_HEADER_NAME_BYTES
  )
}

/** At most `maxBytes` bytes of a text, cut between code points. */
export function shortened(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes))
  return read === text.length ? text : text.slice(0, read)
}
