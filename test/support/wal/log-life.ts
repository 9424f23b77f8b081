import { MillraceError } from '@millrace/runtime'
import { FakeClock, type SimulatedDisk } from '@millrace/testkit'
import { type Consumer, Log, type LogOptions } from '@millrace/wal'
import type { Choice } from './choice.js'
import type { EventLedger, Put } from './event-ledger.js'

/** Turns of the event loop after which a call that did not come back counts as hanging. */
const MAX_TURNS = 20_000
const TURNS_PER_STEP = 5
const STEP_MS = 10

/** Thrown where the process would have ended. */
export class ProcessEnded extends Error {}

/** Events that a consumer got and did not acknowledge. */
interface Open {
  from: number
  readonly to: number
}

/** One process that has a log open on a simulated disk, and tells the ledger what it does and sees. */
export class LogLife {
  readonly disk: SimulatedDisk
  readonly clock = new FakeClock()
  readonly ledger: EventLedger
  readonly choice: Choice
  /** Whether calls may fail: with a coded error, and a retryable one where the caller is to try again. */
  readonly mayFail: boolean
  /** Whether the process may end before its work does. */
  readonly mayDie: boolean
  failures = 0
  readonly #options: LogOptions
  #log: Log | undefined
  #isPassing = false
  #problem: unknown
  readonly #open = new Map<string, Open[]>()
  readonly #reading = new Set<string>()
  readonly #waiting = new Set<Promise<boolean>>()

  constructor(o: {
    disk: SimulatedDisk
    ledger: EventLedger
    choice: Choice
    options: LogOptions
    mayFail?: boolean
    mayDie?: boolean
  }) {
    this.disk = o.disk
    this.ledger = o.ledger
    this.choice = o.choice
    this.mayFail = o.mayFail ?? false
    this.mayDie = o.mayDie ?? false
    this.#options = { ...o.options, disk: o.disk, clock: this.clock }
  }

