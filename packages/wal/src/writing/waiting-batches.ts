import type { EventBatch } from '@millrace/event'
import type { Deferred } from '@millrace/runtime'

/** Most batches of one group: each takes up to two of the buffers of a write call. */
const MAX_GROUP_BATCHES = 500

/** A batch that waits for its group. */
export interface Waiting {
  readonly batch: EventBatch
  /** Length of its record. */
  readonly bytes: number
  readonly done: Deferred<void>
}

/** Takes out what shares the next write: as much as the limits and the segment allow. */
export function takeGroup(
  waiting: Waiting[],
  segment: {
    /** Bytes that the active segment has left. */
    readonly room: number
    /** Most bytes of a group that begins one. */
    readonly largestGroup: number
  },
  maxGroupBytes: number,
): Waiting[] {
  const first = waiting[0]
  if (!first) return []
  // What does not fit into the rest of the segment begins the next one.
  const { room, largestGroup } = segment
  const isFitting = first.bytes <= room
  const most = Math.min(maxGroupBytes, isFitting ? room : Math.max(largestGroup, first.bytes))
  let count = 1
  let bytes = first.bytes
  while (count < waiting.length && count < MAX_GROUP_BATCHES) {
    bytes += (waiting[count] as Waiting).bytes
    if (bytes > most) break
    count += 1
  }
  return waiting.splice(0, count)
}
