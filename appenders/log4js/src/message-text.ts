import { format, types } from 'node:util'

/** Longest object text that is surely written on one line. */
const MAX_LINE = 72
const PLAIN_KEY = /^[a-zA-Z_][a-zA-Z_0-9]*$/
/** What a text may not hold to stand between single quotes as it is. */
const QUOTED_OTHERWISE = /[\u0000-\u001f'\\\u007f-\u009f\ud800-\udfff]/

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
  if (types.isProxy(object) || Object.getPrototypeOf(object) !== Object.prototype) return undefined
  if (Object.getOwnPropertySymbols(object).length > 0) return undefined
  let text = ''
  for (const key of Object.keys(object)) {
    if (key === '__proto__' || key === 'constructor' || !PLAIN_KEY.test(key)) return undefined
    const descriptor = Object.getOwnPropertyDescriptor(object, key)
    if (descriptor === undefined || descriptor.get !== undefined || descriptor.set !== undefined) {
      return undefined
    }
    const value: unknown = descriptor.value
    const part = typeof value === 'string' ? quoted(value) : primitive(value)
    if (part === undefined) return undefined
    text += `${text === '' ? '' : ', '}${key}: ${part}`
    if (text.length > MAX_LINE) return undefined
  }
  // A constructor that cannot be seen among the keys changes what inspect writes.
  if (text === '' || Object.hasOwn(object, 'constructor')) return undefined
  return `{ ${text} }`
}

function quoted(text: string): string | undefined {
  if (text.length > MAX_LINE || QUOTED_OTHERWISE.test(text)) return undefined
  return `'${text}'`
}

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
