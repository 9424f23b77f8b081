import { deferred, type Deferred } from '@millrace/runtime'
import type { Cursor } from '../format/cursors.js'
import type { Consumer } from '../reading/consumer.js'

/** The cursors at one moment, on their way to the disk. */
export interface CursorSnapshot {
  readonly cursors: readonly Cursor[]
  readonly version: number
  /** Acknowledged events of each consumer that become stored with it. */
  readonly unstored: ReadonlyMap<Consumer, number>
}

interface Waiter {
  readonly version: number
  readonly stored: Deferred<void>
}

/** Knows which acknowledgements are not stored yet, and who waits for that. */
export class CursorStore {
  readonly #consumers: ReadonlyMap<string, Consumer>
  /** Counts changes of the cursors. */
  #version = 0
  #storedVersion = 0
  #waiters: Waiter[] = []

  constructor(consumers: ReadonlyMap<string, Consumer>) {
    this.#consumers = consumers
  }

  get isDirty(): boolean {
    return this.#version > this.#storedVersion
  }

  changed(): void {
    this.#version += 1
  }

  /** Resolves when the cursors as they are now are stored. */
  wait(): Promise<void> {
    const stored = deferred<void>()
    this.#waiters.push({ version: this.#version, stored })
    return stored.promise
  }

  snapshot(): CursorSnapshot {
    const consumers = [...this.#consumers.values()]
    return {
      cursors: consumers.map((consumer) => consumer.cursor()),
      version: this.#version,
      unstored: new Map(consumers.map((consumer) => [consumer, consumer.unstoredEvents])),
    }
  }

  /** The snapshot is safe. Of two that overlap the younger one counts. */
  stored(snapshot: CursorSnapshot): void {
    if (snapshot.version <= this.#storedVersion) return
    this.#storedVersion = snapshot.version
    for (const [consumer, events] of snapshot.unstored) consumer.stored(events)
    const waiters = this.#waiters
    this.#waiters = waiters.filter(({ version }) => version > snapshot.version)
    for (const { version, stored } of waiters) if (version <= snapshot.version) stored.resolve()
  }

  /** Nothing will be stored any more. */
  fail(error: unknown): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const { stored } of waiters) stored.reject(error)
  }
}
