export type { Disk, DiskEntry, DiskFile, OpenMode } from './disk/disk.js'
export { cachedDisk } from './disk/cached-disk.js'
export { nodeDisk } from './disk/node-disk.js'
export { Log, type LogPart, type LogStats } from './log.js'
export {
  type LogOptions,
  MAX_SEGMENT_BYTES,
  MIN_SEGMENT_BYTES,
  type Retention,
} from './options.js'
export { type DirectoryLock, lockBySocket, type LockDirectory } from './owner/owner-lock.js'
export type { Consumer } from './reading/consumer.js'
export type { ReadBatch } from './reading/recent-batches.js'
export type { Finding, FindingKind, RecoveryReport } from './recovery/finding.js'
export {
  type ConsumerInspection,
  type DirectoryInspection,
  inspectLog,
  type LogInspection,
  type SegmentInspection,
} from './inspect/inspect-log.js'
export {
  type LoggedBatch,
  readLog,
  type ReadLogOptions,
  type ReadSelection,
} from './inspect/read-log.js'
export { repairLog, type RepairOptions, type RepairReport } from './inspect/repair-log.js'
export type { RepairAction, RepairKind } from './inspect/repair-plan.js'
export type { LogPlace } from './inspect/survey.js'
export { isProblem, type LogVerification, verifyLog } from './inspect/verify-log.js'
