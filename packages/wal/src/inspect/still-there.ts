import type { DiskFile } from '../disk/disk.js'
import { readFully, type Steps } from '../disk/steps.js'
import { decodeSegmentHeader, HEADER_BLOCK_BYTES } from '../format/segment-header.js'
import type { Segment } from '../segments/segment.js'

/** Whether a file still holds the segment that it held when the log was looked at. */
export function* isStill(segment: Segment, file: DiskFile): Steps<boolean> {
  const block = Buffer.alloc(HEADER_BLOCK_BYTES)
  const length = yield* readFully(file, block, 0)
  return decodeSegmentHeader(block.subarray(0, length), file.path)?.id === segment.id
}
