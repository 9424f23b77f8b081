/** What the interceptors that look for an expression in bodies have in common. */
import { messageOf, MillraceError } from '@millrace/runtime'
import type { Problem } from '@millrace/component'
import type { EventBatch } from '@millrace/event'

/** Names the interceptor that could not finish with an event. */
export const STOPPED_HEADER = 'millrace.regex.stopped'

/** Marks the events whose evaluation was stopped. */
export function withStoppedMark(
  batch: EventBatch,
  stopped: ReadonlySet<number>,
  name: string,
): EventBatch {
  if (stopped.size === 0) return batch
  return batch.withHeaders([
    { name: STOPPED_HEADER, value: (index) => (stopped.has(index) ? name : undefined) },
  ])
}

/** What is wrong with the value of a key, as making something of it tells. */
export function problemOf(key: string, make: () => unknown): readonly Problem[] {
  try {
    make()
    return []
  } catch (error) {
    const isRefused = MillraceError.is(error) && error.code === 'MILLRACE_CONFIG_UNSUPPORTED'
    const code = isRefused ? 'MILLRACE_CONFIG_UNSUPPORTED' : 'MILLRACE_CONFIG_INVALID'
    return [{ key, code, message: messageOf(error) }]
  }
}
