import { types } from 'node:util'

/**
 * Any value as JSON text. Never throws, never calls what could change the value, and gives text
 * whose UTF-8 is valid: what cannot be written becomes a marker such as `[Circular]`.
 */

export interface JsonLimits {
  /** Deepest nesting that is written. */
  readonly maxDepth: number
  /** Most entries of one array, set, map or object. */
  readonly maxItems: number
  /** Longest string, in characters. */
  readonly maxStringLength: number
  /** Most bytes of one Buffer or typed array. */
  readonly maxBinaryBytes: number
  /** Roughly the most characters of the whole text. */
  readonly maxTotalLength: number
}

export const JSON_LIMITS: JsonLimits = {
  maxDepth: 8,
  maxItems: 1_000,
  maxStringLength: 64 * 1_024,
  maxBinaryBytes: 48 * 1_024,
  maxTotalLength: 1_024 * 1_024,
}

/** Tells the names whose values are not shown. */
export interface RedactedNames {
  has(name: string): boolean
}

/** What stands for a value that is not shown. */
export const REDACTED = '[Redacted]'

/** Writes an Error where the walk meets one; gives the JSON text. */
export type ErrorText = (error: object) => string

/** The JSON text of `value`, or undefined for what JSON leaves out: undefined, functions, symbols. */
export function jsonOf(
  value: unknown,
  limits: JsonLimits = JSON_LIMITS,
  errorText?: ErrorText,
  redacted?: RedactedNames,
): string | undefined {
  return new JsonWalk(limits, errorText, redacted).text(value, 0)
}

export interface MemberOptions {
  /** Keys that are left out. */
  readonly skips?: ReadonlySet<string>
  readonly limits?: JsonLimits
  readonly rename?: (key: string) => string
  readonly errorText?: ErrorText
  readonly redacted?: RedactedNames | undefined
}

/** The members of a JSON object, without its braces. */
export function jsonMembers(source: object, options: MemberOptions = {}): string {
  const { skips = NO_SKIPS, limits = JSON_LIMITS, rename = sameKey } = options
  return new JsonWalk(limits, options.errorText, options.redacted).members(source, 0, {
    skips,
    rename,
  })
}

/** A string as JSON, lone surrogates replaced, cut behind `limit` characters. */
export function jsonString(text: string, limit = Number.POSITIVE_INFINITY): string {
  const kept = text.length > limit ? `${text.slice(0, limit)}${cutMark(text.length)}` : text
  const json = JSON.stringify(kept)
  // JSON.stringify writes a lone surrogate as an escape, which is valid JSON and bad text.
  return json.includes('\\ud') ? JSON.stringify(wellFormed(kept)) : json
}

/** The text with U+FFFD for each lone surrogate. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
}

/** What `object[key]` gives, or the marker text when its getter or trap throws. */
export function readProperty(object: object, key: PropertyKey): unknown {
  try {
    return Reflect.get(object, key) as unknown
  } catch {
    return THROWN
  }
}

/** The own enumerable string keys; none when a trap throws. */
export function ownKeys(object: object): string[] {
  try {
    return Object.keys(object)
  } catch {
    return []
  }
}

export function isError(value: unknown): value is Error {
  if (typeof value !== 'object' || value === null) return false
  if (types.isNativeError(value)) return true
  try {
    return value instanceof Error
  } catch {
    return false
  }
}

const THROWN = '[Throws]'
const REDACTED_JSON = `"${REDACTED}"`
const CIRCULAR = '"[Circular]"'
const TOO_DEEP = '"[Too deep]"'
const TOO_LONG = '"[Too long]"'
const NO_SKIPS: ReadonlySet<string> = new Set()
const sameKey = (key: string): string => key
const ALL_MEMBERS = { skips: NO_SKIPS, rename: sameKey }

function cutMark(length: number): string {
  return `…[cut, ${length} characters]`
}

class JsonWalk {
  readonly #limits: JsonLimits
  readonly #errorText: ErrorText | undefined
  readonly #redacted: RedactedNames | undefined
  readonly #open: object[] = []
  #left: number

  constructor(
    limits: JsonLimits,
    errorText: ErrorText | undefined,
    redacted: RedactedNames | undefined,
  ) {
    this.#limits = limits
    this.#errorText = errorText
    this.#redacted = redacted
    this.#left = limits.maxTotalLength
  }

