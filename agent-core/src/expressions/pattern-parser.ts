/**
 * Reads Java's regular expressions (java.util.regex.Pattern) into a tree.
 *
 *     choice   := sequence ("|" sequence)*
 *     sequence := (atom quantifier?)*
 */
import { parseClass } from './class-parser.js'
import { type CharSet, complement, setOf } from './code-points.js'
import { charSet, escapedSet } from './escapes.js'
import { type PatternFlags, PatternReader } from './pattern-reader.js'
import type { ParsedPattern, PatternNode, RepeatMode } from './pattern-node.js'

/** Groups may be nested so deep. */
const MAX_DEPTH = 250
const MAX_REPEAT = 2 ** 31 - 1

/** What ends a line. */
const LINE_ENDS = '\\n\\r\\u{85}\\u{2028}\\u{2029}'
/** What `\b` takes for a part of a word, unlike `\w`; Java 19 and later know ASCII only here too. */
const WORD = '[\\p{L}\\p{Nd}\\p{Mn}_]'
const EMPTY: PatternNode = { kind: 'sequence', items: [] }

/**
 * @throws ConfigurationError `MILLRACE_CONFIG_INVALID` when Java would refuse the expression,
 *   `MILLRACE_CONFIG_UNSUPPORTED` naming what has no counterpart here.
 */
export function parsePattern(text: string): ParsedPattern {
  const parser = new PatternParser(text)
  const root = parser.parse()
  return { root, groupCount: parser.groupCount, groupNames: parser.groupNames }
}

class PatternParser {
  readonly #reader: PatternReader
  readonly groupNames = new Map<string, number>()
  groupCount = 0
  #depth = 0

  constructor(text: string) {
    this.#reader = new PatternReader(text)
  }

  parse(): PatternNode {
    const root = this.#choice()
    if (!this.#reader.isAtEnd) throw this.#reader.invalid('has a ) too many')
    return root
  }

  #choice(): PatternNode {
    const branches = [this.#sequence()]
    while (this.#reader.take('|')) branches.push(this.#sequence())
    const [only] = branches
    return branches.length === 1 && only ? only : { kind: 'choice', branches }
  }

  #sequence(): PatternNode {
    const items: PatternNode[] = []
    for (;;) {
      const char = this.#reader.peek
      if (char === '' || char === '|' || char === ')') break
      const atom = this.#atom()
      if (atom) items.push(this.#repeated(atom))
    }
    const [only] = items
    return items.length === 1 && only ? only : { kind: 'sequence', items }
  }

  /** Undefined for flags, which match nothing themselves. */
  #atom(): PatternNode | undefined {
    const reader = this.#reader
    const { flags } = reader
    const char = reader.next()
    switch (char) {
      case '(':
        return this.#group()
      case '[':
        return chars(parseClass(reader))
      case '.':
        return chars(anyChar(flags))
      case '^':
        return place(flags.m ? lineStart(flags) : '^', !flags.m)
      case '$':
        return place(flags.m ? lineEnd(flags) : lastLineEnd(flags))
      case '\\':
        return this.#escape()
      case '*':
      case '+':
      case '?':
        throw reader.invalid(`has a ${char} that repeats nothing`)
      case '{':
        throw reader.invalid('has a { that begins no number of repeats')
      default:
        return chars(charSet(char.codePointAt(0) ?? 0, reader))
    }
  }

  #escape(): PatternNode {
    const reader = this.#reader
    const letter = reader.nextEscaped()
    if (/^[1-9]$/.test(letter)) return this.#reference(letter)
    const fixed = fixedEscape(letter, reader.flags)
    if (fixed) return fixed
    if (letter === 'k') return this.#namedReference()
    if (letter === 'N' || letter === 'X' || letter === 'G') {
      throw reader.refused(`the escape \\${letter}`)
    }
    const set = escapedSet(letter, reader)
    if (!set) throw reader.invalid(`has the escape \\${letter}, which means nothing`)
    return chars(set)
  }

