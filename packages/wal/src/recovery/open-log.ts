/** Opens a log from whatever a crash, a disk or a person left. See `docs/formats/wal.md`, "Recovery". */
import { countingDisk, type DiskCounts } from '../disk/counting-disk.js'
import type { Disk } from '../disk/disk.js'
import type { Steps } from '../disk/steps.js'
import type { Checkpoint, Frontier } from '../format/checkpoint.js'
import type { Cursor } from '../format/cursors.js'
import type { LogState } from '../log-state.js'
import type { CheckedLogOptions } from '../options.js'
import { type DirectoryLock, takeAll, takeAllSync } from '../owner/owner-lock.js'
import { SegmentPool } from '../segments/segment-pool.js'
import { SegmentTable } from '../segments/segment-table.js'
import { storageError } from '../segments/storage-error.js'
import { CheckpointFile } from './checkpoint-file.js'
import { ensureDirectory, refuseFlume } from './directories.js'
import type { Finding, RecoveryReport } from './finding.js'
import { type Identity, identify } from './identify.js'
import { type RecoveredLog, Recovery } from './recovery.js'
import { findSegmentFiles } from './segment-files.js'

export interface OpenedLog {
  readonly state: Omit<LogState, 'consumers' | 'recent'>
  readonly checkpoint: CheckpointFile
  readonly lock: DirectoryLock
  readonly cursors: readonly Cursor[]
  readonly start: {
    readonly lastId: number
    readonly frontier: Frontier
    readonly filledTo: number
  }
  readonly report: RecoveryReport
}

export function* openLog(options: CheckedLogOptions): Steps<OpenedLog> {
  const { checkpointDirectory, dataDirectories, lock } = options
  const counts: DiskCounts = { bytesWritten: 0, writes: 0, syncs: 0, bytesRead: 0 }
  const disk = countingDisk(options.disk, counts)
  const directories = [checkpointDirectory, ...dataDirectories]
  let held: DirectoryLock | undefined
  let recovered: RecoveredLog | undefined
  try {
    yield* refuseFlume(disk, directories)
    for (const directory of directories) yield* ensureDirectory(disk, directory)
    held = (yield {
      sync: () => takeAllSync(lock, directories),
      async: () => takeAll(lock, directories),
    }) as DirectoryLock
    const previous = yield* CheckpointFile.read(disk, checkpointDirectory)
    const findings: Finding[] = []
    const files = yield* findSegmentFiles(disk, dataDirectories, findings)
    const known = { checkpoint: previous, files }
    const identity = yield* identify(disk, options, known, findings)
    const recovery = new Recovery(disk, options, { ...known, logId: identity.logId, findings })
    recovered = yield* recovery.run()
    const state = stateOf({ options, disk, counts, identity, recovered })
    const frontier = frontierOf(recovered)
    const checkpoint = yield* takeOver(state, { previous, frontier, recovered })
    const report = reportOf(recovered, identity, previous, findings)
    for (const { kind, path, message } of findings) {
      if (kind !== 'foreign') options.logger.warn(`${path}: ${message}`)
    }
    return {
      state,
      checkpoint,
      lock: held,
      cursors: recovered.cursors,
      start: { lastId: recovered.lastId, frontier, filledTo: recovered.lastSize },
      report,
    }
  } catch (error) {
    recovered?.segments.at(-1)?.detach()?.closeSync()
    held?.release()
    throw storageError(`The log in ${checkpointDirectory} can't be opened`, error)
  }
}

function stateOf(parts: {
  readonly options: CheckedLogOptions
  readonly disk: Disk
  readonly counts: DiskCounts
  readonly identity: Identity
  readonly recovered: RecoveredLog
}): OpenedLog['state'] {
  const { counts, disk, identity, options, recovered } = parts
  const pool = new SegmentPool({
    ...options,
    disk,
    nextFileNumber: recovered.nextFileNumber,
    free: [],
  })
  for (const file of recovered.free) pool.give(file)
  return {
    options,
    disk,
    counts,
    logId: identity.logId,
    ownerId: options.randomBytes(16).toString('hex'),
    directoryIds: identity.directoryIds,
    segments: new SegmentTable(recovered.segments),
    pool,
    nextSequence: recovered.nextSequence,
    nextRecordId: recovered.nextRecordId,
  }
}

function frontierOf({ segments, nextSequence, nextRecordId, lastId }: RecoveredLog): Frontier {
  const last = segments.at(-1)
  return {
    segmentId: last?.id ?? lastId,
    offset: last?.end ?? 0,
    nextSequence,
    nextRecordId,
  }
}

/** Writes a checkpoint in the name of this opening: whoever had the log before finds it at the next segment. */
function* takeOver(
  state: OpenedLog['state'],
  found: {
    readonly previous: Checkpoint | undefined
    readonly frontier: Frontier
    readonly recovered: RecoveredLog
  },
): Steps<CheckpointFile> {
  const { directoryIds, disk, logId, options, ownerId } = state
  const { frontier, previous, recovered } = found
  const generation = previous?.generation ?? 0
  const file = yield* CheckpointFile.open(disk, options.checkpointDirectory, generation)
  try {
    yield* file.write({
      logId,
      ownerId,
      isClosed: false,
      frontier,
      nextFileNumber: recovered.nextFileNumber,
      directoryIds,
      cursorsAsOf: recovered.nextRecordId,
      cursors: recovered.cursors,
    })
    return file
  } catch (error) {
    file.closeSync()
    throw error
  }
}

function reportOf(
  recovered: RecoveredLog,
  identity: Identity,
  previous: Checkpoint | undefined,
  findings: readonly Finding[],
): RecoveryReport {
  const lowest = Math.min(...recovered.cursors.map(({ sequence }) => sequence))
  return {
    isNew: identity.isNew,
    wasClosed: previous?.isClosed ?? identity.isNew,
    segments: recovered.segments.length,
    backlogEvents: recovered.nextSequence - lowest,
    findings,
  }
}
