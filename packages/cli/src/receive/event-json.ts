/**
 * An event as one line of NDJSON, on the screen (`--json`) and in the files that are kept:
 *
 *     {"receivedAt":"2026-11-24T07:26:43.123Z","headers":{"host":"web-1"},"body":"disk 91%"}
 *
 * A body that is not UTF-8 is in base64 and says so: `"body":"/wA=","bodyEncoding":"base64"`.
 */
import { isUtf8 } from 'node:buffer'
import type { Event } from '@millrace/event'
import { printableJson } from './printable.js'

/** One line with its newline. `headers` and the body's bytes come back from it exactly. */
export function eventJson(event: Event, receivedMs: number): string {
  const { headers, body } = event
  const receivedAt = new Date(receivedMs).toISOString()
  const line = isUtf8(body)
    ? { receivedAt, headers, body: body.toString('utf8') }
    : { receivedAt, headers, body: body.toString('base64'), bodyEncoding: 'base64' }
  return `${printableJson(JSON.stringify(line))}\n`
}
