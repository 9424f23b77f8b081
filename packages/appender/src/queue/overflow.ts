import type { Lane } from '../delivery/lane.js'
import type { Removed } from './event-queue.js'

/**
 * Makes room for one more event.
 * @param level level index of the event that wants in.
 * @returns what had to go, or undefined when it is the new event itself.
 */
export type MakeRoom = (lanes: readonly Lane[], level: number) => Removed | undefined

/** The oldest event goes. */
export const dropOldest: MakeRoom = (lanes) => oldestLane(lanes)?.removeOldest()

/** The new event goes. */
export const dropNewest: MakeRoom = () => undefined

/**
 * Below `threshold` the lowest level goes first, of one level the oldest; the new event is one of
 * them. When nothing below is left, the oldest event goes.
 */
export function dropBelowLevel(threshold: number): MakeRoom {
  return (lanes, level) => {
    let lowest: Lane | undefined
    let lowestLevel = threshold
    for (const lane of lanes) {
      const found = lane.queue.lowestLevel
      if (found === undefined || found >= lowestLevel) continue
      lowest = lane
      lowestLevel = found
    }
    if (level < lowestLevel) return undefined
    return lowest ? lowest.queue.removeOldestOf(lowestLevel) : dropOldest(lanes, level)
  }
}

function oldestLane(lanes: readonly Lane[]): Lane | undefined {
  let oldest: Lane | undefined
  let sequence = Number.POSITIVE_INFINITY
  for (const lane of lanes) {
    const candidate = lane.oldestSequence
    if (candidate >= sequence) continue
    oldest = lane
    sequence = candidate
  }
  return oldest
}
