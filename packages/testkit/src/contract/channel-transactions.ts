import assert from 'node:assert/strict'
import type { Transaction } from '@millrace/component'
import { seededRandom } from '@millrace/runtime'
import { assertCode, type ChannelFixture, LIMITS } from './channel-fixture.js'
import { bodiesOf, numberedEvents, numbers } from './numbered-events.js'
import { rejected, resolved } from './settling.js'

type DeclareCase = (title: string, body: (fixture: ChannelFixture) => Promise<void>) => void

export function transactionCases(it: DeclareCase): void {
  it('gives rolled back events again, before all others and in order', async ({ put, taken }) => {
    await put(numberedEvents(0, 10))
    await (await taken(4)).rollback()
    const again = await taken(10)
    assert.deepEqual(bodiesOf(again.batch), numbers(0, 10))
    await again.rollback()
    await put(numberedEvents(10, 2))
    const all = await taken(20)
    assert.deepEqual(bodiesOf(all.batch), numbers(0, 12))
    await all.commit()
  })

  it('has each event in at most one open transaction', async ({ put, taken, take }) => {
    await put(numberedEvents(0, 6))
    const open = [await taken(2), await taken(2), await taken(2)]
    assert.deepEqual(
      open.flatMap((each) => bodiesOf(each.batch)),
      numbers(0, 6),
    )
    assert.equal(await resolved(take({ waitMs: 0 }), 'take'), undefined)
    await open[1]?.rollback()
    const again = await taken(6)
    assert.deepEqual(bodiesOf(again.batch), ['2', '3'])
    await Promise.all([open[0]?.commit(), open[2]?.commit(), again.commit()])
  })

  it('wakes a waiting take with rolled back events', async ({ put, taken, take }) => {
    await put(numberedEvents(0, 2))
    const open = await taken(2)
    const waiting = take({ waitMs: 60_000 })
    await open.rollback()
    const again = await resolved(waiting, 'the waiting take')
    assert.deepEqual(again && bodiesOf(again.batch), ['0', '1'])
    await again?.commit()
  })

  it('puts the events that a commit leaves out back to the head', async (fixture) => {
    const { put, taken, channel, counters } = fixture
    await put(numberedEvents(0, 8))
    await (await taken(5)).commit({ except: [1, 3] })
    assert.equal(channel.size.events, 5)
    assert.equal(counters.eventTakeSuccessCount, 3)
    const again = await taken(10)
    assert.deepEqual(bodiesOf(again.batch), ['1', '3', '5', '6', '7'])
    await again.commit({ except: [] })
    assert.equal(channel.size.events, 0)
  })

  it('ends a transaction once', async ({ put, taken }) => {
    const end = {
      commit: (transaction: Transaction) => transaction.commit(),
      rollback: (transaction: Transaction) => transaction.rollback(),
    }
    for (const first of ['commit', 'rollback'] as const) {
      for (const second of ['commit', 'rollback'] as const) {
        await put(numberedEvents(0, 1))
        const transaction = await taken(1)
        await end[first](transaction)
        const error = await rejected(end[second](transaction), `${second} after ${first}`)
        assertCode(error, 'MILLRACE_TRANSACTION_STATE', false)
        if (first === 'rollback') await (await taken(1)).commit()
      }
    }
  })

  for (const seed of [1, 2, 3, 4]) {
    it(`loses and doubles nothing in a random order of calls (seed ${seed})`, async (fixture) => {
      await new RandomWalk(fixture, seed).run(400)
    })
  }
}

/** Puts, takes, commits and rolls back at random and keeps account of every event. */
class RandomWalk {
  readonly #fixture: ChannelFixture
  readonly #random: () => number
  readonly #open: Transaction[] = []
  readonly #committed: string[] = []
  #put = 0
  #inside = 0

  constructor(fixture: ChannelFixture, seed: number) {
    this.#fixture = fixture
    this.#random = seededRandom(seed)
  }

  async run(steps: number): Promise<void> {
    for (let i = 0; i < steps; i += 1) {
      const dice = this.#random()
      if (dice < 0.4) await this.#putSome()
      else if (dice < 0.7) await this.#takeSome()
      else await this.#endOne()
      assert.equal(this.#fixture.channel.size.events, this.#inside)
    }
    while (this.#open.length > 0) await this.#endOne()
    while (this.#inside > 0) await this.#commit(await this.#fixture.taken(20))
    const order = (a: string, b: string) => Number(a) - Number(b)
    assert.deepEqual(this.#committed.sort(order), numbers(0, this.#put))
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  async #putSome(): Promise<void> {
    const count = 1 + this.#below(LIMITS.transactionCapacity)
    const batch = numberedEvents(this.#put, count)
    if (this.#inside + count > LIMITS.capacity) {
      assertCode(await rejected(this.#fixture.put(batch), 'put'), 'MILLRACE_CHANNEL_FULL', true)
      return
    }
    await this.#fixture.put(batch)
    this.#put += count
    this.#inside += count
  }

  async #takeSome(): Promise<void> {
    const transaction = await this.#fixture.take({ maxEvents: 1 + this.#below(20) })
    if (transaction) this.#open.push(transaction)
    else {
      const held = this.#open.reduce((sum, each) => sum + each.batch.size, 0)
      assert.equal(held, this.#inside, 'nothing comes only when everything is taken')
    }
  }

  async #endOne(): Promise<void> {
    const [transaction] = this.#open.splice(this.#below(this.#open.length), 1)
    if (!transaction) return
    const dice = this.#random()
    if (dice < 0.5) await this.#commit(transaction)
    else if (dice < 0.75) await transaction.rollback()
    else await this.#commit(transaction, [this.#below(transaction.batch.size)])
  }

  async #commit(transaction: Transaction, except: readonly number[] = []): Promise<void> {
    const bodies = bodiesOf(transaction.batch)
    await transaction.commit({ except })
    const done = bodies.filter((_, i) => !except.includes(i))
    this.#committed.push(...done)
    this.#inside -= done.length
  }
}