  /** As many digits as name a group that began before. */
  #reference(first: string): PatternNode {
    const reader = this.#reader
    let group = Number(first)
    for (let digit = reader.peek; /^\d$/.test(digit); digit = reader.peek) {
      const longer = group * 10 + Number(digit)
      if (longer > this.groupCount) break
      group = longer
      reader.next()
    }
    return this.#referenceTo(group)
  }

  #namedReference(): PatternNode {
    const name = this.#reader.match(/^<[a-zA-Z][a-zA-Z0-9]*>/).slice(1, -1)
    const group = this.groupNames.get(name)
    if (group === undefined) throw this.#reader.invalid('has \\k without the name of a group')
    return this.#referenceTo(group)
  }

  #referenceTo(group: number): PatternNode {
    const reader = this.#reader
    if (group > this.groupCount) throw reader.refused(`\\${group} without such a group`)
    if (reader.flags.i) throw reader.refused('a reference under the flag i')
    return { kind: 'reference', group }
  }

  #group(): PatternNode | undefined {
    const reader = this.#reader
    if (!reader.startsWith('?')) return this.#capture(undefined)
    for (const [mark, isAhead, isNegative] of LOOKS) {
      if (!reader.take(mark)) continue
      return { kind: 'look', isAhead, isNegative, item: this.#inner() }
    }
    if (reader.take('?:')) return this.#inner()
    if (reader.take('?>')) return { kind: 'atomic', item: this.#inner() }
    const name = reader.match(/^\?<[a-zA-Z][a-zA-Z0-9]*>/).slice(2, -1)
    if (name !== '') return this.#capture(name)
    return this.#flags()
  }

  #capture(name: string | undefined): PatternNode {
    this.groupCount += 1
    const number = this.groupCount
    if (name !== undefined) {
      if (this.groupNames.has(name)) throw this.#reader.invalid(`names two groups ${name}`)
      this.groupNames.set(name, number)
    }
    return { kind: 'group', number, item: this.#inner() }
  }

  /** The inside of a group, up to its end; flags that are set there end with it. */
  #inner(flags: PatternFlags = this.#reader.flags): PatternNode {
    const reader = this.#reader
    const before = reader.flags
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) throw reader.refused(`more than ${MAX_DEPTH} groups in each other`)
    reader.flags = flags
    const inner = this.#choice()
    if (!reader.take(')')) throw reader.invalid('has a ( too many')
    reader.flags = before
    this.#depth -= 1
    return inner
  }

  /** `(?i)` and `(?i-s:…)`. */
  #flags(): PatternNode | undefined {
    const reader = this.#reader
    const text = reader.match(/^\?[a-zA-Z]*(?:-[a-zA-Z]*)?[:)]/)
    if (text === '') throw reader.invalid('has a group of an unknown kind')
    const [on = '', off = ''] = text.slice(1, -1).split('-')
    const other = /[^dimsx]/.exec(on + off)?.[0]
    if (other !== undefined) throw reader.refused(`the flag ${other}`)
    const isOn = (flag: keyof PatternFlags) =>
      (reader.flags[flag] || on.includes(flag)) && !off.includes(flag)
    const flags = { i: isOn('i'), d: isOn('d'), m: isOn('m'), s: isOn('s'), x: isOn('x') }
    if (text.endsWith(':')) return this.#inner(flags)
    reader.flags = flags
    return undefined
  }

  #repeated(item: PatternNode): PatternNode {
    const limits = this.#limits()
    if (!limits) return item
    const reader = this.#reader
    const mode: RepeatMode = reader.take('?') ? 'lazy' : reader.take('+') ? 'possessive' : 'greedy'
    if (/^[*+?]$/.test(reader.peek))
      throw reader.invalid(`has a ${reader.peek} that repeats nothing`)
    if (reader.peek === '{') throw reader.refused('a { behind a quantifier')
    if (limits.max === 0) return EMPTY
    return { kind: 'repeat', item, ...limits, mode }
  }

  #limits(): { min: number; max: number } | undefined {
    const reader = this.#reader
    if (reader.take('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (reader.take('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (reader.take('?')) return { min: 0, max: 1 }
    if (reader.peek !== '{') return undefined
    const text = reader.match(/^\{\d+(?:,\d*)?\}/)
    if (text === '') throw reader.invalid('has a { that begins no number of repeats')
    const [least = '', most] = text.slice(1, -1).split(',')
    const min = Number(least)
    const max = most === undefined ? min : most === '' ? Number.POSITIVE_INFINITY : Number(most)
    if (max < min || min > MAX_REPEAT) throw reader.invalid(`has ${text}, which is no range`)
    return { min, max }
  }
}

const LOOKS: readonly (readonly [string, boolean, boolean])[] = [
  ['?=', true, false],
  ['?!', true, true],
  ['?<=', false, false],
  ['?<!', false, true],
]

function chars(set: CharSet): PatternNode {
  return { kind: 'chars', set }
}

function place(source: string, isStart = false): PatternNode {
  return { kind: 'place', source, isStart }
}

/** Escapes that stand for a place, and `\R`. */
function fixedEscape(letter: string, flags: PatternFlags): PatternNode | undefined {
  switch (letter) {
    case 'A':
      return place('^', true)
    case 'z':
      return place('$')
    case 'Z':
      return place(lastLineEnd(flags))
    case 'b':
      return place(`(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`)
    case 'B':
      return place(`(?:(?<=${WORD})(?=${WORD})|(?<!${WORD})(?!${WORD}))`)
    case 'R':
      return LINE_BREAK
    default:
      return undefined
  }
}

const LINE_BREAK: PatternNode = {
  kind: 'choice',
  branches: [
    { kind: 'sequence', items: [chars(setOf([[13, 13]])), chars(setOf([[10, 10]]))] },
    chars(
      setOf([
        [0x0a, 0x0d],
        [0x85, 0x85],
        [0x2028, 0x2029],
      ]),
    ),
  ],
}

function anyChar({ s, d }: PatternFlags): CharSet {
  const none = complement(setOf([]))
  if (s) return none
  return complement(
    setOf(
      d
        ? [[10, 10]]
        : [
            [10, 10],
            [13, 13],
            [0x85, 0x85],
            [0x2028, 0x2029],
          ],
    ),
  )
}

/** Behind the end of a line, but not at the end of the text; never within CR LF. */
function lineStart({ d }: PatternFlags): string {
  const end = d ? '\\n' : `\\n|\\r(?!\\n)|[${LINE_ENDS.slice(4)}]`
  return `(?:(?!$)(?<=^|${end}))`
}

/** In front of the end of a line or at the end of the text; never within CR LF. */
function lineEnd({ d }: PatternFlags): string {
  return d ? '(?=$|\\n)' : `(?=$|(?<!\\r)\\n|[${LINE_ENDS.slice(2)}])`
}

/** At the end of the text, or in front of the line break that ends it. */
function lastLineEnd({ d }: PatternFlags): string {
  return d ? '(?=\\n?$)' : `(?=(?:\\r\\n|(?<!\\r)\\n|[${LINE_ENDS.slice(2)}])?$)`
}
