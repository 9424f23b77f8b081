import { randomBytes } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
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

/** Behind the name of a spool that is being removed. */
const REMOVED = '.removed'

/** The name of a new spool: names sort by age. */
export function spoolName(nowMs: number): string {
  const time = String(nowMs).padStart(13, '0')
  return `${time}-${process.pid}-${randomBytes(4).toString('hex')}`
}

/** The names of spools among those of a directory's entries, the oldest first. */
export function spoolsAmong(names: readonly string[]): string[] {
  return names.filter((name) => NAME.test(name)).toSorted()
}

/** The names of what stays of spools when a process ends while it removes them. */
export function remainsAmong(names: readonly string[]): string[] {
  return names.filter((name) => {
    return name.endsWith(REMOVED) && NAME.test(name.slice(0, -REMOVED.length))
  })
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

/**
 * Ends the log of an empty spool, and removes it. It gets another name while it has its owner: nobody who looks
 * for abandoned spools finds a half of it, and nobody who makes a new one has begun to use it.
 * @throws Error when it can't be removed; it is empty and without an owner then.
 */
export async function removeSpool(path: string, log: Log): Promise<void> {
  const aside = `${path}${REMOVED}`
  let isAside = true
  try {
    await rename(path, aside)
  } catch {
    // Some systems keep the name of a directory as long as files in it are open.
    isAside = false
  }
  await log.close()
  await rm(isAside ? aside : path, { recursive: true, force: true })
}

/** Removes what stays of a spool; another process may do the same at the same time. */
export async function removeRemains(directory: string, name: string): Promise<void> {
  await rm(join(directory, name), { recursive: true, force: true })
}
