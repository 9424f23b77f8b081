import {
  isError,
  JSON_LIMITS,
  type JsonLimits,
  jsonMembers,
  jsonOf,
  jsonString,
  ownKeys,
  type RedactedNames,
  readProperty,
} from './json-value.js'

/**
 * Errors as text and as JSON: with their causes and the errors of an AggregateError, bounded in
 * depth and size. Whatever an error's own getters do, nothing here throws.
 */

/** Deepest chain of causes. */
export const MAX_CAUSE_DEPTH = 5
/** Most errors of an AggregateError. */
export const MAX_AGGREGATED = 10
/** Roughly the most characters of one error with everything below it. */
export const MAX_ERROR_LENGTH = 32 * 1_024

const MAX_MESSAGE_LENGTH = 8 * 1_024
const MAX_TYPE_LENGTH = 256
const CODES = ['code', 'errno', 'syscall', 'signal', 'status'] as const
/** What the document writes by itself, so that it is no own property of interest. */
const WRITTEN: ReadonlySet<string> = new Set([
  ...CODES,
  'name',
  'message',
  'stack',
  'cause',
  'errors',
  'type',
  // winston writes its record's fields into an Error that is logged.
  'level',
  'timestamp',
])
const PROPS_LIMITS: JsonLimits = {
  ...JSON_LIMITS,
  maxDepth: 4,
  maxItems: 100,
  maxStringLength: 4 * 1_024,
  maxTotalLength: 8 * 1_024,
}

/** For an error that a serialiser has made an object of, with its causes. */
const FLATTENED_LIMITS: JsonLimits = {
  ...JSON_LIMITS,
  maxDepth: 2 * MAX_CAUSE_DEPTH,
  maxItems: 100,
  maxStringLength: 16 * 1_024,
  maxTotalLength: MAX_ERROR_LENGTH,
}

/** Constructor name of an error, or the `type` of one that a serialiser has flattened. */
export function errorType(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const constructor = readProperty(error, 'constructor')
  const named = typeof constructor === 'function' ? readProperty(constructor, 'name') : undefined
  if (isError(error) && isName(named)) return named
  for (const key of ['type', 'name']) {
    const value = readProperty(error, key)
    if (isName(value)) return value
  }
  return isError(error) ? 'Error' : undefined
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_TYPE_LENGTH
}

/** True for an Error and for what a serialiser made of one: an object with a message and a stack. */
export function isErrorLike(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (isError(value)) return true
  return (
    typeof readProperty(value, 'stack') === 'string' &&
    typeof readProperty(value, 'message') === 'string'
  )
}

/** The stack of an error, or `Type: message` when it has none. */
export function ownStack(error: unknown): string {
  if (typeof error !== 'object' || error === null) return plainText(error)
  const stack = readProperty(error, 'stack')
  if (typeof stack === 'string' && stack !== '') return stack
  const message = readProperty(error, 'message')
  return `${errorType(error) ?? 'Error'}: ${plainText(message)}`
}

/**
 * The stack of an error and those below it, in the way of Java's traces, as far as `text` does not
 * show them already:
 *
 *     Error: outer
 *         at …
 *     Caused by: TypeError: inner
 *         at …
 *     Aggregated 1: RangeError: one of several
 */
export function stackText(error: unknown, text = ''): string {
  return new StackWalk(text).text(error)
}

class StackWalk {
  readonly #shown: string
  readonly #seen = new Set<unknown>()
  readonly #parts: string[] = []
  #left = MAX_ERROR_LENGTH

  constructor(shown: string) {
    this.#shown = shown
  }

  text(error: unknown): string {
    this.#add('', error, 0)
    return this.#parts.join('\n')
  }

