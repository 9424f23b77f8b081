/** Finds uses of groups in which JavaScript and Java differ. */
import { ConfigurationError } from '@millrace/runtime'
import { canBeEmpty, childrenOf, type PatternNode } from './pattern-node.js'

/**
 * @param areGroupsRead whether somebody looks at what the groups matched.
 * @throws ConfigurationError `MILLRACE_CONFIG_UNSUPPORTED`
 */
export function checkGroups(root: PatternNode, areGroupsRead: boolean): void {
  const hasReference = has(root, ({ kind }) => kind === 'reference')
  if (areGroupsRead || hasReference) checkRepeats(root)
  checkReferences(root, new Set())
  checkLookbehind(root, false)
}

function has(node: PatternNode, test: (node: PatternNode) => boolean): boolean {
  return test(node) || childrenOf(node).some((child) => has(child, test))
}

const isCapture = ({ kind }: PatternNode) => kind === 'group'

/**
 * Java keeps what a group matched in an earlier repeat, JavaScript forgets it at each; and they
 * differ in whether an empty repeat counts.
 */
function checkRepeats(node: PatternNode): void {
  if (node.kind === 'repeat' && has(node.item, isCapture)) {
    const isMany = node.max > 1
    if ((isMany || node.min === 0) && canBeEmpty(node.item)) {
      throw refused('a group in something that may be left out and may be empty')
    }
    if (isMany && isPassedBy(node.item)) {
      throw refused('a group that need not match in each repeat around it')
    }
  }
  for (const child of childrenOf(node)) checkRepeats(child)
}

/** Whether the node can match with a group in it that did not. */
function isPassedBy(node: PatternNode): boolean {
  const isOptional = node.kind === 'choice' || (node.kind === 'repeat' && node.min === 0)
  if (isOptional && has(node, isCapture)) return true
  return childrenOf(node).some(isPassedBy)
}

/** A reference to a group that did not match fails in Java and matches nothing in JavaScript. */
function checkReferences(node: PatternNode, matched: Set<number>): void {
  switch (node.kind) {
    case 'reference':
      if (!matched.has(node.group))
        throw refused(`\\${node.group}, whose group may not have matched`)
      return
    case 'group':
      checkReferences(node.item, matched)
      matched.add(node.number)
      return
    case 'choice': {
      const ends = node.branches.map((branch) => {
        const own = new Set(matched)
        checkReferences(branch, own)
        return own
      })
      const [first = new Set<number>()] = ends
      for (const group of first) if (ends.every((end) => end.has(group))) matched.add(group)
      return
    }
    case 'repeat':
      checkReferences(node.item, node.min > 0 ? matched : new Set(matched))
      return
    case 'look':
      checkReferences(node.item, node.isNegative ? new Set(matched) : matched)
      return
    default:
      for (const child of childrenOf(node)) checkReferences(child, matched)
  }
}

/** JavaScript matches what stands in a lookbehind from its end. */
function checkLookbehind(node: PatternNode, isWithin: boolean): void {
  const isPossessive = node.kind === 'repeat' && node.mode === 'possessive'
  if (isWithin && (isPossessive || ['group', 'atomic', 'reference'].includes(node.kind))) {
    throw refused('a group in a lookbehind')
  }
  const isBehind = node.kind === 'look' && !node.isAhead
  for (const child of childrenOf(node)) checkLookbehind(child, isWithin || isBehind)
}

function refused(what: string): ConfigurationError {
  return new ConfigurationError(
    'MILLRACE_CONFIG_UNSUPPORTED',
    `has ${what}, which is not supported`,
  )
}
