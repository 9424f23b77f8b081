/** The memory channel against a reference that keeps single numbers in plain arrays. */
import assert from 'node:assert/strict'
import { MemoryChannel } from '@millrace/agent-core/internal/channels/memory'
import { ChannelCounters, type Transaction } from '@millrace/component'
import { MillraceError } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'
import * as fc from 'fast-check'
import { batchOf, bodiesOf } from '../../support/agent.js'

const CAPACITY = 12
const TRANSACTION_CAPACITY = 5
const KEEP_ALIVE_MS = 100
/** Fractions, so that a put and a take never come to their end at the same time. */
const TAKE_WAITS_MS = [0, 30.5, 200.25]

type Step =
  | { do: 'put'; size: number; wait: boolean }
  | { do: 'take'; max: number; waitMs: number }
  | { do: 'commit' | 'rollback'; which: number }
  | { do: 'commitExcept'; which: number; except: number[] }
  | { do: 'abort'; which: number }
  | { do: 'advance'; ms: number }
  | { do: 'resize'; capacity: number }

/** What became of a call: stored, refused, or the events that it got. */
type Outcome = 'stored' | 'full' | 'too large' | 'aborted' | 'nothing' | number[]

interface Waiting {
  readonly call: number
  readonly untilMs: number
}

/** What the channel should do, written for reading and not for speed. */
class Reference {
  readonly outcomes = new Map<number, Outcome>()
  readonly open = new Map<number, number[]>()
  available: number[] = []
  capacity = CAPACITY
  puts: (Waiting & { events: number[] })[] = []
  takes: (Waiting & { max: number })[] = []
  nowMs = 0

  get held(): number {
    return [...this.open.values()].reduce((sum, taken) => sum + taken.length, this.available.length)
  }

  put(call: number, events: number[], wait: boolean): void {
    if (events.length > Math.min(TRANSACTION_CAPACITY, this.capacity)) {
      this.outcomes.set(call, 'too large')
    } else if (this.puts.length === 0 && this.held + events.length <= this.capacity) {
      this.#store(call, events)
    } else if (wait) this.puts.push({ call, events, untilMs: this.nowMs + KEEP_ALIVE_MS })
    else this.outcomes.set(call, 'full')
  }

  take(call: number, max: number, waitMs: number): void {
    if (this.available.length > 0) this.#give(call, max)
    else if (waitMs > 0) this.takes.push({ call, max, untilMs: this.nowMs + waitMs })
    else this.outcomes.set(call, 'nothing')
  }

  end(call: number, isGivenBack: (index: number) => boolean): void {
    const taken = this.open.get(call) ?? []
    this.open.delete(call)
    this.available = [...this.available, ...taken.filter((_, index) => isGivenBack(index))]
    this.available.sort((a, b) => a - b)
    this.#serve()
  }

  abort(call: number): void {
    const isWaiting = [...this.puts, ...this.takes].some((each) => each.call === call)
    if (!isWaiting) return
    this.outcomes.set(call, 'aborted')
    this.puts = this.puts.filter((each) => each.call !== call)
    this.takes = this.takes.filter((each) => each.call !== call)
    this.#serve()
  }

  advance(ms: number): void {
    const endMs = this.nowMs + ms
    const due = () =>
      [...this.puts, ...this.takes]
        .filter(({ untilMs }) => untilMs <= endMs)
        .sort((a, b) => a.untilMs - b.untilMs || a.call - b.call)[0]
    for (let next = due(); next; next = due()) {
      const { call } = next
      this.nowMs = next.untilMs
      this.outcomes.set(call, this.puts.some((each) => each.call === call) ? 'full' : 'nothing')
      this.puts = this.puts.filter((each) => each.call !== call)
      this.takes = this.takes.filter((each) => each.call !== call)
      this.#serve()
    }
    this.nowMs = endMs
  }

  resize(capacity: number): void {
    this.capacity = capacity
    this.#serve()
  }

  #serve(): void {
    while (this.takes[0] && this.available.length > 0) {
      const { call, max } = this.takes.shift()!
      this.#give(call, max)
    }
    const [first] = this.puts
    if (first && this.held + first.events.length <= this.capacity) {
      this.puts.shift()
      this.#store(first.call, first.events)
      this.#serve()
    }
  }

  #store(call: number, events: number[]): void {
    this.outcomes.set(call, 'stored')
    this.available.push(...events)
    this.#serve()
  }

  #give(call: number, max: number): void {
    const taken = this.available.splice(0, Math.min(max, TRANSACTION_CAPACITY))
    this.open.set(call, taken)
    this.outcomes.set(call, taken)
  }
}

