/** Dead letters: events whose headers say why a sink refused them. */
import type { Event, EventBatch, HeaderEdit } from '@millrace/event'
import { REJECTED_AT, REJECTED_REASON, REJECTED_SINK } from '@millrace/agent-core'
import type { parseArguments } from '../arguments.js'
import { declareRange, type RangeOptions } from '../channel/selection.js'

type Command = Parameters<Parameters<typeof parseArguments>[2]>[0]

export interface LetterOptions extends RangeOptions {
  readonly sink?: string
  readonly reason?: string
  readonly consumer?: string
}

/** The headers of a dead letter. */
const REJECTION = [REJECTED_REASON, REJECTED_SINK, REJECTED_AT]

/** The options that say which dead letters are meant. */
export function declareLetters(command: Command): Command {
  return declareRange(command)
    .option('--sink <name>', 'only what this sink rejected')
    .option('--reason <text>', 'only what has this text in its reason')
    .option('--consumer <name>', 'the consumer of the channel; default: the only one')
}

/** Whether the words leave any dead letter out. */
export function isFiltered(options: LetterOptions): boolean {
  const { fromSequence, reason, since, sink, toSequence, until } = options
  return [fromSequence, reason, since, sink, toSequence, until].some((each) => each !== undefined)
}

export interface Letter {
  readonly sink: string | undefined
  readonly reason: string | undefined
  /** In epoch milliseconds. */
  readonly rejectedAtMs: number | undefined
}

/** Undefined for an event that nothing says was rejected: it is no dead letter, wherever it is. */
export function letterOf(headers: Event['headers']): Letter | undefined {
  if (!REJECTION.some((name) => headers[name] !== undefined)) return undefined
  const at = Number(headers[REJECTED_AT] ?? Number.NaN)
  return {
    sink: headers[REJECTED_SINK],
    reason: headers[REJECTED_REASON],
    rejectedAtMs: Number.isFinite(at) ? at : undefined,
  }
}

/** Whether an event is one of those that are meant. */
export function isMeant(options: LetterOptions, letter: Letter, sequence: number): boolean {
  const { fromSequence = 0, reason, sink, toSequence = Number.POSITIVE_INFINITY } = options
  return (
    sequence >= fromSequence &&
    sequence < toSequence &&
    isInTime(options, letter) &&
    (sink === undefined || letter.sink === sink) &&
    (reason === undefined || (letter.reason?.includes(reason) ?? false))
  )
}

/** One without a time is in no range of times. */
function isInTime({ since, until }: LetterOptions, { rejectedAtMs }: Letter): boolean {
  if (since === undefined && until === undefined) return true
  const at = rejectedAtMs ?? Number.NaN
  return at >= (since ?? 0) && at < (until ?? Number.POSITIVE_INFINITY)
}

const WITHOUT: readonly HeaderEdit[] = REJECTION.map((name) => ({ name, value: null }))

/** The events as they were before they were rejected. */
export function withoutRejection(batch: EventBatch): EventBatch {
  return batch.withHeaders(WITHOUT)
}
