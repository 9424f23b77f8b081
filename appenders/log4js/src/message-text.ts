import { format, types } from 'node:util'

/** Longest object text that is surely written on one line. */
const MAX_LINE = 72
const PLAIN_KEY = /^[a-zA-Z_][a-zA-Z_0-9]*$/

/** Most field names that are remembered; more begin anew. */
const MAX_KEYS = 1_000

/**
 * What log4js's `messagePassThrough` layout gives: `util.format` of the arguments. The common call, a
 * text without placeholders and flat objects, is written here in a third of the time; all else goes to
 * `util.format`.
 */
export class MessageTexts {
  /** Field names that are written as they are. */
  readonly #keys = new Set<string>()

  of(data: readonly unknown[]): string {
    const [first] = data
    if (data.length === 1 && typeof first === 'string') return first
    return this.#common(data) ?? format(...data)
  }

  #common(data: readonly unknown[]): string | undefined {
    const [first] = data
    if (typeof first !== 'string' || first.includes('%')) return undefined
    let text = first
    for (let i = 1; i < data.length; i += 1) {
      const part = this.#argument(data[i])
      if (part === undefined) return undefined
      text += ` ${part}`
    }
    return text
  }

  #argument(value: unknown): string | undefined {
    if (typeof value === 'string') return value
    return typeof value === 'object' && value !== null ? this.#flat(value) : primitive(value)
  }

  /** As `util.inspect` writes a plain object of a few primitive fields; undefined for any other. */
  #flat(object: object): string | undefined {
    if (!isOrdinary(object)) return undefined
    let text = ''
    for (const key of Object.keys(object)) {
      if (!this.#keys.has(key) && !this.#isPlainKey(key)) return undefined
      const descriptor = Object.getOwnPropertyDescriptor(object, key)
      // What has a getter is shown as such, and not called.
      if (descriptor === undefined || !('value' in descriptor)) return undefined
      const value: unknown = descriptor.value
      const part = typeof value === 'string' ? quoted(value) : primitive(value)
      if (part === undefined) return undefined
      text = text === '' ? `{ ${key}: ${part}` : `${text}, ${key}: ${part}`
      if (text.length > MAX_LINE) return undefined
    }
    return text === '' ? undefined : `${text} }`
  }

  #isPlainKey(key: string): boolean {
    if (key === '__proto__' || key === 'constructor' || !PLAIN_KEY.test(key)) return false
    if (this.#keys.size >= MAX_KEYS) this.#keys.clear()
    this.#keys.add(key)
    return true
  }
}

/** True for an object whose look depends on nothing but its enumerable fields. */
function isOrdinary(object: object): boolean {
  if (types.isProxy(object)) return false
  return (
    Object.getPrototypeOf(object) === Object.prototype &&
    !Object.hasOwn(object, 'constructor') &&
    Object.getOwnPropertySymbols(object).length === 0
  )
}

/** The text between single quotes; undefined when a character of it is written in another way. */
function quoted(text: string): string | undefined {
  if (text.length > MAX_LINE) return undefined
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === QUOTE || code === BACKSLASH) return undefined
    if (code >= 0x7f && (code <= 0x9f || (code >= 0xd800 && code <= 0xdfff))) return undefined
  }
  return `'${text}'`
}

const QUOTE = 0x27
const BACKSLASH = 0x5c

function primitive(value: unknown): string | undefined {
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? '-0' : `${value}`
    case 'boolean':
    case 'undefined':
      return `${value}`
    default:
      return value === null ? 'null' : undefined
  }
}