/** The channel, driven by the same calls. */
class Subject {
  readonly clock = new FakeClock()
  readonly counters = new ChannelCounters()
  readonly outcomes = new Map<number, Outcome>()
  readonly open = new Map<number, Transaction>()
  readonly controllers = new Map<number, AbortController>()
  readonly #options = {
    capacity: CAPACITY,
    transactionCapacity: TRANSACTION_CAPACITY,
    keepAliveMs: KEEP_ALIVE_MS,
    byteCapacity: undefined,
    byteCapacityBufferPercentage: 0,
  }
  readonly channel = new MemoryChannel('c1', this.#options, this.clock)

  async start(): Promise<void> {
    const { signal } = new AbortController()
    await this.channel.start({ signal, fail: () => {}, counters: this.counters })
  }

  put(call: number, events: number[], wait: boolean): void {
    const batch = batchOf(...events)
    const size = { events: batch.size, bytes: batch.retainedBytes }
    const stored = this.channel
      .reserve(size, { wait, signal: this.#signal(call) })
      .then((reservation) => reservation.put(batch))
    this.#note(
      call,
      stored.then(() => 'stored' as const),
    )
  }

  take(call: number, max: number, waitMs: number): void {
    const limit = { maxEvents: max, maxBytes: 1e6, waitMs }
    const taken = this.channel.take(limit, this.#signal(call)).then((transaction) => {
      if (!transaction) return 'nothing' as const
      this.open.set(call, transaction)
      return bodiesOf(transaction.batch).map(Number)
    })
    this.#note(call, taken)
  }

  resize(capacity: number): void {
    this.channel.reconfigure({ ...this.#options, capacity })
  }

  #signal(call: number): AbortSignal {
    const controller = new AbortController()
    this.controllers.set(call, controller)
    return controller.signal
  }

  #note(call: number, outcome: Promise<Outcome>): void {
    outcome.then(
      (value) => this.outcomes.set(call, value),
      (error: unknown) => this.outcomes.set(call, refusal(error)),
    )
  }
}

function refusal(error: unknown): Outcome {
  assert.ok(MillraceError.is(error), String(error))
  if (error.code === 'MILLRACE_CHANNEL_FULL') return 'full'
  if (error.code === 'MILLRACE_CHANNEL_TRANSACTION_TOO_LARGE') return 'too large'
  assert.equal(error.code, 'MILLRACE_ABORTED')
  return 'aborted'
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('put' as const),
        size: fc.integer({ min: 1, max: 6 }),
        wait: fc.boolean(),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('take' as const),
        max: fc.integer({ min: 1, max: 7 }),
        waitMs: fc.constantFrom(...TAKE_WAITS_MS),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('commit' as const, 'rollback' as const),
        which: fc.nat(9),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('commitExcept' as const),
        which: fc.nat(9),
        except: fc.array(fc.nat(4), { maxLength: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat(9) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('advance' as const),
        ms: fc.integer({ min: 1, max: 150 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('resize' as const),
        capacity: fc.integer({ min: 3, max: 20 }),
      }),
    },
  ),
  { minLength: 5, maxLength: 60 },
) satisfies fc.Arbitrary<Step[]>

/** Does one step to both. */
async function perform(step: Step, call: number, sides: [Reference, Subject], events: number[]) {
  const [reference, subject] = sides
  const openCalls = [...reference.open.keys()]
  switch (step.do) {
    case 'put':
      reference.put(call, events, step.wait)
      subject.put(call, events, step.wait)
      return
    case 'take':
      reference.take(call, step.max, step.waitMs)
      subject.take(call, step.max, step.waitMs)
      return
    case 'advance':
      reference.advance(step.ms)
      await subject.clock.advance(step.ms)
      return
    case 'resize':
      reference.resize(step.capacity)
      subject.resize(step.capacity)
      return
    case 'abort': {
      const waiting = [...reference.puts, ...reference.takes][step.which]
      if (!waiting) return
      reference.abort(waiting.call)
      subject.controllers.get(waiting.call)?.abort()
      return
    }
    default: {
      const open = openCalls[step.which % Math.max(1, openCalls.length)]
      if (open === undefined) return
      const size = reference.open.get(open)?.length ?? 0
      const except = step.do === 'commitExcept' ? step.except.filter((index) => index < size) : []
      reference.end(open, (index) => step.do === 'rollback' || except.includes(index))
      const transaction = subject.open.get(open)
      subject.open.delete(open)
      if (step.do === 'rollback') await transaction?.rollback()
      else await transaction?.commit({ except })
    }
  }
}

describe('MemoryChannel against a reference', () => {
  it('answers every call alike, keeps the order, and neither loses nor doubles an event', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const reference = new Reference()
        const subject = new Subject()
        await subject.start()
        let made = 0
        for (const [call, step] of all.entries()) {
          const size = step.do === 'put' ? step.size : 0
          const events = Array.from({ length: size }, () => made++)
          await perform(step, call, [reference, subject], events)
          await new Promise(setImmediate)
          assert.deepEqual(subject.outcomes, reference.outcomes)
          assert.equal(subject.channel.size.events, reference.held)
        }
        await assertConserved(reference, subject)
      }),
      { numRuns: 300 },
    )
  })
})

/** Ends everything that is open, takes the rest, and finds the channel empty. */
async function assertConserved(reference: Reference, subject: Subject): Promise<void> {
  for (const transaction of subject.open.values()) await transaction.rollback()
  for (const call of reference.open.keys()) reference.end(call, () => true)
  await subject.clock.advance(1_000)
  reference.advance(1_000)
  const left: number[] = []
  const { signal } = new AbortController()
  for (;;) {
    const transaction = await subject.channel.take(
      { maxEvents: 3, maxBytes: 1e6, waitMs: 0 },
      signal,
    )
    if (!transaction) break
    left.push(...bodiesOf(transaction.batch).map(Number))
    await transaction.commit()
  }
  assert.deepEqual(left, reference.available)
  assert.deepEqual(subject.channel.size, { events: 0, bytes: 0 })
}
