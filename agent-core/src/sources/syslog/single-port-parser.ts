/** How `syslogtcp` and `syslogudp` read a message. */
import type { Clock } from '@millrace/runtime'
import {
  bodyOf,
  type KeptFields,
  type MessageHead,
  STATUS_HEADER,
  type SyslogParser,
  type SyslogStatus,
} from './syslog-message.js'
import { SyslogTime } from './syslog-time.js'

const HOST = '[A-Za-z0-9_][\\w.@-]*|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f.]*'
/** RFC 5424, its structured data being a part of the message, as in Flume. */
const RFC_5424 = new RegExp(
  `^<(\\d{1,3})>(\\d?)\\s?(?:(\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d{1,9})?(?:[+-]\\d{2}:\\d{2}|Z)?)|-)\\s(?:(${HOST})|-)\\s`,
)
/** RFC 3164. */
const RFC_3164 = new RegExp(
  `^<(\\d{1,3})>(\\d)?\\s?([A-Z][a-z][a-z]\\s{1,2}\\d{1,2}\\s\\d{2}:\\d{2}:\\d{2})\\s(${HOST})\\s`,
)
const PRIORITY = /^<(\d{1,3})>/
/** Longest head that is looked for, in bytes. */
const MAX_HEAD_BYTES = 512
const CARRIAGE_RETURN = 0x0d

/**
 * Lines are looked at as bytes, whatever their character set, and bodies are their bytes. A carriage
 * return at the end belongs to the end of the line, which Flume takes for a part of the message.
 */
export function singlePortParser(keep: KeptFields, clock: Clock): SyslogParser {
  const time = new SyslogTime(clock, { isUtc: false })
  return (raw, status) => {
    const line = raw.at(-1) === CARRIAGE_RETURN ? raw.subarray(0, -1) : raw
    const text = line.toString('latin1', 0, MAX_HEAD_BYTES)
    const priority = PRIORITY.exec(text)?.[1]
    if (priority === undefined) {
      return { headers: { Facility: '0', Severity: '0', [STATUS_HEADER]: 'Invalid' }, body: raw }
    }
    const number = Number(priority)
    const headers: Record<string, string> = {
      Facility: String(number >> 3),
      Severity: String(number & 7),
    }
    const found = headOf(text, time)
    if (!found) return { headers: withStatus(headers, status), body: raw }
    headers['priority'] = priority
    if (found.version !== '') headers['version'] = found.version
    if (found.ms !== undefined) headers['timestamp'] = String(found.ms)
    if (found.host !== '-') headers['host'] = found.host
    return { headers: withStatus(headers, status), body: bodyOf(line, found, keep) }
  }
}

function headOf(
  text: string,
  time: SyslogTime,
): (MessageHead & { readonly ms: number | undefined }) | undefined {
  const modern = RFC_5424.exec(text)
  const found = modern ?? RFC_3164.exec(text)
  if (!found) return undefined
  const [all, priority = '', version = '', timestamp = '-', host = '-'] = found
  const ms = modern
    ? timestamp === '-'
      ? undefined
      : time.rfc5424(timestamp)
    : time.rfc3164(timestamp)
  return { priority, version, timestamp, host, messageStart: all.length, ms }
}

function withStatus(
  headers: Record<string, string>,
  status: SyslogStatus | undefined,
): Record<string, string> {
  if (status !== undefined) headers[STATUS_HEADER] = status
  return headers
}
