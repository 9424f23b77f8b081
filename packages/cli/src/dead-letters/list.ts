/** `millrace dlq list`: what was rejected, by whom and why. */
import { inspectLog, readLog } from '@millrace/wal'
import { parseArguments, wholeNumber } from '../arguments.js'
import { loggedEventJson, type LoggedEventJson } from '../channel/event-line.js'
import { jsonText } from '../channel/findings.js'
import { declareLocation, type LocationOptions } from '../channel/location.js'
import { consumerOf } from '../channel/selection.js'
import { counted, formatTable, formatTime } from '../channel/units.js'
import { EXIT_FAILURE, EXIT_OK, type ExitCode } from '../exit-code.js'
import { printableLine } from '../receive/printable.js'
import { viewEvent } from '../receive/event-view.js'
import type { Terminal } from '../terminal.js'
import { declareLetters, isMeant, type Letter, letterOf, type LetterOptions } from './letters.js'
import { locateLetters } from './location.js'

export const summary = 'what was rejected, by which sink and why'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 100_000
/** Longest reason and message of a line, in characters. */
const REASON_CHARS = 60
const MESSAGE_CHARS = 60

interface Options extends LocationOptions, LetterOptions {
  readonly limit: number
}

interface Listed extends Letter {
  readonly message: string
  readonly event: LoggedEventJson
}

interface Listing {
  readonly letters: Listed[]
  /** Of all that are meant, also of those beyond the limit. */
  total: number
  readonly bySink: Map<string, number>
  lost: number
}

export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const parsed = await parseArguments<Options>(args, terminal, (command) =>
    declareLetters(
      declareLocation(
        command
          .name('millrace dlq list')
          .description('Lists dead letters, the oldest first. The channel may be in use.'),
      ),
    ).option(
      '--limit <n>',
      'most that are shown',
      wholeNumber('--limit', 0, MAX_LIMIT),
      DEFAULT_LIMIT,
    ),
  )
  if ('exit' in parsed) return parsed.exit
  const { options } = parsed
  const { place, title } = await locateLetters(options, terminal)
  const { consumers } = await inspectLog(place)
  const consumer = consumerOf(
    consumers.map(({ name }) => name),
    options.consumer,
  )
  const listing: Listing = { letters: [], total: 0, bySink: new Map(), lost: 0 }
  const onLost = (from: number, to: number) => (listing.lost += to - from)
  for await (const { appendedAtMs, batch, firstSequence } of readLog(place, { consumer, onLost })) {
    for (let i = 0; i < batch.size; i += 1) {
      const event = batch.at(i)
      const sequence = firstSequence + i
      const letter = letterOf(event.headers)
      if (!letter || !isMeant(options, letter, sequence)) continue
      listing.total += 1
      const sink = letter.sink ?? ''
      listing.bySink.set(sink, (listing.bySink.get(sink) ?? 0) + 1)
      if (listing.letters.length === options.limit) continue
      const { message } = viewEvent(event, appendedAtMs)
      const json = loggedEventJson(event, { sequence, appendedAtMs })
      listing.letters.push({ ...letter, message, event: json })
    }
  }
  const text = options.json ? asJson(listing) : asText(title, listing)
  await terminal.stdout.writeAll(text, new AbortController().signal)
  return listing.lost > 0 ? EXIT_FAILURE : EXIT_OK
}

function asJson({ bySink, letters, lost, total }: Listing): string {
  return jsonText({
    total,
    lostEvents: lost,
    bySink: Object.fromEntries(bySink),
    letters: letters.map(({ event, reason, rejectedAtMs, sink }) => ({
      ...event,
      rejected: {
        sink,
        reason,
        at: rejectedAtMs === undefined ? undefined : formatTime(rejectedAtMs),
      },
    })),
  })
}

function asText(title: string, { bySink, letters, lost, total }: Listing): string {
  const damaged = lost > 0 ? `not among them: ${counted(lost, 'damaged event')}\n` : ''
  if (total === 0) return `${title}: no dead letters\n${damaged}`
  const rows = letters.map(({ event, message, reason, rejectedAtMs, sink }) => [
    String(event.sequence),
    rejectedAtMs === undefined ? '–' : formatTime(rejectedAtMs),
    short(sink ?? '–', REASON_CHARS),
    short(reason ?? '–', REASON_CHARS),
    short(message, MESSAGE_CHARS),
  ])
  const head = ['SEQUENCE', 'REJECTED AT', 'SINK', 'REASON', 'EVENT']
  const table = letters.length > 0 ? formatTable([head, ...rows], [0]) : ''
  const hidden = total - letters.length
  const more = hidden > 0 ? ` (${hidden} more are not shown; --limit)` : ''
  const sinks = [...bySink].map(([sink, count]) => `${short(sink || 'no sink', 60)}: ${count}`)
  return `${table}${title}: ${counted(total, 'dead letter')}${more}; ${sinks.join(', ')}\n${damaged}`
}

function short(text: string, chars: number): string {
  const line = printableLine(text)
  return line.length > chars ? `${line.slice(0, chars - 1)}…` : line
}