  get log(): Log {
    if (!this.#log) throw new Error('The log is not open')
    return this.#log
  }

  /** Opens the log; false when a fault made that fail. */
  async open(): Promise<boolean> {
    const opening = this.choice.chance(0.15)
      ? promised(() => Log.openSync(this.#options))
      : Log.open(this.#options)
    const log = await this.#orFailure(this.settled(opening, 'open'))
    this.#log = log
    return log !== undefined
  }

  /** Time passes, unless somebody else lets it pass already. */
  async pass(ms: number): Promise<void> {
    if (this.#isPassing) return
    this.#isPassing = true
    await this.clock.advance(ms)
    this.#isPassing = false
  }

  /** Does something while the schedule goes on; what goes wrong is thrown by the next {@link LogLife.check}. */
  meanwhile(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!(error instanceof ProcessEnded)) this.#problem ??= error
    })
  }

  /** @throws what went wrong meanwhile, or ProcessEnded */
  check(): void {
    if (this.#problem) throw this.#problem
    if (this.disk.isDead) throw new ProcessEnded()
  }

  /** What comes of a promise; time passes meanwhile. @throws ProcessEnded */
  async settled<T>(promise: Promise<T>, what: string): Promise<T> {
    let isDone = false
    const done = promise.finally(() => {
      isDone = true
    })
    done.catch(ignore)
    for (let turn = 0; !isDone; turn += 1) {
      if (this.disk.isDead) throw new ProcessEnded(what)
      if (turn > MAX_TURNS) throw new Error(`${what} never comes back`)
      if (turn % TURNS_PER_STEP === TURNS_PER_STEP - 1) await this.pass(STEP_MS)
      else await new Promise(setImmediate)
      this.check()
    }
    try {
      return await done
    } catch (error) {
      throw this.disk.isDead ? new ProcessEnded(what, { cause: error }) : error
    }
  }

  /** Begins an append; what it answers goes into the ledger. Gives false when it failed and may. */
  append(size: number, filling: (index: number) => Uint8Array): Promise<boolean> {
    const put = this.ledger.make(size, filling)
    const answer = this.log.append(put.batch).then(
      () => this.#answered(put, this.#options.durability === 'write' ? 'cached' : 'stored'),
      (error: unknown) => this.#refused(put, error),
    )
    this.#waiting.add(answer)
    this.meanwhile(answer.finally(() => this.#waiting.delete(answer)))
    return answer
  }

  /** A batch beyond the limit: refused, and never seen. */
  async appendTooLarge(): Promise<void> {
    const put = this.ledger.make(1, () => Buffer.alloc(this.#options.maxBatchBytes ?? 0))
    this.ledger.answered(put, 'refused')
    try {
      await this.settled(this.log.append(put.batch), 'append')
    } catch (error) {
      if (error instanceof ProcessEnded || this.#isCoded(error, 'MILLRACE_LOG_TOO_LARGE')) return
      if (this.mayFail && this.#isCoded(error)) return
      throw error
    }
    throw new Error('A batch beyond maxBatchBytes was taken')
  }

  /** All appends that are under way have answered. */
  async appended(): Promise<void> {
    await this.settled(Promise.all(this.#waiting), 'append')
  }

  /** Reads once for a consumer; gives whether it got something. A read that is under way is left alone. */
  async read(name: string, maxBytes: number): Promise<boolean> {
    if (this.#reading.has(name)) {
      await this.settled(new Promise(setImmediate), 'turn')
      return true
    }
    this.#reading.add(name)
    try {
      const consumer = this.log.consumer(name)
      const reads = await this.#orFailure(
        this.settled(consumer.read({ maxBytes }), `read of ${name}`),
      )
      if (reads === undefined) return true
      this.ledger.delivered(name, reads)
      const open = this.#openOf(name)
      for (const { firstSequence, batch } of reads) {
        open.push({ from: firstSequence, to: firstSequence + batch.size })
      }
      // A read of damaged or acknowledged records alone gives nothing and is not the end.
      return reads.length > 0 || this.#isBehind(consumer)
    } finally {
      this.#reading.delete(name)
    }
  }

  /** Reads until a consumer has all. */
  async drain(name: string): Promise<void> {
    await this.appended()
    for (let empty = 0; empty < 3; ) {
      empty = (await this.read(name, 20_000)) ? 0 : empty + 1
    }
    this.ledger.drained(name)
  }

  /** Acknowledges some of what a consumer has, or all of it. */
  async acknowledge(name: string, share: number): Promise<void> {
    const open = this.#openOf(name)
    let count = Math.ceil(open.length * share)
    while (count > 0 && open.length > 0) {
      count -= 1
      const index = this.choice.chance(0.7) ? 0 : this.choice.int(0, open.length - 1)
      const range = open[index] as Open
      const isWhole = this.choice.chance(0.7)
      const to = isWhole ? range.to : this.choice.int(range.from + 1, range.to)
      const from = range.from
      if (to === range.to) open.splice(index, 1)
      else range.from = to
      await this.#acknowledgeRange(this.log.consumer(name), from, to)
    }
  }

  /** Closes the log; false when a call failed meanwhile: then it ends as if it were killed. */
  async close(): Promise<boolean> {
    const { faults } = this.disk
    const hits = faults.hits
    const close = this.log.close().then(() => true)
    const isClosed = await this.#orFailure(this.settled(close, 'close'))
    return isClosed === true && faults.hits === hits
  }

  async #acknowledgeRange(consumer: Consumer, from: number, to: number): Promise<void> {
    this.ledger.acknowledged(consumer.name, from, to)
    const stored = consumer.acknowledge(from, to)
    if (!stored) return
    this.ledger.unsettled(consumer.name, to - from)
    const noted = stored.then(() => this.ledger.unsettled(consumer.name, from - to))
    await this.#orFailure(this.settled(noted, 'acknowledge'))
  }

  #isBehind(consumer: Consumer): boolean {
    const open = this.#openOf(consumer.name).reduce((sum, { from, to }) => sum + to - from, 0)
    return consumer.backlog.events > open
  }

  #openOf(name: string): Open[] {
    const open = this.#open.get(name) ?? []
    this.#open.set(name, open)
    return open
  }

  #answered(put: Put, state: 'stored' | 'cached'): boolean {
    if (!this.disk.isDead) this.ledger.answered(put, state)
    return true
  }

  #refused(put: Put, error: unknown): boolean {
    if (this.disk.isDead) return false
    this.ledger.answered(put, 'unknown')
    if (!this.mayFail || !this.#isCoded(error)) throw error
    this.failures += 1
    if (!error.retryable) throw new Error('A put was refused for good', { cause: error })
    return false
  }

  /** Undefined in place of a failure that may be. */
  async #orFailure<T>(promise: Promise<T>): Promise<T | undefined> {
    try {
      return await promise
    } catch (error) {
      if (error instanceof ProcessEnded || !this.mayFail || !this.#isCoded(error)) throw error
      this.failures += 1
      return undefined
    }
  }

  #isCoded(error: unknown, code?: string): error is MillraceError {
    return MillraceError.is(error) && (code === undefined || error.code === code)
  }
}

function promised<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work())
  })
}

function ignore(): void {
  // Whoever waits for the promise sees its error.
}
