/** `java.text.SimpleDateFormat` with English names, in the time zone of the process. */

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const DAY_MS = 86_400_000

const padded = (value: number, length: number): string => String(value).padStart(length, '0')

/** A letter four times or more is a whole name, else its first three letters. */
const named = (name: string | undefined, length: number): string =>
  length >= 4 ? (name ?? '') : (name ?? '').slice(0, 3)

function offset(date: Date, separator: string): string {
  const minutes = -date.getTimezoneOffset()
  const size = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${padded(Math.floor(size / 60), 2)}${separator}${padded(size % 60, 2)}`
}

function dayOfYear(date: Date): number {
  const today = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate())
  return Math.round((today - Date.UTC(date.getFullYear(), 0, 0)) / DAY_MS)
}

const FIELDS: Readonly<Record<string, (date: Date, length: number) => string>> = {
  G: () => 'AD',
  y: (date, length) =>
    length === 2
      ? padded(date.getFullYear() % 100, 2)
      : padded(date.getFullYear(), Math.max(length, 4)),
  M: (date, length) =>
    length >= 3 ? named(MONTHS[date.getMonth()], length) : padded(date.getMonth() + 1, length),
  d: (date, length) => padded(date.getDate(), length),
  D: (date, length) => padded(dayOfYear(date), length),
  E: (date, length) => named(DAYS[date.getDay()], length),
  u: (date, length) => padded(date.getDay() === 0 ? 7 : date.getDay(), length),
  a: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  H: (date, length) => padded(date.getHours(), length),
  k: (date, length) => padded(date.getHours() || 24, length),
  K: (date, length) => padded(date.getHours() % 12, length),
  h: (date, length) => padded(date.getHours() % 12 || 12, length),
  m: (date, length) => padded(date.getMinutes(), length),
  s: (date, length) => padded(date.getSeconds(), length),
  S: (date, length) => padded(date.getMilliseconds(), length),
  Z: (date) => offset(date, ''),
  X: (date, length) => {
    if (date.getTimezoneOffset() === 0) return 'Z'
    if (length === 1) return offset(date, '').slice(0, 3)
    return offset(date, length === 2 ? '' : ':')
  },
}

/** The text, or the letter of the pattern that is not known; a quote that nothing closes is one. */
export function javaDate(
  pattern: string,
  date: Date,
): { readonly text: string } | { readonly unknown: string } {
  let text = ''
  for (const [part] of pattern.matchAll(/'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+|'/g)) {
    const [letter = ''] = part
    if (part === "''") text += "'"
    else if (part === "'") return { unknown: "'" }
    else if (letter === "'") text += part.slice(1, -1).replaceAll("''", "'")
    else if (!/[A-Za-z]/.test(letter)) text += part
    else {
      const field = FIELDS[letter]
      if (field === undefined) return { unknown: letter }
      text += field(date, part.length)
    }
  }
  return { text }
}
