/** What a log consists of, found out without changing anything, also while a process has it open. */
import { LogError } from '@millrace/runtime'
import type { Disk } from '../disk/disk.js'
import { nodeDisk } from '../disk/node-disk.js'
import { closeFile, entryAt, openFile, runAsync } from '../disk/steps.js'
import type { Checkpoint } from '../format/checkpoint.js'
import type { Cursor } from '../format/cursors.js'
import { type CheckedLogOptions, checkLogOptions } from '../options.js'
import { liveOwner } from '../owner/owner-lock.js'
import { CheckpointFile } from '../recovery/checkpoint-file.js'
import { refuseFlume } from '../recovery/directories.js'
import type { Finding } from '../recovery/finding.js'
import { type DirectoryMatch, matchDirectories } from '../recovery/identify.js'
import { type RecoveredLog, Recovery } from '../recovery/recovery.js'
import { findSegmentFiles, type FoundFile } from '../recovery/segment-files.js'
import type { Segment } from '../segments/segment.js'
import { isStill } from './still-there.js'

/** Where a log is. */
export interface LogPlace {
  /** Absolute path. */
  readonly checkpointDirectory: string
  /** Absolute paths. */
  readonly dataDirectories: readonly string[]
  /** The file system. Default: the real one. */
  readonly disk?: Disk
}

export interface Survey {
  readonly disk: Disk
  readonly options: CheckedLogOptions
  readonly logId: string
  /** Process number of the live owner; undefined when no process has the log open. */
  readonly owner: string | undefined
  readonly checkpoint: Checkpoint | undefined
  /** The data directories that are there. */
  readonly dataDirectories: readonly string[]
  readonly directories: DirectoryMatch['directories']
  /** Ids of data directories that the log uses and that were not named, or are not there. */
  readonly missingIds: readonly string[]
  /** With all segments that are still on disk, those that every consumer is done with included. */
  readonly recovered: RecoveredLog
  readonly files: readonly FoundFile[]
  readonly findings: readonly Finding[]
  /** The lowest event that some consumer is not done with. */
  readonly lowestSequence: number
}

/** How often a log in use is looked at again when it changed meanwhile. */
const ATTEMPTS = 5

/**
 * Looks at a log: the headers of its files and its last segment. Of a log in use it is a picture of one moment.
 * @throws LogError `MILLRACE_LOG_DIRECTORY` when there is no log, or directories of two logs; `…_VERSION`;
 *   `…_FLUME_DATA` when it is a channel of Apache Flume.
 * @throws StorageError when the disk fails.
 */
export async function surveyLog(place: LogPlace, signal?: AbortSignal): Promise<Survey> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const survey = await surveyOnce(place, signal)
      if (attempt === ATTEMPTS || (await isSteady(survey))) return survey
    } catch (error) {
      signal?.throwIfAborted()
      // A file that was there is gone: the owner gave it back to the system.
      const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT'
      if (!isGone || attempt === ATTEMPTS) throw error
    }
  }
}

/** Whether the log was the same from the start of the look to its end, as far as that matters. */
async function isSteady(survey: Survey): Promise<boolean> {
  const { disk, findings, lowestSequence, owner, recovered } = survey
  if (owner === undefined) return true
  if (findings.some(({ kind }) => kind !== 'foreign')) return false
  // A file that was made while the others were looked at is not among them.
  const isMissed = ({ isEndKnown, nextSequence }: Segment) =>
    !isEndKnown && nextSequence > lowestSequence
  if (recovered.segments.some(isMissed)) return false
  const last = recovered.segments.at(-1)
  if (!last) return true
  const file = await runAsync(openFile(disk, last.file.path, 'read'))
  try {
    return await runAsync(isStill(last, file))
  } finally {
    await runAsync(closeFile(file)).catch(() => {})
  }
}

