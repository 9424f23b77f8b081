import { AsyncLocalStorage } from 'node:async_hooks'

type Entries = Record<string, unknown>

/**
 * A mapped diagnostic context: entries that all events carry that are logged in a callback and in
 * whatever it starts, across timers, promises and callbacks. In Java each thread has one; here each
 * {@link Mdc.run} does.
 */
export class Mdc {
  readonly #storage = new AsyncLocalStorage<Entries>()

  /**
   * Calls `callback` in a context of its own: the entries of the one around it, and over them those
   * given. Gives what it returns; what it throws passes through.
   */
  run<T>(entries: Readonly<Record<string, unknown>>, callback: () => T): T {
    const context = Object.assign(Object.create(null) as Entries, this.#storage.getStore(), entries)
    return this.#storage.run(context, callback)
  }

  /** Sets an entry of the innermost context, for all that runs in it. False outside of {@link run}. */
  put(key: string, value: unknown): boolean {
    const context = this.#storage.getStore()
    if (context === undefined) return false
    context[key] = value
    return true
  }

  get(key: string): unknown {
    return this.#storage.getStore()?.[key]
  }

  /** Removes an entry of the innermost context; the one around it keeps its own. */
  remove(key: string): void {
    const context = this.#storage.getStore()
    if (context !== undefined) delete context[key]
  }

  /** All entries of the innermost context, as they are and as they change; undefined outside of {@link run}. */
  entries(): Readonly<Record<string, unknown>> | undefined {
    return this.#storage.getStore()
  }
}
