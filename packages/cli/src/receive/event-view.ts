/** What a person wants to know of a log event, read from the headers that appenders set. */
import { isUtf8 } from 'node:buffer'
import type { Event } from '@millrace/event'

/** Log4j's level numbers, which the appenders send. */
const LEVEL_NAMES: ReadonlyMap<string, string> = new Map([
  ['50000', 'FATAL'],
  ['40000', 'ERROR'],
  ['30000', 'WARN'],
  ['20000', 'INFO'],
  ['10000', 'DEBUG'],
  ['5000', 'TRACE'],
])
/** Bytes of a body that is no text which are shown, in hexadecimal. */
const SHOWN_BINARY_BYTES = 32

export interface EventView {
  /** Epoch milliseconds: when it was logged, else when it came. */
  readonly timeMs: number
  /** In capitals; undefined when no header tells. */
  readonly level: string | undefined
  readonly logger: string | undefined
  readonly host: string | undefined
  readonly message: string
  /** All fields but the message of a JSON body, and a stack; shown below the message. */
  readonly details: readonly string[]
  readonly headers: Readonly<Record<string, string>>
}

/** Reads an event. Whatever its bytes are, there is something to show. */
export function viewEvent(event: Event, receivedMs: number): EventView {
  const { headers, body } = event
  const number = headers['flume.client.log4j.log.level']
  const level =
    headers['millrace.level.name'] ??
    (number === undefined ? undefined : (LEVEL_NAMES.get(number) ?? number))
  return {
    timeMs: timeOf(headers) ?? receivedMs,
    level: level?.toUpperCase(),
    logger: headers['flume.client.log4j.logger.name'],
    host: headers['host'] ?? headers['flume.client.log4j.address'],
    ...contentOf(body),
    headers,
  }
}

function timeOf(headers: Readonly<Record<string, string>>): number | undefined {
  for (const name of ['flume.client.log4j.timestamp', 'timestamp', 'timeStamp']) {
    const value = headers[name]
    if (value === undefined || !/^-?\d{1,16}$/.test(value)) continue
    const time = Number(value)
    if (!Number.isNaN(new Date(time).getTime())) return time
  }
  return undefined
}

type Content = Pick<EventView, 'message' | 'details'>

function contentOf(body: Buffer): Content {
  if (!isUtf8(body)) {
    const shown = body.subarray(0, SHOWN_BINARY_BYTES).toString('hex')
    const rest = body.length > SHOWN_BINARY_BYTES ? '…' : ''
    return { message: `(${body.length} bytes that are no text: ${shown}${rest})`, details: [] }
  }
  const text = body.toString('utf8')
  // Some loggers, winston for one, render a line as JSON unless they are told otherwise.
  const content = text.startsWith('{') ? documentContent(text) : undefined
  return content ?? { message: text, details: [] }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Fields that the head of the line shows already. */
const HEAD_FIELDS: ReadonlySet<string> = new Set(
  'v msg message level time timestamp ts name logger pid hostname host err stack'.split(' '),
)

/** What a JSON object says; undefined when it is none, has no message, or is nested too deep. */
function documentContent(text: string): Content | undefined {
  try {
    const document: unknown = JSON.parse(text)
    if (!isObject(document)) return undefined
    const message = document['msg'] ?? document['message']
    const error = document['err']
    const stack = isObject(error) ? (error['stack'] ?? error['message']) : document['stack']
    if (typeof message !== 'string' && typeof stack !== 'string') return undefined
    const rest = Object.entries(document).filter(([key]) => !HEAD_FIELDS.has(key))
    const details = rest.length > 0 ? [JSON.stringify(Object.fromEntries(rest))] : []
    if (typeof stack === 'string') details.push(stack)
    return { message: typeof message === 'string' ? message : '', details }
  } catch {
    return undefined // it is shown as the text that it is
  }
}
