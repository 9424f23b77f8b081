/** The file channel with room for one, two or three events, against a reference that keeps numbers in an array. */
import assert from 'node:assert/strict'
import type { Transaction } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { FakeClock, SimulatedDisk } from '@millrace/testkit'
import { fileOptions, TestedFileChannel } from '../../support/file-channel.js'
import { Choice } from '../../support/wal/choice.js'

const SCHEDULES = 60
const STEPS = 80
const MAX_REPEATED_EVENTS = 2
/** Three of them do not fit into a segment together. */
const BODY_BYTES = 25_000

interface Open {
  readonly transaction: Transaction
  readonly events: readonly number[]
}

class Model {
  readonly #choice: Choice
  readonly #capacity: number
  #disk: SimulatedDisk
  #tested: TestedFileChannel
  /** Numbers of the events that can be taken, in order. */
  #available: number[] = []
  #open: Open[] = []
  readonly #committed = new Set<number>()
  #nextNumber = 1
  crashes = 0
  refusals = 0
  repeats = 0

  constructor(seed: number) {
    this.#choice = new Choice(seed)
    this.#capacity = this.#choice.int(1, 3)
    this.#disk = new SimulatedDisk(seed)
    this.#disk.faults.isRecording = false
    this.#tested = this.#newChannel()
  }

  async run(): Promise<void> {
    await this.#tested.start()
    for (let step = 0; step < STEPS; step += 1) await this.#step()
    await this.#restart()
    assert.deepEqual(await this.#takeAll(), this.#available)
    await this.#tested.channel.stop()
  }

  get #held(): number {
    return this.#open.reduce((sum, { events }) => sum + events.length, this.#available.length)
  }

