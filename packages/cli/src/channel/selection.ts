/** Which events a command is about, as its words say. */
import type { ReadSelection } from '@millrace/wal'
import type { parseArguments } from '../arguments.js'
import { wholeNumber } from '../arguments.js'
import { UsageError } from '../exit-code.js'

type Command = Parameters<Parameters<typeof parseArguments>[2]>[0]

export interface RangeOptions {
  readonly fromSequence?: number
  readonly toSequence?: number
  /** In epoch milliseconds, as the next one. */
  readonly since?: number
  readonly until?: number
}

const sequence = (what: string) => wholeNumber(what, 0, Number.MAX_SAFE_INTEGER)

export function declareRange(command: Command): Command {
  return command
    .option('--from-sequence <n>', 'from this event on', sequence('--from-sequence'))
    .option('--to-sequence <n>', 'up to this event, without it', sequence('--to-sequence'))
    .option(
      '--since <time>',
      'put at or after: 2026-11-24T08:00Z, or 90s, 15m, 2h, 3d ago',
      time('--since'),
    )
    .option('--until <time>', 'put before', time('--until'))
}

/** Milliseconds of one unit of an age. */
const AGE_UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

function time(what: string): (text: string) => number {
  return (text) => {
    const age = /^(\d{1,9})([smhd])$/.exec(text)
    if (age) return Date.now() - Number(age[1]) * (AGE_UNITS[age[2] ?? ''] ?? 0)
    const ms = /^\d{10,16}$/.test(text) ? Number(text) : Date.parse(text)
    if (!/^\d{4,}/.test(text) || Number.isNaN(ms)) {
      throw new UsageError(`${what} is neither a time nor an age such as 2h: “${text}”`)
    }
    return ms
  }
}

export function selectionOf(options: RangeOptions): ReadSelection {
  return {
    ...(options.fromSequence === undefined ? {} : { fromSequence: options.fromSequence }),
    ...(options.toSequence === undefined ? {} : { toSequence: options.toSequence }),
    ...(options.since === undefined ? {} : { fromTimeMs: options.since }),
    ...(options.until === undefined ? {} : { toTimeMs: options.until }),
  }
}

/** The consumer that is meant: the one that is named, or the only one. */
export function consumerOf(names: readonly string[], given: string | undefined): string {
  if (given !== undefined && names.includes(given)) return given
  const list = names.join(', ') || 'none'
  if (given !== undefined)
    throw new UsageError(`there is no consumer “${given}”; there are ${list}`)
  const [only] = names
  if (only !== undefined && names.length === 1) return only
  throw new UsageError(`--consumer is needed; there are ${list}`)
}
