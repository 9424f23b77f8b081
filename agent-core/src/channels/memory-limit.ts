import { totalmem } from 'node:os'

/** The share of its memory that one memory channel may fill when nothing else is configured. */
const DEFAULT_SHARE = 4

/**
 * A quarter of the memory that this process may use, in bytes: of its control group's limit where
 * there is one, else of the machine's memory.
 */
export function defaultByteCapacity(
  constrained: number = process.constrainedMemory(),
  total: number = totalmem(),
): number {
  // Without a limit it answers 0, or a number beyond any memory.
  const limit = constrained > 0 && constrained < total ? constrained : total
  return Math.floor(limit / DEFAULT_SHARE)
}