async function surveyOnce(place: LogPlace, signal?: AbortSignal): Promise<Survey> {
  const { checkpointDirectory, disk = nodeDisk } = place
  await runAsync(refuseFlume(disk, [checkpointDirectory, ...place.dataDirectories]), signal)
  const all = [checkpointDirectory, ...place.dataDirectories]
  const owner = disk === nodeDisk ? await liveOwner(all) : undefined
  const findings: Finding[] = []
  const dataDirectories: string[] = []
  for (const path of place.dataDirectories) {
    if ((await runAsync(entryAt(disk, path), signal))?.isDirectory) dataDirectories.push(path)
    else findings.push({ kind: 'missing', path, message: 'This directory is not there' })
  }
  const checkpoint = await runAsync(CheckpointFile.read(disk, checkpointDirectory), signal)
  const files = await runAsync(findSegmentFiles(disk, dataDirectories, findings), signal)
  const known = { checkpoint, files }
  const match = await runAsync(matchDirectories(disk, dataDirectories, known), signal)
  const { logId, directories, missingIds, stranger } = match
  if (logId === undefined) throw noLog(place)
  if (stranger !== undefined) throw mixed(stranger)
  reportDirectories(place, { dataDirectories, directories, missingIds }, findings)
  const options = optionsFor({ ...place, dataDirectories, disk }, files)
  const recovery = new Recovery(disk, options, { ...known, logId, findings })
  const found = await runAsync(recovery.run(true), signal)
  const cursors = owner === undefined ? found.cursors : await youngestCursors(disk, place, found)
  const recovered = { ...found, cursors }
  return {
    disk,
    options,
    logId,
    owner,
    checkpoint,
    dataDirectories,
    directories,
    missingIds,
    recovered,
    files,
    // What stands behind the end of a log in use is being written.
    findings: owner ? findings.filter(({ kind }) => kind !== 'cut-tail') : findings,
    lowestSequence: Math.min(
      recovered.nextSequence,
      ...recovered.cursors.map(({ sequence }) => sequence),
    ),
  }
}

/**
 * Segments are given free behind a checkpoint that says so: with the cursors of the checkpoint as it is after the
 * files were listed, no event counts as missing that was given free before.
 */
async function youngestCursors(
  disk: Disk,
  { checkpointDirectory }: LogPlace,
  { cursors, nextSequence }: RecoveredLog,
): Promise<readonly Cursor[]> {
  const later = await runAsync(CheckpointFile.read(disk, checkpointDirectory))
  return cursors.map((cursor) => {
    const other = later?.cursors.find(({ consumer }) => consumer === cursor.consumer)
    if (!other || other.sequence <= cursor.sequence) return cursor
    const doneAbove = other.doneAbove.filter(([, to]) => to <= nextSequence)
    return { ...other, sequence: Math.min(other.sequence, nextSequence), doneAbove }
  })
}

/** Options under which recovery finds everything: all consumers, all segments. */
function optionsFor(place: Required<LogPlace>, files: readonly FoundFile[]): CheckedLogOptions {
  const youngest = files.reduce<FoundFile | undefined>(
    (found, each) => ((each.header?.id ?? 0) > (found?.header?.id ?? 0) ? each : found),
    undefined,
  )
  const options = checkLogOptions({
    checkpointDirectory: place.checkpointDirectory,
    // Whoever lost all of them still has a checkpoint that can be looked at.
    dataDirectories: place.dataDirectories.length > 0 ? place.dataDirectories : ['/'],
    consumers: ['all'],
    disk: place.disk,
    retention: { ms: Number.POSITIVE_INFINITY },
    ...(youngest?.header ? { segmentBytes: youngest.header.bytes } : {}),
  })
  return { ...options, dataDirectories: place.dataDirectories, consumers: [] }
}

function reportDirectories(
  place: LogPlace,
  found: Pick<Survey, 'dataDirectories' | 'directories' | 'missingIds'>,
  findings: Finding[],
): void {
  for (const [index, { id, isIdentified }] of found.directories.entries()) {
    const path = found.dataDirectories[index] ?? ''
    if (isIdentified) continue
    const message =
      id === undefined
        ? 'The log has not used this directory yet, or another disk is mounted here'
        : 'The file that says which log the directory belongs to is missing or damaged'
    findings.push({ kind: id === undefined ? 'foreign' : 'checkpoint', path, message })
  }
  const count = found.missingIds.length
  if (count === 0) return
  findings.push({
    kind: 'missing',
    path: place.checkpointDirectory,
    message: `${count} of the log's data directories ${count === 1 ? 'is' : 'are'} not among those that were named, or another disk is mounted there`,
  })
}

function noLog({ checkpointDirectory, dataDirectories }: LogPlace): LogError {
  return new LogError(
    'MILLRACE_LOG_DIRECTORY',
    `There is no log in ${checkpointDirectory} and ${dataDirectories.join(', ')}`,
  )
}

function mixed(stranger: string): LogError {
  return new LogError(
    'MILLRACE_LOG_DIRECTORY',
    `${stranger} belongs to another log than the other directories`,
  )
}
