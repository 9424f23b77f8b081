import { format, types } from 'node:util'

/** Longest object text that is surely written on one line. */
const MAX_LINE = 72
const PLAIN_KEY = /^[a-zA-Z_][a-zA-Z_0-9]*$/

/**
 * What log4js's `messagePassThrough` layout gives: `util.format` of the arguments. The common call, a
 * text without placeholders and flat objects, is written here in a tenth of the time; all else goes to
 * `util.format`.
 */
export function messageText(data: readonly unknown[]): string {
  const [first] = data
  if (data.length === 1 && typeof first === 'string') return first
  return commonText(data) ?? format(...data)
}

function commonText(data: readonly unknown[]): string | undefined {
  const [first] = data
  if (typeof first !== 'string' || first.includes('%')) return undefined
  let text = first
  for (let i = 1; i < data.length; i += 1) {
    const value = data[i]
    const part =
      typeof value === 'string'
        ? value
        : typeof value === 'object' && value !== null
          ? flatObject(value)
          : primitive(value)
    if (part === undefined) return undefined
    text += ` ${part}`
  }
  return text
}

/** As `util.inspect` writes a plain object of a few primitive fields; undefined for any other. */
function flatObject(object: object): string | undefined {
  if (!isOrdinary(object)) return undefined
  let text = ''
  for (const key of Object.keys(object)) {
    const part = fieldText(object, key)
    if (part === undefined) return undefined
    text = text === '' ? part : `${text}, ${part}`
    if (text.length > MAX_LINE) return undefined
  }
  return text === '' ? undefined : `{ ${text} }`
}

/** True for an object whose look depends on nothing but its enumerable fields. */
function isOrdinary(object: object): boolean {
  return (
    !types.isProxy(object) &&
    Object.getPrototypeOf(object) === Object.prototype &&
    !Object.hasOwn(object, 'constructor') &&
    Object.getOwnPropertySymbols(object).length === 0
  )
}

function fieldText(object: object, key: string): string | undefined {
  if (key === '__proto__' || !PLAIN_KEY.test(key)) return undefined
  const descriptor = Object.getOwnPropertyDescriptor(object, key)
  // What has a getter is shown as such, and not called.
  if (descriptor === undefined || !('value' in descriptor)) return undefined
  const value: unknown = descriptor.value
  const text = typeof value === 'string' ? quoted(value) : primitive(value)
  return text === undefined ? undefined : `${key}: ${text}`
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
