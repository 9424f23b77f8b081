/** Sets of characters, as ranges of code points where that is possible. */

/** First and last code point of a range. */
export type Range = readonly [number, number]

export const MAX_CODE_POINT = 0x10_ff_ff

/** One character out of a set. */
export interface CharSet {
  /** A JavaScript atom with flag `u` that matches one character of the set. */
  readonly source: string
  /** The set's ranges, sorted and apart; undefined where Unicode properties are in it. */
  readonly ranges: readonly Range[] | undefined
}

export function setOf(ranges: readonly Range[]): CharSet {
  const merged = merge(ranges)
  return { source: sourceOf(merged), ranges: merged }
}

/** A set that only JavaScript knows, by its atom. */
export function propertySet(source: string): CharSet {
  return { source, ranges: undefined }
}

export function union(sets: readonly CharSet[]): CharSet {
  const [only] = sets
  if (sets.length === 1 && only) return only
  const plain = sets.flatMap(({ ranges }) => ranges ?? [])
  const others = sets.filter(({ ranges }) => ranges === undefined)
  if (others.length === 0) return setOf(plain)
  const parts = plain.length > 0 ? [setOf(plain), ...others] : others
  return propertySet(`(?:${parts.map(({ source }) => source).join('|')})`)
}

export function intersection(a: CharSet, b: CharSet): CharSet {
  if (!a.ranges || !b.ranges) return propertySet(`(?:(?=${a.source})${b.source})`)
  const both: Range[] = []
  for (const [from, to] of a.ranges) {
    for (const [start, end] of b.ranges) {
      if (start <= to && from <= end) both.push([Math.max(from, start), Math.min(to, end)])
    }
  }
  return setOf(both)
}

export function complement({ ranges, source }: CharSet): CharSet {
  if (!ranges) return propertySet(`(?:(?!${source})[^])`)
  return setOf(gaps(ranges))
}

/** Whether no character is in both; false where that is not known. */
export function areApart(
  a: readonly Range[] | undefined,
  b: readonly Range[] | undefined,
): boolean {
  if (!a || !b) return false
  return a.every(([from, to]) => b.every(([start, end]) => end < from || to < start))
}

/** The ranges with both cases of each ASCII letter, which is what Java's flag `i` means. */
export function withBothCases(ranges: readonly Range[]): Range[] {
  const found: Range[] = [...ranges]
  const cases: readonly (readonly [number, number, number])[] = [
    [0x41, 0x5a, 0x20],
    [0x61, 0x7a, -0x20],
  ]
  for (const [from, to] of ranges) {
    for (const [first, last, shift] of cases) {
      const start = Math.max(from, first)
      const end = Math.min(to, last)
      if (start <= end) found.push([start + shift, end + shift])
    }
  }
  return found
}

function merge(ranges: readonly Range[]): readonly Range[] {
  const merged: [number, number][] = []
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1)
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return merged
}

function gaps(ranges: readonly Range[]): Range[] {
  const between: Range[] = []
  let next = 0
  for (const [from, to] of ranges) {
    if (from > next) between.push([next, from - 1])
    next = to + 1
  }
  if (next <= MAX_CODE_POINT) between.push([next, MAX_CODE_POINT])
  return between
}

function sourceOf(ranges: readonly Range[]): string {
  const [first] = ranges
  if (!first) return '[]'
  if (ranges.length === 1 && first[0] === first[1]) return charSource(first[0])
  const isMostOfAll = ranges.at(-1)?.[1] === MAX_CODE_POINT
  const items = (isMostOfAll ? gaps(ranges) : ranges).map(([from, to]) =>
    from === to ? charSource(from) : `${charSource(from)}-${charSource(to)}`,
  )
  return `[${isMostOfAll ? '^' : ''}${items.join('')}]`
}

/** A character as it may stand in an expression, within a class or outside. */
export function charSource(code: number): string {
  const char = String.fromCodePoint(code)
  return /^[a-zA-Z0-9 _,:;<>=!"#%&'@~`]$/.test(char) ? char : `\\u{${code.toString(16)}}`
}
