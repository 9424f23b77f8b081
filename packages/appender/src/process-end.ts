/**
 * Shared by all copies of this package in a thread: its ESM and its CommonJS build, and other versions.
 * Change {@link EndingAppender} or {@link ProcessEnd.add} only together with this number.
 */
const KEY: unique symbol = Symbol.for('@millrace/appender/process-end/1') as never

/** A program that goes on for so long after deliveries at its end has more to do, in milliseconds. */
const AWAKE_AFTER_MS = 50

/** What the end of the process asks of an appender. */
export interface EndingAppender {
  /** Whether events wait that `deliver` should be called for. */
  isWaitedFor(): boolean
  /**
   * The program has come to its natural end: delivers what waits, and keeps the process alive for
   * it within a deadline. Never rejects.
   */
  deliver(): Promise<void>
  /** The process ends now: says what is lost, synchronously. */
  sayLost(): void
}

/**
 * Delivers what waits when the program has nothing else to do, and says at the very end what could not
 * be delivered. One for each thread, with one listener for each of Node's two events.
 */
class ProcessEnd {
  /** An appender that nobody can reach any more, and that has nothing to deliver, goes. */
  readonly #appenders = new Set<WeakRef<EndingAppender>>()
  /** False until the program has done something of its own again, after deliveries at its end. */
  #isAwake = true

  constructor() {
    process.on('beforeExit', () => {
      // After the program's own listeners, which may log, too.
      process.nextTick(() => void this.#deliver())
    })
    process.on('exit', () => {
      for (const appender of this.#open()) appender.sayLost()
    })
  }

  /** @returns ends it. */
  add(appender: EndingAppender): () => void {
    const reference = new WeakRef(appender)
    this.#open()
    this.#appenders.add(reference)
    return () => this.#appenders.delete(reference)
  }

  async #deliver(): Promise<void> {
    const waiting = this.#open().filter((appender) => appender.isWaitedFor())
    // A listener that logs at each 'beforeExit' would keep the process alive for ever: Node emits it
    // again after each delivery.
    if (waiting.length === 0 || !this.#isAwake) return
    this.#isAwake = false
    await Promise.all(waiting.map((appender) => appender.deliver()))
    setTimeout(() => {
      this.#isAwake = true
    }, AWAKE_AFTER_MS).unref()
  }

  #open(): EndingAppender[] {
    const open: EndingAppender[] = []
    for (const reference of this.#appenders) {
      const appender = reference.deref()
      if (appender === undefined) this.#appenders.delete(reference)
      else open.push(appender)
    }
    return open
  }
}

/**
 * Takes part in the end of the process until the returned function is called. The appender is held
 * weakly: whoever makes it keeps it.
 */
export function joinProcessEnd(appender: EndingAppender): () => void {
  const place = globalThis as { [KEY]?: ProcessEnd }
  place[KEY] ??= new ProcessEnd()
  return place[KEY].add(appender)
}
