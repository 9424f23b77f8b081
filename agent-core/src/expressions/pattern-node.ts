/** The parts of a regular expression. */
import type { CharSet } from './code-points.js'

export type RepeatMode = 'greedy' | 'lazy' | 'possessive'

export type PatternNode =
  | { readonly kind: 'chars'; readonly set: CharSet }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly branches: readonly PatternNode[] }
  | {
      readonly kind: 'repeat'
      readonly item: PatternNode
      readonly min: number
      /** Infinity where there is no limit. */
      readonly max: number
      readonly mode: RepeatMode
    }
  /** A group that captures, by Java's number. */
  | { readonly kind: 'group'; readonly number: number; readonly item: PatternNode }
  /** `(?>…)`: what it matched first is all that it matches. */
  | { readonly kind: 'atomic'; readonly item: PatternNode }
  | {
      readonly kind: 'look'
      readonly isAhead: boolean
      readonly isNegative: boolean
      readonly item: PatternNode
    }
  | { readonly kind: 'reference'; readonly group: number }
  /** A place between characters, as JavaScript source. */
  | { readonly kind: 'place'; readonly source: string; readonly isStart: boolean }

/** A parsed expression. */
export interface ParsedPattern {
  readonly root: PatternNode
  readonly groupCount: number
  readonly groupNames: ReadonlyMap<string, number>
}

/** The parts directly within a node. */
export function childrenOf(node: PatternNode): readonly PatternNode[] {
  switch (node.kind) {
    case 'sequence':
      return node.items
    case 'choice':
      return node.branches
    case 'repeat':
    case 'group':
    case 'atomic':
    case 'look':
      return [node.item]
    default:
      return []
  }
}

/** Whether the node can match without taking a character. */
export function canBeEmpty(node: PatternNode): boolean {
  switch (node.kind) {
    case 'chars':
      return false
    case 'sequence':
      return node.items.every(canBeEmpty)
    case 'choice':
      return node.branches.some(canBeEmpty)
    case 'repeat':
      return node.min === 0 || canBeEmpty(node.item)
    case 'group':
    case 'atomic':
      return canBeEmpty(node.item)
    default:
      return true
  }
}