  #add(label: string, error: unknown, depth: number): void {
    if (this.#left <= 0) return
    if (this.#seen.has(error)) {
      this.#parts.push(`${label}[Circular]`)
      return
    }
    if (typeof error === 'object') this.#seen.add(error)
    const stack = ownStack(error)
    if (!showsStack(this.#shown, stack)) {
      const part = label + cutMiddle(stack, Math.max(256, this.#left >> 1))
      this.#parts.push(part)
      this.#left -= part.length
    }
    if (depth < MAX_CAUSE_DEPTH && isErrorLike(error)) this.#addBelow(error, depth + 1)
  }

  #addBelow(error: object, depth: number): void {
    const cause = readProperty(error, 'cause')
    if (cause !== undefined && cause !== null) this.#add('Caused by: ', cause, depth)
    const errors = readProperty(error, 'errors')
    if (!isArray(errors)) return
    for (let i = 0; i < errors.length && i < MAX_AGGREGATED; i += 1) {
      this.#add(`Aggregated ${i + 1}: `, readProperty(errors, i), depth)
    }
    const more = errors.length - MAX_AGGREGATED
    if (more > 0 && this.#left > 0) this.#parts.push(`[${more} more errors]`)
  }
}

/**
 * True when the text shows an error: its first line and its first frame, as they are, indented, or
 * inside JSON.
 */
function showsStack(text: string, stack: string): boolean {
  if (text === '') return false
  const lineEnd = stack.indexOf('\n')
  const line = lineEnd < 0 ? stack : stack.slice(0, lineEnd)
  if (!includesText(text, line)) return false
  const frame = FRAME.exec(stack)?.[1]
  return frame === undefined || includesText(text, frame)
}

const FRAME = /\n\s+(at [^\n]+)/

function includesText(text: string, part: string): boolean {
  return text.includes(part) || text.includes(JSON.stringify(part).slice(1, -1))
}

/** As Array.isArray, which throws for a proxy that was revoked. */
function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

/**
 * The error as a JSON object: `{type, message, stack, code?, …, cause?, errors?, props?, others?}`, of
 * roughly `maxLength` characters at most.
 */
export function errorJson(
  error: unknown,
  others: readonly unknown[] = [],
  maxLength = MAX_ERROR_LENGTH,
  redacted?: RedactedNames,
): string {
  const walk = new ErrorWalk(maxLength, redacted)
  const text = walk.json(error, 0)
  if (others.length === 0) return text
  const rest = others.slice(0, MAX_AGGREGATED).map((other) => walk.json(other, 1))
  if (!text.startsWith('{')) return text
  return `${text.slice(0, -1)}${text === '{}' ? '' : ','}"others":[${rest.join(',')}]}`
}

class ErrorWalk {
  readonly #open: unknown[] = []
  readonly #maxMessageLength: number
  readonly #redacted: RedactedNames | undefined
  #left: number

  constructor(maxLength: number, redacted: RedactedNames | undefined) {
    this.#redacted = redacted
    this.#left = maxLength
    this.#maxMessageLength = Math.min(MAX_MESSAGE_LENGTH, maxLength >> 2)
  }

  json(error: unknown, depth: number): string {
    if (typeof error !== 'object' || error === null) {
      return `{"type":"${typeof error}","message":${jsonString(plainText(error), this.#maxMessageLength)}}`
    }
    if (this.#open.includes(error)) return '"[Circular]"'
    if (depth > MAX_CAUSE_DEPTH || this.#left <= 0) return '"[Too deep]"'
    // What a serialiser flattened is kept as it stands.
    if (!isError(error)) {
      return this.#counted(jsonOf(error, FLATTENED_LIMITS, undefined, this.#redacted) ?? 'null')
    }
    this.#open.push(error)
    const text = this.#document(error, depth)
    this.#open.pop()
    return text
  }

  #document(error: Error, depth: number): string {
    const type = errorType(error) ?? 'Error'
    const name = readProperty(error, 'name')
    let text = `"type":${jsonString(type)}`
    if (isName(name) && name !== type) text += `,"name":${jsonString(name)}`
    text += `,"message":${jsonString(plainText(readProperty(error, 'message')), this.#maxMessageLength)}`
    text += `,"stack":${jsonString(cutMiddle(ownStack(error), Math.max(256, this.#left >> 1)))}`
    for (const key of CODES) {
      const value = readProperty(error, key)
      if (typeof value !== 'string' && typeof value !== 'number') continue
      text += `,"${key}":${typeof value === 'string' ? jsonString(value, MAX_TYPE_LENGTH) : (jsonOf(value) ?? 'null')}`
    }
    this.#left -= text.length
    const cause = readProperty(error, 'cause')
    if (cause !== undefined) text += `,"cause":${this.json(cause, depth + 1)}`
    const errors = readProperty(error, 'errors')
    if (isArray(errors)) text += `,"errors":[${this.#aggregated(errors, depth)}]`
    return `{${text}${this.#props(error)}}`
  }

  #aggregated(errors: readonly unknown[], depth: number): string {
    const texts: string[] = []
    for (let i = 0; i < errors.length && i < MAX_AGGREGATED; i += 1) {
      texts.push(this.json(readProperty(errors, i), depth + 1))
    }
    return texts.join(',')
  }

  #props(error: Error): string {
    if (this.#left <= 0 || !ownKeys(error).some((key) => !WRITTEN.has(key))) return ''
    const members = jsonMembers(error, {
      skips: WRITTEN,
      limits: PROPS_LIMITS,
      redacted: this.#redacted,
    })
    return members === '' ? '' : `,"props":${this.#counted(`{${members}}`)}`
  }

  #counted(text: string): string {
    this.#left -= text.length
    return text
  }
}

function plainText(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === undefined) return ''
  return jsonOf(value, PROPS_LIMITS) ?? typeof value
}

/** The text without its middle when it is longer than `limit` characters. */
export function cutMiddle(text: string, limit: number): string {
  if (text.length <= limit) return text
  const head = Math.ceil(limit * 0.7)
  const tail = limit - head
  return `${text.slice(0, head)}\n    … ${text.length - limit} characters cut …\n${text.slice(text.length - tail)}`
}
