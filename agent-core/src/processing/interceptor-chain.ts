import type { Interceptor } from '@millrace/component'
import type { EventBatch } from '@millrace/event'

/**
 * Runs interceptors in their order. Stays synchronous as long as each of them answers with a batch;
 * stops at a batch that has become empty.
 */
export function intercept(
  interceptors: readonly Interceptor[],
  batch: EventBatch,
  signal: AbortSignal,
): EventBatch | Promise<EventBatch> {
  let edited = batch
  for (let i = 0; i < interceptors.length && edited.size > 0; i += 1) {
    const answer = (interceptors[i] as Interceptor).intercept(edited, signal)
    if (answer instanceof Promise) {
      return answer.then((next) => intercept(interceptors.slice(i + 1), next, signal))
    }
    edited = answer
  }
  return edited
}
