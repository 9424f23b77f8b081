import type { AsyncLocalStorage } from 'node:async_hooks'

/**
 * A `mixin` for pino that adds what `storage` holds to each record: it runs in the caller's context,
 * which a worker thread cannot see. The fields become headers with `context: { include: […] }`.
 */
export function contextMixin(storage: AsyncLocalStorage<unknown>): () => Record<string, unknown> {
  return () => {
    const store = storage.getStore()
    if (store instanceof Map) return Object.fromEntries(store) as Record<string, unknown>
    return typeof store === 'object' && store !== null ? { ...store } : {}
  }
}
