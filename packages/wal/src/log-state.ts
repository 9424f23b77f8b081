/** What the parts of an open log share. */
import type { DiskCounts } from './disk/counting-disk.js'
import type { Disk } from './disk/disk.js'
import type { CheckedLogOptions } from './options.js'
import type { Consumer } from './reading/consumer.js'
import type { RecentBatches } from './reading/recent-batches.js'
import type { SegmentPool } from './segments/segment-pool.js'
import type { SegmentTable } from './segments/segment-table.js'

export interface LogState {
  readonly options: CheckedLogOptions
  readonly disk: Disk
  readonly counts: DiskCounts
  readonly logId: string
  /** Of this opening. */
  readonly ownerId: string
  readonly directoryIds: readonly string[]
  readonly segments: SegmentTable
  readonly pool: SegmentPool
  readonly recent: RecentBatches
  readonly consumers: ReadonlyMap<string, Consumer>
  /** Sequence of the next event. */
  nextSequence: number
  nextRecordId: number
}
