/** How long a match can take at most. */
import { areApart, type Range, union } from './code-points.js'
import { canBeEmpty, type PatternNode } from './pattern-node.js'

/** What matching a node from one place on can come to. */
interface Bound {
  /** Ways in which it can match: what stands behind it may be tried so many times. */
  readonly ways: number
  /** Steps until all of them are tried. */
  readonly steps: number
}

const NOTHING: Bound = { ways: 1, steps: 0 }
const ONE: Bound = { ways: 1, steps: 1 }

/**
 * An upper bound on the steps of one search in a text of `length` characters, which a backtracking
 * engine may need to find that nothing matches. Infinite where the expression itself has no bound
 * below exponential growth, as `(a+)+` has none.
 */
export function stepBound(root: PatternNode, length: number): number {
  const { steps } = boundOf(root, length)
  return (isAnchored(root) ? 1 : length + 1) * (steps + 1)
}

function boundOf(node: PatternNode, length: number): Bound {
  switch (node.kind) {
    case 'chars':
    case 'place':
      return ONE
    case 'reference':
      return { ways: 1, steps: length + 1 }
    case 'group':
      return boundOf(node.item, length)
    case 'atomic':
    case 'look':
      return { ways: 1, steps: boundOf(node.item, length).steps + 1 }
    case 'sequence':
      return ofSequence(node.items, length)
    case 'choice':
      return ofChoice(node.branches, length)
    default:
      return ofRepeat(node, length)
  }
}

function ofSequence(items: readonly PatternNode[], length: number): Bound {
  let bound = NOTHING
  items.forEach((item, i) => {
    const own = boundOf(item, length)
    const steps = bound.steps + bound.ways * own.steps
    // `\d+` in front of a blank can only end in one place: each other one fails at once.
    const isSettled = own.ways > 1 && endsWhere(item, items.slice(i + 1))
    bound = isSettled
      ? { ways: bound.ways, steps: steps + bound.ways * own.ways }
      : { ways: bound.ways * own.ways, steps }
  })
  return bound
}

/** Whether only one end of a repeated set of characters lets what follows begin. */
function endsWhere(item: PatternNode, following: readonly PatternNode[]): boolean {
  const repeat = item.kind === 'group' ? item.item : item
  if (repeat.kind !== 'repeat' || repeat.item.kind !== 'chars') return false
  if (following.every(canBeEmpty)) return false
  // Where the number of characters is limited, it may also end within a run of them.
  if (repeat.max !== Number.POSITIVE_INFINITY) return false
  return areApart(repeat.item.set.ranges, firstOf({ kind: 'sequence', items: following }))
}

function ofChoice(branches: readonly PatternNode[], length: number): Bound {
  const bounds = branches.map((branch) => boundOf(branch, length))
  const steps = bounds.reduce((sum, each) => sum + each.steps, branches.length)
  const all = bounds.map(({ ways }) => ways)
  return { ways: areExclusive(branches) ? Math.max(...all) : all.reduce((a, b) => a + b, 0), steps }
}

/** Whether the first character decides which branch it is. */
function areExclusive(branches: readonly PatternNode[]): boolean {
  const firsts = branches.map(firstOf)
  return firsts.every(
    (first, i) => first && firsts.every((other, j) => i === j || areApart(first, other)),
  )
}

function ofRepeat(node: PatternNode & { kind: 'repeat' }, length: number): Bound {
  const { item, min, max, mode } = node
  const own = boundOf(item, length)
  if (canBeEmpty(item) && max > 1)
    return { ways: Number.POSITIVE_INFINITY, steps: Number.POSITIVE_INFINITY }
  const times = Math.min(max, length + 1)
  let ways = own.ways <= 1 ? Math.max(1, times - Math.min(min, times) + 1) : 0
  let steps = own.ways <= 1 ? times * own.steps + 1 : 0
  if (own.ways > 1) {
    const most = own.ways ** times
    ways = most * 2
    steps = most * 2 * (own.steps + 1)
  }
  return { ways: mode === 'possessive' ? 1 : ways, steps }
}

/** The characters that a match can begin with; undefined where that is not known, or may be none. */
function firstOf(node: PatternNode): readonly Range[] | undefined {
  switch (node.kind) {
    case 'chars':
      return node.set.ranges
    case 'group':
    case 'atomic':
      return firstOf(node.item)
    case 'repeat':
      return node.min > 0 ? firstOf(node.item) : undefined
    case 'choice':
      return unionOf(node.branches.map(firstOf))
    case 'sequence':
      return firstOfSequence(node.items)
    default:
      return undefined
  }
}

function firstOfSequence(items: readonly PatternNode[]): readonly Range[] | undefined {
  const firsts: (readonly Range[] | undefined)[] = []
  for (const item of items) {
    if (item.kind === 'place' || item.kind === 'look') continue
    const skipped = item.kind === 'repeat' && item.min === 0
    firsts.push(skipped ? firstOf(item.item) : firstOf(item))
    if (!canBeEmpty(item)) return unionOf(firsts)
  }
  return undefined
}

function unionOf(parts: readonly (readonly Range[] | undefined)[]): readonly Range[] | undefined {
  const known = parts.filter((part) => part !== undefined)
  if (known.length < parts.length) return undefined
  return union(known.map((ranges) => ({ source: '', ranges }))).ranges
}

function isAnchored(node: PatternNode): boolean {
  if (node.kind === 'place') return node.isStart
  if (node.kind === 'group' || node.kind === 'atomic') return isAnchored(node.item)
  if (node.kind === 'choice') return node.branches.every(isAnchored)
  const first = node.kind === 'sequence' ? node.items[0] : undefined
  return first !== undefined && isAnchored(first)
}
