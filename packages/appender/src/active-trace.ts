/** The part of `@opentelemetry/api`'s `trace` that is looked at. */
export interface TraceApi {
  getActiveSpan():
    | { spanContext(): { traceId: string; spanId: string; traceFlags: number } }
    | undefined
}

/**
 * A function that tells the active span of OpenTelemetry in the fields of its log correlation,
 * `trace_id`, `span_id` and `trace_flags`; no fields without a span. For pino it is a `mixin`, for log4js and a
 * pino destination a `getContext`, for winston the third argument of `attachContext`.
 * @param trace `trace` of `@opentelemetry/api`.
 */
export function activeTrace(trace: TraceApi): () => Record<string, string> {
  return () => {
    const span = trace.getActiveSpan()?.spanContext()
    if (span === undefined) return {}
    const { traceId, spanId, traceFlags } = span
    return {
      trace_id: traceId,
      span_id: spanId,
      trace_flags: traceFlags.toString(16).padStart(2, '0'),
    }
  }
}
