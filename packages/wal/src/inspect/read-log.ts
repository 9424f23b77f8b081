import type { EventBatch } from '@millrace/event'
import { DoneEvents } from '../reading/done-events.js'
import { type LogPlace, type Survey, surveyLog } from './survey.js'
import { walkLog } from './walk.js'

/** Which events of a log are wanted. Everything that is given must hold. */
export interface ReadSelection {
  /** Only what this consumer is not done with. */
  readonly consumer?: string
  /** From this event on. */
  readonly fromSequence?: number
  /** Before this event. */
  readonly toSequence?: number
  /** Appended at or after, in epoch milliseconds. */
  readonly fromTimeMs?: number
  /** Appended before, in epoch milliseconds. */
  readonly toTimeMs?: number
}

export interface LoggedBatch {
  readonly firstSequence: number
  /** In epoch milliseconds. */
  readonly appendedAtMs: number
  readonly batch: EventBatch
}

export interface ReadLogOptions extends ReadSelection {
  readonly signal?: AbortSignal
  /** Told of events [from, to) that were selected and that no record holds. */
  readonly onLost?: (from: number, to: number) => void
}

/**
 * The events of a log in their order, also of one in use, up to where it ended at the call. Nothing is
 * acknowledged and nothing changed; damage is stepped over. Throws as {@link surveyLog}.
 * @throws RangeError when the log has no such consumer.
 */
export async function* readLog(
  place: LogPlace,
  options: ReadLogOptions = {},
): AsyncGenerator<LoggedBatch> {
  const { signal } = options
  const survey = await surveyLog(place, signal)
  const selected = new Selected(survey, options)
  for await (const walked of walkLog(survey, { from: selected.start, signal })) {
    if (walked.kind === 'gap') {
      for (const range of selected.ranges(walked.from, walked.to)) options.onLost?.(...range)
    } else if (walked.kind === 'record' && walked.batch) {
      const { appendedAtMs, firstSequence, events } = walked.header
      if (selected.isBehind(firstSequence)) return
      if (!selected.isInTime(appendedAtMs)) continue
      for (const [begin, end] of selected.ranges(firstSequence, firstSequence + events)) {
        const batch = walked.batch.slice(begin - firstSequence, end - firstSequence)
        yield { firstSequence: begin, appendedAtMs, batch }
      }
    }
  }
}

/** Which events a selection means in one log. */
class Selected {
  /** No event before it is meant. */
  readonly start: number
  readonly #end: number
  readonly #fromTimeMs: number
  readonly #toTimeMs: number
  readonly #done: DoneEvents | undefined

  constructor(survey: Survey, selection: ReadSelection) {
    const { consumer, fromSequence = 0, fromTimeMs = 0 } = selection
    this.#done = consumer === undefined ? undefined : positionOf(survey, consumer)
    const oldest = survey.recovered.segments[0]?.firstSequence ?? survey.lowestSequence
    // What no consumer waits for may have been given free: it is not missed.
    const first = this.#done?.sequence ?? Math.min(oldest, survey.lowestSequence)
    this.start = Math.max(fromSequence, first)
    this.#end = selection.toSequence ?? Number.POSITIVE_INFINITY
    this.#fromTimeMs = fromTimeMs
    this.#toTimeMs = selection.toTimeMs ?? Number.POSITIVE_INFINITY
  }

  isBehind(sequence: number): boolean {
    return sequence >= this.#end
  }

  isInTime(appendedAtMs: number): boolean {
    return appendedAtMs >= this.#fromTimeMs && appendedAtMs < this.#toTimeMs
  }

  /** The parts of [from, to) that are meant. */
  ranges(from: number, to: number): readonly (readonly [number, number])[] {
    const start = Math.max(from, this.start)
    const end = Math.min(to, this.#end)
    if (start >= end) return []
    return this.#done ? this.#done.undone(start, end) : [[start, end]]
  }
}

function positionOf({ recovered }: Survey, name: string): DoneEvents {
  const cursor = recovered.cursors.find(({ consumer }) => consumer === name)
  if (cursor) return new DoneEvents(cursor.sequence, cursor.doneAbove)
  const names = recovered.cursors.map(({ consumer }) => consumer).join(', ')
  throw new RangeError(`The log has no consumer ${name}; it has ${names || 'none'}`)
}
