/** An event as lines for a person: `07:26:43.123 WARN  billing web-1  disk 91%`. */
import type pc from 'picocolors'
import type { EventView } from './event-view.js'
import { printable, printableLine } from './printable.js'

export type Colours = ReturnType<typeof pc.createColors>

export interface TextOptions {
  readonly colours: Colours
  readonly showHeaders: boolean
  /** Now, in epoch milliseconds: an event of another day is shown with its date. */
  readonly nowMs: number
}

/** Width of the level's column: the longest usual name. */
const LEVEL_WIDTH = 5
/** What further lines of an event, a stack for one, begin with. */
const INDENT = '    '

/** The lines of one event, the last with its newline. Nothing in it can control the terminal. */
export function formatEvent(view: EventView, options: TextOptions): string {
  const { colours } = options
  const [first = '', ...rest] = printable(view.message).trimEnd().split('\n')
  const head = [
    colours.dim(formatTime(view.timeMs, options.nowMs)),
    paintLevel(view.level, colours),
    colours.cyan(printableLine(view.logger ?? '-')),
    colours.dim(printableLine(view.host ?? '-')),
  ]
  const below = [...rest, ...view.details.flatMap((detail) => printable(detail).split('\n'))]
  const lines = [`${head.join(' ')}  ${first}`, ...below.map((line) => INDENT + line)]
  if (options.showHeaders) {
    for (const [name, value] of Object.entries(view.headers))
      lines.push(`${INDENT}${colours.dim(`${printableLine(name)}: ${printableLine(value)}`)}`)
  }
  return `${lines.join('\n')}\n`
}

function paintLevel(level: string | undefined, colours: Colours): string {
  const text = printableLine(level ?? '-').padEnd(LEVEL_WIDTH)
  switch (level) {
    case 'FATAL':
    case 'ERROR':
      return colours.red(text)
    case 'WARN':
    case 'WARNING':
      return colours.yellow(text)
    case 'DEBUG':
    case 'TRACE':
      return colours.dim(text)
    default:
      return colours.green(text)
  }
}

/** Local time of day with milliseconds, after the date when that is not today's. */
function formatTime(timeMs: number, nowMs: number): string {
  const time = new Date(timeMs)
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(
    time.getMilliseconds(),
  ).padStart(3, '0')}`
  const day = dayOf(time)
  return day === dayOf(new Date(nowMs)) ? clock : `${day} ${clock}`
}

function dayOf(time: Date): string {
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
