import { closest, distance } from 'fastest-levenshtein'

/** The candidate that a misspelt word most likely meant; undefined when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined
  const limit = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3))
  const best = closest(word.toLowerCase(), candidates)
  return distance(word.toLowerCase(), best) <= limit ? best : undefined
}
