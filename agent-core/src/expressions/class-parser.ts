/**
 * Java's character classes:
 *
 *     class := "[" "^"? union ("&&" union)* "]"
 *     union := (class | escape | char ("-" char)?)*
 */
import {
  type CharSet,
  complement,
  intersection,
  type Range,
  setOf,
  union,
  withBothCases,
} from './code-points.js'
import { escapedSet } from './escapes.js'
import type { PatternReader } from './pattern-reader.js'

/** Reads a class; its `[` is read. @throws ConfigurationError */
export function parseClass(reader: PatternReader): CharSet {
  const isNegated = reader.take('^')
  let isFirst = true
  let set: CharSet | undefined
  do {
    const part = parseUnion(reader, isFirst)
    isFirst = false
    // `[a&&]` and `[&&a]` are what the other side is.
    if (part) set = set ? intersection(set, part) : part
    if (reader.startsWith('&&&')) throw reader.refused('&&& in a class')
  } while (reader.take('&&'))
  if (!reader.take(']')) throw reader.invalid('has a [ too many')
  if (!set) throw reader.invalid('has an empty class')
  return isNegated ? complement(set) : set
}

function parseUnion(reader: PatternReader, isFirst: boolean): CharSet | undefined {
  const ranges: Range[] = []
  const others: CharSet[] = []
  let isEmpty = true
  for (;;) {
    const char = reader.peek
    if (char === '') throw reader.invalid('has a [ too many')
    // A ] in front is a character, as Java takes it.
    if (char === ']' && !(isFirst && isEmpty)) break
    if (reader.startsWith('&&')) break
    isEmpty = false
    reader.next()
    if (char === '[') {
      others.push(parseClass(reader))
      continue
    }
    const item = classItem(char, reader)
    if (typeof item === 'number') ranges.push(rangeFrom(item, reader))
    else others.push(item)
  }
  if (isEmpty) return undefined
  const plain = setOf(reader.flags.i ? withBothCases(ranges) : ranges)
  return union(ranges.length > 0 ? [plain, ...others] : others)
}

/** A code point, or a set that no range can begin with. */
function classItem(char: string, reader: PatternReader): number | CharSet {
  if (char !== '\\') return char.codePointAt(0) ?? 0
  const letter = reader.nextEscaped()
  const set = escapedSet(letter, reader)
  if (!set) throw reader.invalid(`has the escape \\${letter} in a class, where it means nothing`)
  // Flag i gives both cases of one letter; the range's own folding adds the other one again.
  const [only, other] = set.ranges ?? []
  const isOne = only !== undefined && only[0] === only[1]
  if (isOne && other === undefined) return only[0]
  const isLetter = isOne && reader.flags.i && /^[^dDwWsShHvVpP]$/.test(letter)
  return isLetter ? only[0] : set
}

function rangeFrom(start: number, reader: PatternReader): Range {
  const before = reader.at
  if (!reader.take('-')) return [start, start]
  const char = reader.peek
  if (char === '[' || char === ']' || reader.startsWith('&&')) {
    reader.at = before
    return [start, start]
  }
  reader.next()
  const end = classItem(char, reader)
  if (typeof end !== 'number') throw reader.invalid('has a range that ends in a class')
  if (end < start) throw reader.invalid('has a range whose end stands before its start')
  return [start, end]
}
