/** From the tree of a Java expression to JavaScript's source for it (flag `u`). */
import { canBeEmpty, type PatternNode } from './pattern-node.js'

export interface EmittedPattern {
  readonly source: string
  /** JavaScript's number of each of Java's groups; index 0 is the whole match. */
  readonly groups: readonly number[]
}

/** The tree must have passed {@link checkGroups}: a reference names a group that has matched. */
export function emitPattern(root: PatternNode): EmittedPattern {
  const emitter = new PatternEmitter()
  return { source: emitter.emit(root), groups: emitter.groups }
}

/**
 * What JavaScript lacks is written with what it has: `(?>X)`, which gives nothing back once it has
 * matched, is `(?=(X))\1`, for a lookahead gives nothing back either.
 */
class PatternEmitter {
  readonly groups: number[] = [0]
  #count = 0

  emit(node: PatternNode): string {
    switch (node.kind) {
      case 'chars':
        return node.set.source
      case 'sequence':
        return node.items.map((item) => this.#item(item)).join('')
      case 'choice':
        return node.branches.map((branch) => this.emit(branch)).join('|')
      case 'repeat':
        return this.#repeat(node)
      case 'group':
        this.#count += 1
        this.groups[node.number] = this.#count
        return `(${this.emit(node.item)})`
      case 'atomic':
        return this.#atomic(() => this.emit(node.item))
      case 'look':
        return this.#look(node)
      case 'reference':
        return `(?:\\${this.groups[node.group] ?? 0})`
      default:
        return node.source
    }
  }

  #item(node: PatternNode): string {
    return node.kind === 'choice' ? `(?:${this.emit(node)})` : this.emit(node)
  }

  #repeat(node: PatternNode & { kind: 'repeat' }): string {
    const { item, min, max, mode } = node
    if (mode === 'possessive') {
      return this.#atomic(() => this.#repeat({ ...node, mode: 'greedy' }))
    }
    const inner = this.emit(item)
    // JavaScript would rather take something than take nothing once.
    if (min === 0 && max === 1 && canBeEmpty(item)) {
      return mode === 'lazy' ? `(?:|${inner})` : `(?:${inner}|)`
    }
    const isAtom = (item.kind === 'chars' && !inner.startsWith('(?')) || item.kind === 'group'
    const limits = max === Number.POSITIVE_INFINITY ? `{${min},}` : `{${min},${max}}`
    const short: Readonly<Record<string, string>> = { '{0,}': '*', '{1,}': '+', '{0,1}': '?' }
    const quantifier = short[limits] ?? limits
    return `${isAtom ? inner : `(?:${inner})`}${quantifier}${mode === 'lazy' ? '?' : ''}`
  }

  #atomic(inner: () => string): string {
    this.#count += 1
    const number = this.#count
    return `(?:(?=(${inner()}))\\${number})`
  }

  #look({ isAhead, isNegative, item }: PatternNode & { kind: 'look' }): string {
    return `(?${isAhead ? '' : '<'}${isNegative ? '!' : '='}${this.emit(item)})`
  }
}