  text(value: unknown, depth: number): string | undefined {
    if (this.#left <= 0) return TOO_LONG
    const text = this.#textOf(value, depth)
    if (text !== undefined) this.#left -= depthless(value) ? text.length : 2
    return text
  }

  #textOf(value: unknown, depth: number): string | undefined {
    switch (typeof value) {
      case 'string':
        return jsonString(value, this.#limits.maxStringLength)
      case 'number':
        return Number.isFinite(value) ? String(value) : `"${value}"`
      case 'boolean':
        return value ? 'true' : 'false'
      case 'bigint':
        return `"${value}"`
      case 'object':
        return value === null ? 'null' : this.#objectText(value, depth)
      default:
        return undefined
    }
  }

  #objectText(value: object, depth: number): string | undefined {
    if (this.#open.includes(value)) return CIRCULAR
    if (depth > this.#limits.maxDepth) return TOO_DEEP
    this.#open.push(value)
    try {
      return this.#special(value, depth) ?? `{${this.members(value, depth, ALL_MEMBERS)}}`
    } catch {
      return `"${THROWN}"`
    } finally {
      this.#open.pop()
    }
  }

  /** Values that JSON alone would lose or spell badly. Undefined: it is a plain object. */
  #special(value: object, depth: number): string | undefined {
    if (Array.isArray(value)) return this.#items(value, value.length, depth)
    if (isError(value) && this.#errorText !== undefined) return this.#errorText(value)
    if (types.isDate(value)) {
      return Number.isNaN(value.getTime()) ? 'null' : `"${value.toISOString()}"`
    }
    if (types.isMap(value)) return this.#map(value, depth)
    if (types.isSet(value)) return this.#items([...firstOf(value, this.#limits)], value.size, depth)
    if (types.isRegExp(value) || value instanceof URL) return jsonString(String(value))
    if (ArrayBuffer.isView(value)) return this.#binary(value)
    if (types.isBoxedPrimitive(value)) return this.text(value.valueOf(), depth)
    const toJson = readProperty(value, 'toJSON')
    if (typeof toJson !== 'function') return undefined
    return this.text(Reflect.apply(toJson, value, []) as unknown, depth + 1) ?? 'null'
  }

  #items(values: readonly unknown[], size: number, depth: number): string {
    const { maxItems } = this.#limits
    let text = ''
    for (let i = 0; i < values.length && i < maxItems && this.#left > 0; i += 1) {
      text += `${i === 0 ? '' : ','}${this.text(readProperty(values, i), depth + 1) ?? 'null'}`
    }
    if (size > maxItems) text += `,"[${size - maxItems} more items]"`
    return `[${text}]`
  }

  #map(map: ReadonlyMap<unknown, unknown>, depth: number): string {
    const entries = [...firstOf(map, this.#limits)]
    if (!entries.every(([key]) => typeof key === 'string')) {
      return this.#items(entries, map.size, depth)
    }
    let text = ''
    for (const [key, value] of entries) {
      const item = this.#isRedacted(String(key)) ? REDACTED_JSON : this.text(value, depth + 1)
      if (item !== undefined) text += `${text === '' ? '' : ','}${jsonString(String(key))}:${item}`
    }
    return `{${text}}`
  }

  #isRedacted(key: string): boolean {
    return this.#redacted !== undefined && this.#redacted.has(key)
  }

  #binary(view: ArrayBufferView): string {
    const { maxBinaryBytes } = this.#limits
    const length = Math.min(view.byteLength, maxBinaryBytes)
    const text = Buffer.from(view.buffer, view.byteOffset, length).toString('base64')
    return view.byteLength > length ? `"${text}…[cut, ${view.byteLength} bytes]"` : `"${text}"`
  }

  members(
    object: object,
    depth: number,
    { skips, rename }: { skips: ReadonlySet<string>; rename: (key: string) => string },
  ): string {
    const keys = ownKeys(object)
    const { maxItems } = this.#limits
    let text = ''
    let count = 0
    for (const key of keys) {
      if (skips.has(key)) continue
      if (count >= maxItems || this.#left <= 0) {
        text += `${text === '' ? '' : ','}"[more]":${keys.length - count}`
        break
      }
      count += 1
      const item = this.#isRedacted(key)
        ? REDACTED_JSON
        : this.text(readProperty(object, key), depth + 1)
      if (item === undefined) continue
      this.#left -= key.length + 4
      text += `${text === '' ? '' : ','}${jsonString(rename(key))}:${item}`
    }
    return text
  }
}

/** Containers count their own members as they are walked. */
function depthless(value: unknown): boolean {
  return typeof value !== 'object' || value === null || ArrayBuffer.isView(value)
}

function* firstOf<T>(values: Iterable<T>, limits: JsonLimits): IterableIterator<T> {
  let left = limits.maxItems
  for (const value of values) {
    if (left-- <= 0) return
    yield value
  }
}
