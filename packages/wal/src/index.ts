export type { Disk, DiskEntry, DiskFile, OpenMode } from './disk/disk.js'
export { nodeDisk } from './disk/node-disk.js'
export { Log, type LogStats } from './log.js'
export {
  type LogOptions,
  MAX_SEGMENT_BYTES,
  MIN_SEGMENT_BYTES,
  type Retention,
} from './options.js'
export { type DirectoryLock, type LockDirectory } from './owner/owner-lock.js'
export type { Consumer } from './reading/consumer.js'
export type { ReadBatch } from './reading/recent-batches.js'
export type { Finding, FindingKind, RecoveryReport } from './recovery/finding.js'
