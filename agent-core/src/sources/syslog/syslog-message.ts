/** What the parsers of the syslog sources have in common. */
import type { EventInit } from '@millrace/event'

export const STATUS_HEADER = 'flume.syslog.status'
export type SyslogStatus = 'Invalid' | 'Incomplete'

/** Parts of a message's head that stay in the body (`keepFields`). */
export interface KeptFields {
  readonly all: boolean
  readonly priority: boolean
  readonly version: boolean
  readonly timestamp: boolean
  readonly hostname: boolean
}

/** Reads `keepFields` as Flume does: words anywhere in the text, in any case. */
export function keptFields(text: string): KeptFields {
  const lower = text.toLowerCase()
  const has = (word: string) => lower.includes(word)
  const isNone = has('none') || has('false')
  const all = !isNone && (has('all') || has('true'))
  return {
    all,
    priority: !isNone && has('priority'),
    version: !isNone && has('version'),
    timestamp: !isNone && has('timestamp'),
    hostname: !isNone && has('hostname'),
  }
}

/** The words that `keepFields` may have. */
export function keepFieldsProblem(text: string): string | undefined {
  const words = ['none', 'all', 'true', 'false', 'priority', 'version', 'timestamp', 'hostname']
  const unknown = text
    .split(/[\s,]+/)
    .find((word) => word !== '' && !words.includes(word.toLowerCase()))
  return unknown === undefined ? undefined : `${unknown} is not one of ${words.join(', ')}`
}

/** A message's head as it stands in the line; the message is the rest. */
export interface MessageHead {
  readonly priority: string
  readonly version: string
  readonly timestamp: string
  readonly host: string
  /** Where the message begins in the line. */
  readonly messageStart: number
}

/** The body: the message, with what is to be kept of its head in front of it. */
export function bodyOf(line: Buffer, head: MessageHead, keep: KeptFields): Buffer {
  if (keep.all || head.messageStart >= line.length) return line
  const message = line.subarray(head.messageStart)
  let prefix = ''
  if (keep.priority) prefix += `<${head.priority}>`
  if (keep.version && head.version !== '') prefix += `${head.version} `
  if (keep.timestamp) prefix += `${head.timestamp} `
  if (keep.hostname) prefix += `${head.host} `
  return prefix === '' ? message : Buffer.concat([Buffer.from(prefix, 'latin1'), message])
}

/** One line, without its line feed, as an event. */
export type SyslogParser = (line: Buffer, status: SyslogStatus | undefined) => EventInit
