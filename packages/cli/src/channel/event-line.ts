/** An event of a channel as a value for JSON, whose headers and body come back from it exactly. */
import { isUtf8 } from 'node:buffer'
import type { Event } from '@millrace/event'
import { formatTime } from './units.js'

export interface LoggedEventJson {
  readonly sequence: number
  /** ISO 8601. */
  readonly appendedAt: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** There when the body is no UTF-8. */
  readonly bodyEncoding?: 'base64'
}

export function loggedEventJson(
  { body, headers }: Event,
  { appendedAtMs, sequence }: { readonly appendedAtMs: number; readonly sequence: number },
): LoggedEventJson {
  const appendedAt = formatTime(appendedAtMs)
  const head = { sequence, appendedAt, headers }
  return isUtf8(body)
    ? { ...head, body: body.toString('utf8') }
    : { ...head, body: body.toString('base64'), bodyEncoding: 'base64' }
}
