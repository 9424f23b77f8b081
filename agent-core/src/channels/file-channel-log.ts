/** Opens the log of a file channel as its options say. */
import { isDeepStrictEqual } from 'node:util'
import type { Clock, Logger } from '@millrace/runtime'
import {
  type Disk,
  Log,
  type LogOptions,
  MAX_SEGMENT_BYTES,
  MIN_SEGMENT_BYTES,
} from '@millrace/wal'
import { absolutePath } from './absolute-path.js'
import type { FileChannelOptions } from './file.js'

/** Name of the log's one consumer: the channel's sinks share it. */
export const SINKS = 'sinks'

/** What a file channel stands on. */
export interface FileChannelHost {
  readonly clock: Clock
  readonly logger: Logger
  /** The file system. Default: the real one. */
  readonly disk?: Disk
}

/** @throws LogError, StorageError as `Log.open`. */
export async function openLog(
  options: FileChannelOptions,
  host: FileChannelHost,
  signal: AbortSignal,
): Promise<Log> {
  const { logger } = host
  const log = await Log.open({ ...logOptions(options), ...host }, { signal })
  const { isNew, wasClosed, backlogEvents } = log.recovery
  const how = isNew ? 'new' : wasClosed ? 'closed before' : 'not closed before, recovered'
  const where = `${options.checkpointDir} and ${options.dataDirs.join(', ')}`
  logger.info(`open in ${where} (${how}): ${backlogEvents} events wait`)
  if (!options.fsyncPerTransaction) logger.warn(withoutSync(options))
  return log
}

function withoutSync({ fsyncIntervalMs }: FileChannelOptions): string {
  return `fsyncPerTransaction = false: events are acknowledged before the disk has them. A crash of the process loses none; a crash of the machine loses those of the last ${fsyncIntervalMs / 1_000} s`
}

function logOptions(options: FileChannelOptions): LogOptions {
  const { retentionMs, retentionBytes } = options
  return {
    checkpointDirectory: absolutePath(options.checkpointDir),
    dataDirectories: options.dataDirs.map(absolutePath),
    consumers: [SINKS],
    segmentBytes: segmentBytes(options),
    durability: options.fsyncPerTransaction ? 'sync' : 'write',
    syncIntervalMs: options.fsyncIntervalMs,
    maxRepeatedEvents: options.maxRepeatedEvents,
    checkpointIntervalMs: options.checkpointIntervalMs,
    minimumFreeBytes: Math.max(options.minimumRequiredSpace, LEAST_FREE_BYTES),
    retention: {
      ...(retentionMs === undefined ? {} : { ms: retentionMs }),
      ...(retentionBytes === undefined ? {} : { bytes: retentionBytes }),
    },
  }
}

/** Flume's floor of `minimumRequiredSpace`, in bytes. */
export const LEAST_FREE_BYTES = 1024 ** 2

function segmentBytes({ segmentSize, maxFileSize }: FileChannelOptions): number {
  const wanted = Math.min(segmentSize, maxFileSize, MAX_SEGMENT_BYTES)
  return Math.max(wanted, MIN_SEGMENT_BYTES)
}

/** Whether a log that was opened as `before` says is the one that `after` wants. */
export function isLogKept(before: FileChannelOptions, after: FileChannelOptions): boolean {
  return isDeepStrictEqual(logOptions(before), logOptions(after))
}
