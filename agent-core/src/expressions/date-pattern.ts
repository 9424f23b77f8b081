/** Reading times by a pattern of letters, as Joda-Time does. */
import { ConfigurationError } from '@millrace/runtime'

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const LONG_MONTHS =
  'January February March April May June July August September October November December'.split(' ')
const DAY_NAMES = 'Mon|Tue|Wed|Thu|Fri|Sat|Sun'
const LONG_DAY_NAMES = 'Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday'

/** What is read of a text; months count from 0. */
interface Fields {
  year: number
  month: number
  day: number
  dayOfYear: number | undefined
  hour: number
  isHalfDay: boolean
  isAfternoon: boolean
  minute: number
  second: number
  ms: number
  /** Minutes east of UTC; undefined for the local time zone. */
  offset: number | undefined
}

interface Token {
  readonly source: string
  readonly read?: (text: string, fields: Fields) => void
}

/**
 * @returns a function from a text to epoch milliseconds, undefined for a text that does not fit. A
 *   time without an offset is one of the process's time zone.
 * @throws ConfigurationError `MILLRACE_CONFIG_UNSUPPORTED` naming a letter that is not known.
 */
export function datePattern(
  pattern: string,
  nowMs: () => number,
): (text: string) => number | undefined {
  const tokens = tokensOf(pattern, nowMs)
  const expression = new RegExp(
    `^${tokens.map(({ source, read }) => (read ? `(${source})` : source)).join('')}$`,
    'i',
  )
  const readers = tokens.flatMap(({ read }) => read ?? [])
  return (text) => {
    const found = expression.exec(text)
    if (!found) return undefined
    const fields = emptyFields()
    readers.forEach((read, i) => read(found[i + 1] ?? '', fields))
    return toMs(fields)
  }
}

function emptyFields(): Fields {
  return {
    year: 1970,
    month: 0,
    day: 1,
    dayOfYear: undefined,
    hour: 0,
    isHalfDay: false,
    isAfternoon: false,
    minute: 0,
    second: 0,
    ms: 0,
    offset: undefined,
  }
}

function tokensOf(pattern: string, nowMs: () => number): Token[] {
  const parts = pattern.match(/'(?:[^']|'')*'|([a-zA-Z])\1*|[^a-zA-Z']+|'/g) ?? []
  return parts.map((part, i) => {
    if (part === "''") return { source: "'" }
    if (part.startsWith("'")) return { source: literal(part.slice(1, -1).replaceAll("''", "'")) }
    if (!/^[a-zA-Z]/.test(part)) return { source: literal(part) }
    // A number that another one follows has exactly as many digits as letters.
    const isFixed = /^[yYMdDHhkKmsS]/.test(parts[i + 1] ?? '')
    return tokenOf(part, isFixed, nowMs)
  })
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

/** A number of so many digits or, where nothing says where it ends, more. */
function number(
  length: number,
  isFixed: boolean,
  set: (value: number, fields: Fields) => void,
): Token {
  const source = isFixed ? `\\d{${length}}` : '\\d{1,2}'
  return { source, read: (text, fields) => set(Number(text), fields) }
}

/** Letters of plain numbers, and where each goes. */
const NUMBERS: Readonly<Record<string, (value: number, fields: Fields) => void>> = {
  d: (value, fields) => (fields.day = value),
  H: (value, fields) => (fields.hour = value % 24),
  k: (value, fields) => (fields.hour = value % 24),
  h: setHalfDayHour,
  K: setHalfDayHour,
  m: (value, fields) => (fields.minute = value),
  s: (value, fields) => (fields.second = value),
}

function setHalfDayHour(value: number, fields: Fields): void {
  fields.hour = value % 12
  fields.isHalfDay = true
}

function tokenOf(letters: string, isFixed: boolean, nowMs: () => number): Token {
  const { length } = letters
  const letter = letters.charAt(0)
  const set = NUMBERS[letter]
  if (set) return number(length, isFixed, set)
  if (/[yYx]/.test(letter)) return yearToken(length, isFixed, nowMs)
  switch (letter) {
    case 'M':
      return monthToken(length, isFixed)
    case 'D':
      return { source: '\\d{1,3}', read: (text, fields) => (fields.dayOfYear = Number(text)) }
    case 'S':
      return { source: isFixed ? `\\d{${length}}` : '\\d{1,9}', read: readFraction }
    case 'a':
      return { source: '[AP]M', read: (text, fields) => (fields.isAfternoon = /^p/i.test(text)) }
    case 'E':
      return { source: `(?:${LONG_DAY_NAMES}|${DAY_NAMES})` }
    case 'Z':
      if (length <= 2) return { source: 'Z|[+-]\\d{2}:?\\d{2}', read: readOffset }
      break
    default:
  }
  throw new ConfigurationError(
    'MILLRACE_CONFIG_UNSUPPORTED',
    `has ${letters}, which is not supported in a pattern for times`,
  )
}

function readFraction(text: string, fields: Fields): void {
  fields.ms = Number(text.slice(0, 3).padEnd(3, '0'))
}

function yearToken(length: number, isFixed: boolean, nowMs: () => number): Token {
  if (length !== 2) {
    return {
      source: isFixed ? `\\d{${length}}` : '-?\\d{1,9}',
      read: (text, fields) => (fields.year = Number(text)),
    }
  }
  // Two digits mean the year from 80 years ago to 19 years ahead.
  const read = (text: string, fields: Fields) => {
    const first = new Date(nowMs()).getFullYear() - 80
    fields.year = first + ((((Number(text) - first) % 100) + 100) % 100)
  }
  return { source: '\\d{2}', read }
}

function monthToken(length: number, isFixed: boolean): Token {
  if (length < 3) return number(length, isFixed, (value, fields) => (fields.month = value - 1))
  const read = (text: string, fields: Fields) => {
    const short = text.slice(0, 3).toLowerCase()
    fields.month = MONTHS.findIndex((month) => month.toLowerCase() === short)
  }
  return { source: `${LONG_MONTHS.join('|')}|${MONTHS.join('|')}`, read }
}

function readOffset(text: string, fields: Fields): void {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(text) ?? []
  const total = Number(hours ?? 0) * 60 + Number(minutes ?? 0)
  fields.offset = sign === '-' ? -total : total
}

/** Undefined where a field is out of its range. */
function toMs(fields: Fields): number | undefined {
  const { year, minute, second, ms, offset, dayOfYear } = fields
  const month = dayOfYear === undefined ? fields.month : 0
  const day = dayOfYear ?? fields.day
  const hour = fields.hour + (fields.isHalfDay && fields.isAfternoon ? 12 : 0)
  if (hour > 23 || minute > 59 || second > 59 || month > 11 || month < 0) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  const isDay =
    dayOfYear !== undefined || (date.getUTCMonth() === month && date.getUTCDate() === day)
  if (!isDay || day < 1) return undefined
  if (offset !== undefined) return date.setUTCHours(hour, minute, second, ms) - offset * 60_000
  const local = new Date(0)
  local.setFullYear(year, month, day)
  return local.setHours(hour, minute, second, ms)
}
