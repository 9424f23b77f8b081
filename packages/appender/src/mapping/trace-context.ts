/**
 * W3C trace context: taken over from what instrumentation left on a record, never made up. Ids that
 * are malformed or all zero are ignored.
 */

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/
const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/
const FLAGS = /^[0-9a-f]{2}$/

/** Longest `tracestate` that is passed on, in characters. */
export const MAX_TRACESTATE_LENGTH = 512

export function isTraceparent(value: unknown): value is string {
  return typeof value === 'string' && value.length === 55 && TRACEPARENT.test(value)
}

/**
 * The `traceparent` that a record's fields describe: `traceparent` itself, else `trace_id`,
 * `span_id` and `trace_flags` as OpenTelemetry's log correlation writes them, else `traceId` and
 * `spanId`. Undefined when there is no valid pair of ids.
 */
export function traceparentOf(fields: Readonly<Record<string, unknown>>): string | undefined {
  const given = fields['traceparent']
  if (isTraceparent(given)) return given
  return (
    joined(fields['trace_id'], fields['span_id'], fields['trace_flags']) ??
    joined(fields['traceId'], fields['spanId'], fields['traceFlags'])
  )
}

function joined(traceId: unknown, spanId: unknown, flags: unknown): string | undefined {
  if (typeof traceId !== 'string' || typeof spanId !== 'string') return undefined
  const trace = traceId.toLowerCase()
  const span = spanId.toLowerCase()
  if (!TRACE_ID.test(trace) || !SPAN_ID.test(span)) return undefined
  return `00-${trace}-${span}-${flagsText(flags)}`
}

function flagsText(flags: unknown): string {
  if (typeof flags === 'number' && Number.isInteger(flags) && flags >= 0 && flags <= 255) {
    return flags.toString(16).padStart(2, '0')
  }
  const text = typeof flags === 'string' ? flags.toLowerCase() : ''
  return FLAGS.test(text) ? text : '00'
}
