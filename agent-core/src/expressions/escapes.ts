/** Java's escapes that stand for characters. */
import {
  type CharSet,
  complement,
  MAX_CODE_POINT,
  propertySet,
  type Range,
  setOf,
  withBothCases,
} from './code-points.js'
import type { PatternReader } from './pattern-reader.js'

export const DIGITS: readonly Range[] = [[0x30, 0x39]]
export const WORDS: readonly Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]
const BLANKS: readonly Range[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
]
const HORIZONTAL: readonly Range[] = [
  [0x09, 0x09],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x180e, 0x180e],
  [0x2000, 0x200a],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
]
const VERTICAL: readonly Range[] = [
  [0x0a, 0x0d],
  [0x85, 0x85],
  [0x2028, 0x2029],
]

const CLASSES: Readonly<Record<string, readonly Range[]>> = {
  d: DIGITS,
  w: WORDS,
  s: BLANKS,
  h: HORIZONTAL,
  v: VERTICAL,
}

const SINGLE: Readonly<Record<string, number>> = {
  t: 0x09,
  n: 0x0a,
  r: 0x0d,
  f: 0x0c,
  a: 0x07,
  e: 0x1b,
}

const PUNCTUATION: readonly Range[] = [
  [0x21, 0x2f],
  [0x3a, 0x40],
  [0x5b, 0x60],
  [0x7b, 0x7e],
]

/** Java's POSIX classes, which know ASCII only, and `L1`. */
const POSIX: Readonly<Record<string, readonly Range[]>> = {
  Lower: [[0x61, 0x7a]],
  Upper: [[0x41, 0x5a]],
  ASCII: [[0, 0x7f]],
  Alpha: [
    [0x41, 0x5a],
    [0x61, 0x7a],
  ],
  Digit: DIGITS,
  Alnum: [...DIGITS, [0x41, 0x5a], [0x61, 0x7a]],
  Punct: PUNCTUATION,
  Graph: [[0x21, 0x7e]],
  Print: [[0x20, 0x7e]],
  Blank: [
    [0x09, 0x09],
    [0x20, 0x20],
  ],
  Cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  XDigit: [...DIGITS, [0x41, 0x46], [0x61, 0x66]],
  Space: BLANKS,
  L1: [[0, 0xff]],
  all: [[0, MAX_CODE_POINT]],
}

/** Java's binary properties by their names, and JavaScript's for the same. */
const BINARY: Readonly<Record<string, string>> = {
  isalphabetic: 'Alphabetic',
  isideographic: 'Ideographic',
  isletter: 'L',
  islowercase: 'Lowercase',
  isuppercase: 'Uppercase',
  istitlecase: 'Lt',
  iscontrol: 'Cc',
  iswhite_space: 'White_Space',
  isdigit: 'Nd',
  ishex_digit: 'Hex_Digit',
  isnoncharacter_code_point: 'Noncharacter_Code_Point',
  isassigned: 'Assigned',
}

/** One character, or both cases of a letter with flag `i`. */
export function charSet(code: number, reader: PatternReader): CharSet {
  const ranges: readonly Range[] = [[code, code]]
  return setOf(reader.flags.i ? withBothCases(ranges) : ranges)
}

/**
 * The characters that an escape means; its backslash is read, its letter is given and read.
 * @returns undefined when the escape means no character.
 */
export function escapedSet(letter: string, reader: PatternReader): CharSet | undefined {
  const known = CLASSES[letter.toLowerCase()]
  if (known) return letter in CLASSES ? setOf(known) : complement(setOf(known))
  if (letter === 'p' || letter === 'P') {
    const set = property(reader)
    return letter === 'P' ? complement(set) : set
  }
  const code = escapedChar(letter, reader)
  return code === undefined ? undefined : charSet(code, reader)
}

/** The code point of an escape of one character. */
function escapedChar(letter: string, reader: PatternReader): number | undefined {
  const single = SINGLE[letter]
  if (single !== undefined) return single
  if (letter === '0') return octal(reader)
  if (letter === 'x') return hexadecimal(reader)
  if (letter === 'u') return utf16(reader)
  if (letter === 'c') return (reader.nextEscaped().codePointAt(0) ?? 0) ^ 64
  return /^[a-zA-Z0-9]$/.test(letter) ? undefined : letter.codePointAt(0)
}

function octal(reader: PatternReader): number {
  const digits = reader.match(/^(?:[0-3][0-7]{0,2}|[0-7]{1,2})/)
  if (digits === '') throw reader.invalid('has \\0 without an octal number')
  return Number.parseInt(digits, 8)
}

function hexadecimal(reader: PatternReader): number {
  const text = reader.match(/^(?:[0-9a-fA-F]{2}|\{[0-9a-fA-F]+\})/)
  const code = Number.parseInt(text.replace('{', ''), 16)
  if (Number.isNaN(code) || code > MAX_CODE_POINT) {
    throw reader.invalid('has \\x without a hexadecimal number')
  }
  return code
}

function utf16(reader: PatternReader): number {
  const first = reader.match(/^[0-9a-fA-F]{4}/)
  if (first === '') throw reader.invalid('has \\u without four hexadecimal digits')
  const high = Number.parseInt(first, 16)
  if (high < 0xd800 || high > 0xdbff) return high
  const second = reader.match(/^\\u[dD][c-fC-F][0-9a-fA-F]{2}/)
  if (second === '') return high
  const low = Number.parseInt(second.slice(2), 16)
  return String.fromCharCode(high, low).codePointAt(0) ?? high
}

function property(reader: PatternReader): CharSet {
  const name = reader.match(/^(?:[A-Za-z]|\{[A-Za-z0-9_ =-]+\})/).replace(/^\{|\}$/g, '')
  if (name === '') throw reader.invalid('has \\p without the name of a property')
  const posix = Object.hasOwn(POSIX, name) ? POSIX[name] : undefined
  if (posix)
    return setOf(reader.flags.i && /^(Lower|Upper)$/.test(name) ? withBothCases(posix) : posix)
  const source = `\\p{${propertyName(name)}}`
  if (!isKnown(source)) throw reader.refused(`the property \\p{${name}}`)
  return propertySet(source)
}

function isKnown(source: string): boolean {
  try {
    return new RegExp(source, 'u').unicode
  } catch {
    return false
  }
}

/** JavaScript's name of a Unicode property. */
function propertyName(name: string): string {
  const binary = BINARY[name.toLowerCase()]
  if (binary !== undefined) return binary
  const [key = '', value] = name.split('=', 2)
  if (value !== undefined) {
    if (/^(sc|script)$/i.test(key)) return `Script=${scriptName(value)}`
    if (/^(gc|general_category)$/i.test(key)) return value
    return name
  }
  if (/^Is[A-Z][a-z]?$/.test(name)) return name.slice(2)
  if (/^Is/i.test(name)) return `Script=${scriptName(name.slice(2))}`
  return name
}

/** `GREEK` as JavaScript writes it. */
function scriptName(name: string): string {
  return name
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase())
    .join('_')
}
