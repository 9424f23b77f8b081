/** Names of the files of a log. */
import { join } from 'node:path'

/** In the checkpoint directory: the two slots. */
export const CHECKPOINT_FILE = 'cursors.wal'
/** In the checkpoint directory: answers as long as the owner lives. */
export const OWNER_SOCKET = 'owner.sock'
/** In each data directory: which log it belongs to. */
export const IDENTITY_FILE = 'directory.wal'
/** In each data directory: copies of damaged bytes, and files set aside. */
export const QUARANTINE_DIRECTORY = 'quarantine'
/** Ending of a file that is not finished. */
export const UNFINISHED = '.tmp'

const SEGMENT_NAME = /^segment-(\d{10,16})\.wal$/

export function segmentFileName(number: number): string {
  return `segment-${String(number).padStart(10, '0')}.wal`
}

/** The number in the name of a segment's file; undefined for another file. */
export function segmentFileNumber(name: string): number | undefined {
  const match = SEGMENT_NAME.exec(name)
  return match ? Number(match[1]) : undefined
}

/** Files of Apache Flume's file channel: data files, their metadata, checkpoints and their companions. */
const FLUME_FILE =
  /^(?:log-\d+(?:\.meta(?:\.tmp|\.old)?)?|checkpoint(?:\.meta(?:\.tmp|\.old)?)?|inflight(?:takes|puts)|queueset)$/

/** The first of the names that Apache Flume's file channel uses. */
export function flumeFileIn(names: readonly string[]): string | undefined {
  return names.toSorted().find((name) => FLUME_FILE.test(name))
}

export function inDirectory(directory: string, name: string): string {
  return join(directory, name)
}
