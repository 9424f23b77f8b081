/** How `multiport_syslogtcp` reads a message. */
import { isUtf8 } from 'node:buffer'
import type { Clock } from '@millrace/runtime'
import { lineCharset } from '../line-charset.js'
import {
  bodyOf,
  type KeptFields,
  type MessageHead,
  STATUS_HEADER,
  type SyslogParser,
} from './syslog-message.js'
import { SyslogTime } from './syslog-time.js'

/** `>` stands at this index at the latest. */
const MAX_PRIORITY_END = 6
const RFC_3164_LENGTH = 15

/** Lines that are no text of the character set, or no message, are bodies as they are, with the status Invalid. */
export function multiPortParser(keep: KeptFields, charset: string, clock: Clock): SyslogParser {
  const time = new SyslogTime(clock, { isUtc: true })
  const isText = textCheck(charset)
  return (line, status) => {
    const found = isText(line) ? headOf(line.toString('latin1'), time, clock) : undefined
    if (!found) return { headers: { [STATUS_HEADER]: 'Invalid' }, body: line }
    const number = Number(found.priority)
    const headers: Record<string, string> = {
      Priority: found.priority,
      Facility: String(Math.trunc(number / 8)),
      Severity: String(number % 8),
      timestamp: String(found.ms),
      host: found.host,
    }
    if (found.version !== '') headers['Version'] = found.version
    if (status !== undefined) headers[STATUS_HEADER] = status
    return { headers, body: bodyOf(line, found, keep) }
  }
}

function textCheck(charset: string): (line: Buffer) => boolean {
  if (/^utf-?8$/i.test(charset)) return isUtf8
  const known = lineCharset(charset)
  return (line) => {
    try {
      known.createDecoder().decode(line)
      return true
    } catch {
      // Not of this character set, which is what was asked.
      return false
    }
  }
}

function headOf(
  text: string,
  time: SyslogTime,
  clock: Clock,
): (MessageHead & { readonly ms: number }) | undefined {
  const end = text.indexOf('>')
  const priority = text.slice(1, end)
  if (!text.startsWith('<') || end > MAX_PRIORITY_END || !/^\d+$/.test(priority)) return undefined
  let at = end + 1
  const version = text.startsWith('1 ', at) ? '1' : ''
  if (version !== '') at += 2
  const timestamp = timestampAt(text, at)
  const ms = msOf(timestamp, time, clock)
  at += timestamp.length + 1
  const hostEnd = text.indexOf(' ', at)
  if (ms === undefined || text[at - 1] !== ' ' || hostEnd < 0) return undefined
  const host = text.slice(at, hostEnd)
  return { priority, version, timestamp, host, messageStart: hostEnd + 1, ms }
}

function timestampAt(text: string, at: number): string {
  if (/[A-Z]/.test(text.charAt(at))) return text.slice(at, at + RFC_3164_LENGTH)
  const end = text.indexOf(' ', at)
  return text.slice(at, end < 0 ? text.length : end)
}

function msOf(timestamp: string, time: SyslogTime, clock: Clock): number | undefined {
  if (timestamp === '-') return clock.now()
  if (/^[A-Z]/.test(timestamp)) return time.rfc3164(timestamp)
  return time.rfc5424(timestamp)
}
