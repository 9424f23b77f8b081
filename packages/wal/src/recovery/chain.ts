import { Segment } from '../segments/segment.js'
import type { FoundFile, FoundFiles } from './segment-files.js'

type SegmentFileFound = FoundFiles['segments'][number]

/** The segments that make up a log, as their headers link them. */
export interface Chain {
  /** Oldest first. The end of the last one is not known yet. */
  readonly segments: readonly Segment[]
  /** Length of the last one's file in bytes. */
  readonly lastSize: number
  /** Segments that were begun and never became part of the log. */
  readonly abandoned: readonly FoundFile[]
  /** Whether a segment between two others is missing. */
  readonly hasHole: boolean
}

/**
 * Follows the headers from the youngest segment back. Each names the segment before it and where that one
 * ends; what lies between the two was begun in vain. A segment that is missing leaves a hole, over which the
 * chain goes on: what is lost in it shows in the event sequences.
 */
export function chainOf(found: readonly SegmentFileFound[]): Chain {
  const segments: Segment[] = []
  const abandoned: FoundFile[] = []
  let hasHole = false
  let next: Segment | undefined
  for (const each of found.toReversed()) {
    if (next && each.header.id > next.header.previousId) {
      abandoned.push(each)
      continue
    }
    const segment = new Segment(each.header, each.file)
    if (next) {
      const isLinked = next.header.previousId === segment.id
      hasHole ||= !isLinked
      segment.end = isLinked ? next.header.previousEnd : each.size
      segment.isEndKnown = isLinked
      segment.nextSequence = next.firstSequence
      segment.lastAppendedAtMs = next.header.createdAtMs
    }
    segments.push(segment)
    next = segment
  }
  return {
    segments: segments.toReversed(),
    lastSize: found.at(-1)?.size ?? 0,
    abandoned,
    hasHole,
  }
}