  async #step(): Promise<void> {
    const steps = { put: 30, take: 20, commit: 18, rollback: 8, except: 4, restart: 2, crash: 2 }
    switch (this.#choice.weighted(steps)) {
      case 'put':
        return this.#put(this.#choice.int(1, this.#capacity))
      case 'take':
        return this.#take(this.#choice.int(1, 3))
      case 'commit':
        return this.#end(
          ({ transaction }) => transaction.commit(),
          () => false,
        )
      case 'rollback':
        return this.#end(
          ({ transaction }) => transaction.rollback(),
          () => true,
        )
      case 'except':
        return this.#end(
          ({ transaction }) => transaction.commit({ except: [0] }),
          (index) => index === 0,
        )
      case 'restart':
        return this.#restart()
      case 'crash':
        return this.#crash()
    }
  }

  async #put(size: number): Promise<void> {
    const events = Array.from({ length: size }, (_, index) => this.#nextNumber + index)
    const hasRoom = this.#held + size <= this.#capacity
    const put = this.#tested.put(batchOf(events))
    if (hasRoom) {
      await put
      this.#nextNumber += size
      this.#available.push(...events)
    } else {
      await assert.rejects(put, { code: 'MILLRACE_CHANNEL_FULL', retryable: true })
      this.refusals += 1
    }
    assert.equal(this.#tested.channel.size.events, this.#held)
  }

  async #take(max: number): Promise<void> {
    const transaction = await this.#tested.take(max)
    const taken = transaction ? numbersOf(transaction.batch) : []
    const expected = this.#available.slice(0, Math.min(max, this.#capacity))
    // What is not read from the disk yet comes with a later take.
    assert.deepEqual(taken, expected.slice(0, taken.length))
    assert.equal(transaction === undefined, expected.length === 0, 'a take that gives nothing')
    this.#available.splice(0, taken.length)
    if (transaction) this.#open.push({ transaction, events: taken })
  }

  /** Ends one of the open transactions; `keeps` says which of its events are given back. */
  async #end(end: (open: Open) => Promise<void>, keeps: (index: number) => boolean): Promise<void> {
    if (this.#open.length === 0) return
    const [open] = this.#open.splice(this.#choice.int(0, this.#open.length - 1), 1) as [Open]
    await end(open)
    if (this.#choice.chance(0.3)) await this.#passTime()
    for (const [index, event] of open.events.entries()) {
      if (keeps(index)) this.#available.push(event)
      else this.#committed.add(event)
    }
    this.#available.sort((a, b) => a - b)
    assert.equal(this.#tested.channel.size.events, this.#held)
  }

  #clock = new FakeClock()

  async #passTime(): Promise<void> {
    for (let turn = 0; turn < 4; turn += 1) await this.#clock.advance(100)
  }

  async #restart(): Promise<void> {
    const left = this.#open
    await this.#tested.channel.stop()
    for (const { transaction } of left) {
      await assert.rejects(transaction.commit(), { code: 'MILLRACE_CHANNEL_CLOSED' })
    }
    this.#giveBack(left.flatMap(({ events }) => events))
    this.#tested = this.#newChannel()
    await this.#tested.start()
    assert.equal(this.#tested.channel.size.events, this.#held)
  }

  /** The power goes off while a put and some ends of transactions are on their way. */
  async #crash(): Promise<void> {
    this.crashes += 1
    const choice = this.#choice
    const unknown = Array.from({ length: choice.int(1, 3) }, (_, index) => this.#nextNumber + index)
    this.#nextNumber += unknown.length
    this.#disk.dieAt(choice.int(1, 12))
    // None of these has to come back.
    ignore(this.#tested.put(batchOf(unknown)))
    const ended = this.#open.filter(() => choice.chance(0.5))
    for (const { transaction } of ended) ignore(transaction.commit())
    for (let turn = 0; turn < 10 && !this.#disk.isDead; turn += 1) await this.#clock.advance(30)
    const seed = choice.seed()
    this.#disk = choice.chance(0.7) ? this.#disk.crash(seed) : this.#disk.kill(seed)
    this.#disk.faults.isRecording = false
    this.#tested = this.#newChannel()
    await this.#tested.start()
    const unsure = new Set(ended.flatMap(({ events }) => events))
    this.#checkRecovered(await this.#takeAll(), unknown, unsure)
  }

  #checkRecovered(found: number[], unknown: readonly number[], unsure: ReadonlySet<number>): void {
    const open = this.#open.flatMap(({ events }) => events)
    const promised = [...this.#available, ...open].filter((event) => !unsure.has(event))
    const what = `found ${found.join()}, promised ${promised.join()}`
    assert.deepEqual(
      found,
      found.toSorted((a, b) => a - b),
      what,
    )
    assert.equal(new Set(found).size, found.length, what)
    for (const event of promised) assert.ok(found.includes(event), `${event} is lost: ${what}`)
    const whole = unknown.filter((event) => found.includes(event)).length
    assert.ok(whole === 0 || whole === unknown.length, `a part of ${unknown.join()}: ${what}`)
    const repeats = found.filter((event) => this.#committed.has(event))
    assert.ok(repeats.length <= MAX_REPEATED_EVENTS, `${repeats.join()} are given again: ${what}`)
    this.repeats += repeats.length
    const known = new Set([...promised, ...unknown, ...unsure, ...this.#committed])
    for (const event of found) assert.ok(known.has(event), `${event} was never put: ${what}`)
    for (const event of unsure) if (!found.includes(event)) this.#committed.add(event)
    for (const event of repeats) this.#committed.delete(event)
    this.#open = []
    this.#available = found
  }

  /** Takes everything and gives it back. */
  async #takeAll(): Promise<number[]> {
    const transactions: Transaction[] = []
    for (;;) {
      const transaction = await this.#tested.take(3)
      if (!transaction) break
      transactions.push(transaction)
    }
    for (const transaction of transactions.toReversed()) await transaction.rollback()
    return transactions.flatMap(({ batch }) => numbersOf(batch))
  }

  #giveBack(events: readonly number[]): void {
    this.#open = []
    this.#available = [...this.#available, ...events].toSorted((a, b) => a - b)
  }

  #newChannel(): TestedFileChannel {
    this.#clock = new FakeClock()
    const options = fileOptions('/log', {
      capacity: this.#capacity,
      transactionCapacity: this.#capacity,
      maxRepeatedEvents: MAX_REPEATED_EVENTS,
    })
    return new TestedFileChannel(options, { disk: this.#disk, clock: this.#clock })
  }
}

function batchOf(events: readonly number[]): EventBatch {
  return EventBatch.of(
    events.map((event) => ({ body: Buffer.from(String(event).padEnd(BODY_BYTES, ' ')) })),
  )
}

function numbersOf(batch: EventBatch): number[] {
  return [...batch.events()].map((event) => Number(event.body.toString('latin1')))
}

function ignore(promise: Promise<unknown>): void {
  promise.catch(() => {})
}

describe('the file channel with little room', () => {
  it(`does as its reference over ${SCHEDULES} schedules with restarts and crashes`, async () => {
    let [crashes, refusals, repeats] = [0, 0, 0]
    for (let seed = 1; seed <= SCHEDULES; seed += 1) {
      const model = new Model(seed)
      try {
        await model.run()
      } catch (error) {
        throw new Error(`seed ${seed}: ${String(error)}`, { cause: error })
      }
      crashes += model.crashes
      refusals += model.refusals
      repeats += model.repeats
    }
    assert.ok(crashes > 50 && refusals > 200, `${crashes} crashes, ${refusals} refusals`)
    assert.ok(repeats > 0, 'no committed event was given again: the bound is not tested')
  })
})
