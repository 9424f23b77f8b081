import { randomBytes } from 'node:crypto'
import { type Disk, type LockDirectory, Log, type LogOptions } from '@millrace/wal'
import { SPOOL_CONSUMER } from './spool-feed.js'

const KIB = 1_024
const MIB = 1_024 * KIB
/** Parts that a spool's largest size is divided into: so much goes at once when it is full. */
const SEGMENTS = 16
const MIN_SEGMENT_BYTES = 64 * KIB
const MAX_SEGMENT_BYTES = 8 * MIB

/** When it was made, by which process, and a random part. */
const NAME = /^(\d{13,})-\d+-[0-9a-f]{8}$/

/** The name of a new spool: names sort by age. */
export function spoolName(nowMs: number): string {
  const time = String(nowMs).padStart(13, '0')
  return `${time}-${process.pid}-${randomBytes(4).toString('hex')}`
}

/** The names of spools among those of a directory's entries, the oldest first. */
export function spoolsAmong(names: readonly string[]): string[] {
  return names.filter((name) => NAME.test(name)).toSorted()
}

export interface SpoolPlace {
  readonly disk: Disk
  readonly lock: LockDirectory
  readonly maxDiskBytes: number
  readonly minFreeBytes: number
  readonly durability: 'write' | 'sync'
  readonly clock: LogOptions['clock']
}

/** How the log of a spool is opened. */
export function logOptions(directory: string, place: SpoolPlace): LogOptions {
  const { disk, lock, durability, maxDiskBytes, minFreeBytes, clock } = place
  const share = Math.floor(maxDiskBytes / SEGMENTS)
  return {
    checkpointDirectory: directory,
    dataDirectories: [directory],
    consumers: [SPOOL_CONSUMER],
    disk,
    lock,
    durability,
    ...(clock === undefined ? {} : { clock }),
    segmentBytes: Math.min(MAX_SEGMENT_BYTES, Math.max(MIN_SEGMENT_BYTES, share)),
    minimumFreeBytes: minFreeBytes,
    preallocate: false,
    recentBytes: 0,
    spareSegments: 1,
  }
}

export function openSpool(directory: string, place: SpoolPlace): Promise<Log> {
  return Log.open(logOptions(directory, place))
}

export function openSpoolSync(directory: string, place: SpoolPlace): Log {
  return Log.openSync(logOptions(directory, place))
}
