import { freeBytes, runAsync } from '../disk/steps.js'
import type { Cursor } from '../format/cursors.js'
import { DoneEvents } from '../reading/done-events.js'
import type { Finding } from '../recovery/finding.js'
import { SegmentTable } from '../segments/segment-table.js'
import { type LogPlace, type Survey, surveyLog } from './survey.js'
import { walkLog } from './walk.js'

/** What a log is and holds, at one moment. */
export interface LogInspection {
  /** 32 hexadecimal digits. */
  readonly logId: string
  /** Process number of the live owner; undefined when no process has the log open. */
  readonly owner: string | undefined
  /** Whether it was closed; false while it is in use and after a crash. */
  readonly wasClosed: boolean
  readonly directories: readonly DirectoryInspection[]
  /** Oldest first. */
  readonly segments: readonly SegmentInspection[]
  /** Files that are ready for further segments. */
  readonly freeFiles: { readonly count: number; readonly bytes: number }
  /** Sequence that the next event gets. */
  readonly nextSequence: number
  readonly consumers: readonly ConsumerInspection[]
  readonly findings: readonly Finding[]
}

export interface DirectoryInspection {
  readonly path: string
  readonly isThere: boolean
  /** Free bytes of its file system. */
  readonly freeBytes?: number
}

export interface SegmentInspection {
  readonly id: number
  readonly path: string
  /** `active`: the last one. `waiting`: holds events that a consumer is not done with. `done`: none. */
  readonly state: 'active' | 'waiting' | 'done'
  /** Length of the file in bytes. */
  readonly bytes: number
  /** Bytes of records in it. */
  readonly recordBytes: number
  readonly firstSequence: number
  /** Behind its last event. */
  readonly nextSequence: number
  /** In epoch milliseconds, as the next one. */
  readonly createdAtMs: number
  readonly lastAppendedAtMs: number
}

export interface ConsumerInspection {
  readonly name: string
  /** It is done with all events before this one. */
  readonly sequence: number
  readonly backlog: {
    readonly events: number
    /** Nearly: within a segment events count as equally long. */
    readonly bytes: number
  }
  /** When the oldest event of its backlog was appended, in epoch milliseconds. */
  readonly oldestAppendedAtMs: number | undefined
}

/**
 * Lists segments and consumers. Reads the headers of all files, one segment, and for each consumer the one it
 * stands in. Throws as {@link surveyLog}.
 */
export async function inspectLog(
  place: LogPlace,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<LogInspection> {
  const survey = await surveyLog(place, signal)
  const { checkpoint, findings, logId, owner, recovered } = survey
  const consumers: ConsumerInspection[] = []
  for (const cursor of recovered.cursors) {
    consumers.push(await consumerOf(survey, cursor, signal))
  }
  return {
    logId,
    owner,
    wasClosed: owner === undefined && checkpoint?.isClosed === true,
    directories: await directoriesOf(place, survey),
    segments: segmentsOf(survey),
    freeFiles: {
      count: recovered.free.length,
      bytes: recovered.free.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    nextSequence: recovered.nextSequence,
    consumers,
    findings,
  }
}

async function directoriesOf(
  { checkpointDirectory, dataDirectories }: LogPlace,
  survey: Survey,
): Promise<DirectoryInspection[]> {
  const found: DirectoryInspection[] = []
  for (const path of [checkpointDirectory, ...dataDirectories]) {
    const isThere = path === checkpointDirectory || survey.dataDirectories.includes(path)
    try {
      found.push({ path, isThere, freeBytes: await runAsync(freeBytes(survey.disk, path)) })
    } catch {
      found.push({ path, isThere: false })
    }
  }
  return found
}

function segmentsOf({ lowestSequence, recovered }: Survey): SegmentInspection[] {
  const last = recovered.segments.at(-1)
  return recovered.segments.map((segment) => ({
    id: segment.id,
    path: segment.file.path,
    state: segment === last ? 'active' : segment.nextSequence > lowestSequence ? 'waiting' : 'done',
    bytes: segment.file.bytes,
    recordBytes: segment.recordBytes,
    firstSequence: segment.firstSequence,
    nextSequence: segment.nextSequence,
    createdAtMs: segment.header.createdAtMs,
    lastAppendedAtMs: segment.lastAppendedAtMs,
  }))
}

async function consumerOf(
  survey: Survey,
  cursor: Cursor,
  signal: AbortSignal | undefined,
): Promise<ConsumerInspection> {
  const { nextSequence, segments } = survey.recovered
  const done = new DoneEvents(cursor.sequence, cursor.doneAbove)
  const events = Math.max(0, nextSequence - done.sequence - done.eventsAbove)
  return {
    name: cursor.consumer,
    sequence: done.sequence,
    backlog: {
      events,
      bytes: events === 0 ? 0 : new SegmentTable(segments).bytesFrom(done.sequence),
    },
    oldestAppendedAtMs: events === 0 ? undefined : await oldestOf(survey, done.sequence, signal),
  }
}

/** When the first event from `sequence` on that can be read was appended. */
async function oldestOf(
  survey: Survey,
  sequence: number,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  for await (const walked of walkLog(survey, { from: sequence, signal })) {
    if (walked.kind !== 'record' || !walked.batch) continue
    const { appendedAtMs, events, firstSequence } = walked.header
    if (firstSequence + events > sequence) return appendedAtMs
  }
  return undefined
}
