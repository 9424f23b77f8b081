import { DoneEvents } from '../reading/done-events.js'
import type { Finding, FindingKind } from '../recovery/finding.js'
import { type LogPlace, type Survey, surveyLog } from './survey.js'
import { walkLog } from './walk.js'

/** Findings that cost no event and need no repair. */
const HARMLESS: readonly FindingKind[] = ['foreign', 'renamed', 'unfinished']

/** What reading all of a log found. */
export interface LogVerification {
  readonly logId: string
  /** Process number of the live owner; undefined when no process has the log open. */
  readonly owner: string | undefined
  readonly segments: number
  /** Valid records, cursors included. */
  readonly records: number
  /** Events in valid records. */
  readonly events: number
  /** Bytes of the valid records with events. */
  readonly bytes: number
  /** Places that hold no valid record where there should be one. */
  readonly damages: number
  /** Events that a consumer is not done with and that no valid record holds: exact. */
  readonly lostEvents: number
  /** Most events that the end of a log that was not closed can have lost; they may never have been acknowledged. */
  readonly doubtfulEvents: number
  /** Everything that is not as it should be, with the place of each damage. */
  readonly findings: readonly Finding[]
  /** Whether nothing is damaged, lost or missing. */
  readonly isSound: boolean
}

/** Whether a finding is more than a remark. */
export function isProblem({ kind }: Pick<Finding, 'kind'>): boolean {
  return !HARMLESS.includes(kind)
}

/**
 * Reads every record of a log and checks it. Writes nothing, also when the log is in use: then it judges what
 * was there at the call. Throws as {@link surveyLog}.
 */
export async function verifyLog(
  place: LogPlace,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<LogVerification> {
  const survey = await surveyLog(place, signal)
  // Each damage is found again, one by one, below.
  const findings: Finding[] = survey.findings.filter(({ kind }) => kind !== 'damage')
  const lost = new LostEvents(survey)
  let records = 0
  let events = 0
  let bytes = 0
  let damages = 0
  for await (const walked of walkLog(survey, { signal })) {
    if (walked.kind === 'record') {
      records += 1
      events += walked.batch?.size ?? 0
      bytes += walked.batch?.byteLength ?? 0
    } else if (walked.kind === 'damage') {
      damages += 1
      const { from, segment, to } = walked
      const message = `The bytes ${from} to ${to - 1} are damaged`
      findings.push({ kind: 'damage', path: segment.file.path, message, bytes: { from, to } })
    } else {
      const lostEvents = lost.add(walked.from, walked.to)
      if (lostEvents === 0) continue
      const path = walked.segment?.file.path ?? place.checkpointDirectory
      const message = `${lostEvents} events between ${walked.from} and ${walked.to - 1} are lost`
      findings.push({ kind: 'missing', path, message, lostEvents })
    }
  }
  return {
    logId: survey.logId,
    owner: survey.owner,
    segments: survey.recovered.segments.length,
    records,
    events,
    bytes,
    damages,
    lostEvents: lost.count,
    doubtfulEvents: findings.reduce((sum, { atMostEvents = 0 }) => sum + atMostEvents, 0),
    findings,
    isSound: !findings.some(isProblem),
  }
}

/** Counts events that are gone and that a consumer still waits for. */
class LostEvents {
  count = 0
  readonly #consumers: readonly DoneEvents[]

  constructor({ recovered }: Survey) {
    const oldest = recovered.segments[0]?.firstSequence ?? recovered.nextSequence
    // A log that lost all positions gives everything once more.
    const cursors =
      recovered.cursors.length > 0 ? recovered.cursors : [{ sequence: oldest, doneAbove: [] }]
    this.#consumers = cursors.map(({ sequence, doneAbove }) => new DoneEvents(sequence, doneAbove))
  }

  /** The number of those among the events [from, to). */
  add(from: number, to: number): number {
    const union = new DoneEvents(from)
    let count = 0
    for (const done of this.#consumers) {
      for (const [start, end] of done.undone(from, to)) count += union.add(start, end)
    }
    this.count += count
    return count
  }
}
