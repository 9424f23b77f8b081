/** Guesses which word somebody meant. */
import { prefixOf } from '@millrace/component'
import { distance } from 'fastest-levenshtein'

/** `; did you mean "word"?` when one of the words is close enough, else nothing. */
export function suggest(given: string, words: Iterable<string>): string {
  const word = closest(given, words)
  return word === undefined ? '' : `; did you mean "${word}"?`
}

/** The word nearest to what was given, unless it is too far away. Case counts for nothing. */
export function closest(given: string, words: Iterable<string>): string | undefined {
  const wanted = given.toLowerCase()
  let best: { word: string; edits: number } | undefined
  for (const word of words) {
    const edits = distance(wanted, word.toLowerCase())
    if (edits <= allowedEdits(given, word) && (best === undefined || edits < best.edits)) {
      best = { word, edits }
    }
  }
  return best?.word
}

/** Two letters swapped are two edits, so a word of four must be allowed two. */
const allowedEdits = (a: string, b: string): number =>
  Math.max(1, Math.floor((Math.max(a.length, b.length) + 2) / 3))

/**
 * The key nearest to an unknown one. A candidate `prefix.*` or `prefix.<name>` stands for the
 * prefix with whatever follows it in the unknown key.
 */
export function closestKey(given: string, candidates: Iterable<string>): string | undefined {
  const keys = [...candidates].map((candidate) => {
    const prefix = prefixOf({ key: candidate })
    if (prefix === undefined) return candidate
    const depth = prefix.split('.').length - 1
    return prefix + given.split('.').slice(depth).join('.')
  })
  return closest(
    given,
    keys.filter((key) => key !== given),
  )
}
