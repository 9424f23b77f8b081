/** Options of a log and what they are when they are not given. */
import { randomBytes as nodeRandomBytes } from 'node:crypto'
import type { Clock, Logger } from '@millrace/runtime'
import { OptionError, silentLogger, systemClock } from '@millrace/runtime'
import type { Disk } from './disk/disk.js'
import { nodeDisk } from './disk/node-disk.js'
import { MAX_DATA_DIRECTORIES } from './format/checkpoint.js'
import { MAX_CONSUMER_NAME_BYTES, MAX_CONSUMERS } from './format/cursors.js'
import { type LockDirectory, lockBySocket, withoutLock } from './owner/owner-lock.js'

const MiB = 1024 ** 2
/** Smallest segment in bytes. */
export const MIN_SEGMENT_BYTES = 64 * 1024
/** Largest segment in bytes. */
export const MAX_SEGMENT_BYTES = 1024 * MiB

export interface Retention {
  /** Acknowledged segments are kept for so many milliseconds after their last record. */
  readonly ms?: number
  /** Acknowledged segments are kept as long as they take no more than so many bytes. */
  readonly bytes?: number
}

export interface LogOptions {
  /** Absolute path of the directory that holds the checkpoint. Made if missing. */
  readonly checkpointDirectory: string
  /** Absolute paths of the directories that hold the segments, used in turn. Made if missing. */
  readonly dataDirectories: readonly string[]
  /** Names of the consumers. A new one begins at the oldest event kept; one left out is forgotten. */
  readonly consumers: readonly string[]
  /** Length of a segment in bytes. Default 64 MiB. Segments of another length that are there are used. */
  readonly segmentBytes?: number
  /**
   * `sync` (default): `append` resolves after `fdatasync`. `write`: it resolves when the operating system has
   * the bytes, so that the process can die but not the machine.
   */
  readonly durability?: 'sync' | 'write'
  /** With `write`: longest time until what was written is synced, in milliseconds. Default 5,000. */
  readonly syncIntervalMs?: number
  /** Whether segments are filled with zeroes before they are used: appends are then faster. Default true. */
  readonly preallocate?: boolean
  /** Most bytes of one batch. One that is longer than a segment gets a segment of its own. Default 256 MiB. */
  readonly maxBatchBytes?: number
  /** Most bytes of one write. Default 8 MiB. */
  readonly maxGroupBytes?: number
  /** Most bytes of recent batches kept in memory for consumers that follow closely. Default 8 MiB. */
  readonly recentBytes?: number
  /** Most events that may be acknowledged and not yet durably so; a crash repeats them. Default 100,000. */
  readonly maxRepeatedEvents?: number
  /** Longest time until an acknowledgement is stored when nothing is appended, in milliseconds. Default 200. */
  readonly cursorIntervalMs?: number
  /** Time between checkpoints in milliseconds. Default 30,000. */
  readonly checkpointIntervalMs?: number
  /** Most free segments that are kept for later use. Default 4. */
  readonly spareSegments?: number
  /** Free bytes that a data directory's file system keeps; a segment is not added beyond. Default 0. */
  readonly minimumFreeBytes?: number
  /** Time between two looks at a disk that was full, in milliseconds. Default 1,000. */
  readonly spaceCheckIntervalMs?: number
  readonly retention?: Retention
  /** Most bytes of quarantined copies. Default 256 MiB. */
  readonly maxQuarantineBytes?: number
  readonly logger?: Logger
  readonly clock?: Clock
  /** The file system. Default: the real one. */
  readonly disk?: Disk
  /** Keeps other processes out. Default: a socket in the checkpoint directory, on the real disk. */
  readonly lock?: LockDirectory
  /** Source of ids and salts. */
  readonly randomBytes?: (length: number) => Buffer
}

export type CheckedLogOptions = Required<LogOptions>

/** @throws OptionError naming the option that is not valid. */
export function checkLogOptions(options: LogOptions): CheckedLogOptions {
  const disk = options.disk ?? nodeDisk
  const checked: CheckedLogOptions = {
    segmentBytes: 64 * MiB,
    durability: 'sync',
    syncIntervalMs: 5000,
    preallocate: true,
    maxBatchBytes: 256 * MiB,
    maxGroupBytes: 8 * MiB,
    recentBytes: 8 * MiB,
    maxRepeatedEvents: 100_000,
    cursorIntervalMs: 200,
    checkpointIntervalMs: 30_000,
    spareSegments: 4,
    minimumFreeBytes: 0,
    spaceCheckIntervalMs: 1000,
    retention: {},
    maxQuarantineBytes: 256 * MiB,
    logger: silentLogger,
    clock: systemClock,
    lock: disk === nodeDisk ? lockBySocket : withoutLock,
    randomBytes: nodeRandomBytes,
    ...options,
    disk,
  }
  const { segmentBytes, dataDirectories, consumers } = checked
  if (segmentBytes < MIN_SEGMENT_BYTES || segmentBytes > MAX_SEGMENT_BYTES) {
    throw new OptionError(
      `segmentBytes: ${segmentBytes} is not in [${MIN_SEGMENT_BYTES}, ${MAX_SEGMENT_BYTES}]`,
    )
  }
  if (dataDirectories.length === 0 || dataDirectories.length > MAX_DATA_DIRECTORIES) {
    throw new OptionError(`dataDirectories: not 1 to ${MAX_DATA_DIRECTORIES} directories`)
  }
  if (new Set(dataDirectories).size < dataDirectories.length) {
    throw new OptionError('dataDirectories: a directory stands twice')
  }
  if (consumers.length === 0 || consumers.length > MAX_CONSUMERS) {
    throw new OptionError(`consumers: not 1 to ${MAX_CONSUMERS} names`)
  }
  for (const name of consumers) {
    if (name === '' || Buffer.byteLength(name) > MAX_CONSUMER_NAME_BYTES) {
      throw new OptionError(`consumers: '${name}' is empty or too long`)
    }
  }
  return checked
}
