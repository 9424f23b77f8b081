/** What every channel promises: order, limits, room, transactions, conservation, life and end. */
import assert from 'node:assert/strict'
import { MillraceError } from '@millrace/runtime'
import {
  assertCode,
  type ChannelContract,
  type ChannelFixture,
  LIMITS,
  openChannel,
} from './channel-fixture.js'
import { transactionCases } from './channel-transactions.js'
import { durableCases } from './channel-durable.js'
import { definitionCases } from './definition.js'
import { lifecycleCases } from './lifecycle.js'
import { assertSameEvents, bodiesOf, numberedEvents, numbers } from './numbered-events.js'
import { isPending, rejected, resolved, settled } from './settling.js'
import { type TestGlobals, testGlobals } from './test-globals.js'

export type { ChannelContract, ChannelLimits } from './channel-fixture.js'

const LIVE = new AbortController().signal
const KEEP_ALIVE_MS = LIMITS.keepAliveS * 1_000

export type ChannelCase = (fixture: ChannelFixture) => Promise<void>

/** Declares the tests of a channel. Call it at the top of a mocha test file, or in a `describe`. */
export function channelContract(
  contract: ChannelContract,
  globals: TestGlobals = testGlobals(),
): void {
  const { definition } = contract
  const it = (title: string, body: ChannelCase) =>
    globals.it(title, async () => {
      const fixture = await openChannel(contract)
      try {
        await fixture.start(LIVE)
        await body(fixture)
      } finally {
        await fixture.close()
      }
    })
  globals.describe(`channel ${definition.alias ?? definition.classNames[0]}`, () => {
    definitionCases(definition, () => openChannel(contract), globals)
    lifecycleCases(() => openChannel(contract), globals)
    orderCases(it)
    roomCases(it)
    sharingCases(it)
    endCases(it)
    transactionCases(it)
    if (contract.isDurable === true) durableCases(it)
    else
      it('says that it is not durable', async ({ channel }) =>
        assert.equal(channel.isDurable, false))
  })
}

type DeclareCase = (title: string, body: ChannelCase) => void

function orderCases(it: DeclareCase): void {
  it('gives the events that were put, byte for byte and in order', async ({ put, taken }) => {
    await put(numberedEvents(0, 3))
    await put(numberedEvents(3, 1))
    await put(numberedEvents(4, 6))
    const first = await taken(7)
    const second = await taken(7)
    assertSameEvents(first.batch, numberedEvents(0, 7))
    assertSameEvents(second.batch, numberedEvents(7, 3))
    await first.commit()
    await second.commit()
  })

  it('stores overlapping puts in the order of the calls', async ({ reserve, taken }) => {
    const batches = [0, 1, 2, 3, 4].map((i) => numberedEvents(i * 4, 4))
    const rooms = await Promise.all(batches.map((batch) => reserve(batch)))
    await Promise.all(rooms.map((room, i) => room.put(batches[i] ?? numberedEvents(0, 0))))
    const transaction = await taken(20)
    assert.deepEqual(bodiesOf(transaction.batch), numbers(0, 20))
    await transaction.commit()
  })

  it('gives no more events than the limit, nor more bytes unless it is one event', async (f) => {
    await f.put(numberedEvents(100, 10))
    const one = numberedEvents(100, 1).byteLength
    const byCount = await f.taken(4)
    assert.deepEqual(bodiesOf(byCount.batch), numbers(100, 4))
    const byBytes = await resolved(f.take({ maxBytes: one * 3 }), 'take')
    assert.ok(byBytes)
    assert.ok(byBytes.batch.size >= 1 && byBytes.batch.size <= 3, 'three events fit')
    const single = await resolved(f.take({ maxBytes: 1 }), 'take')
    assert.equal(single?.batch.size, 1)
    await Promise.all([byCount.commit(), byBytes.commit(), single.commit()])
  })

  it('gives no more events at once than its transaction capacity', async ({ put, take }) => {
    for (let i = 0; i < 3; i += 1) await put(numberedEvents(i * 10, 10))
    const transaction = await take({ maxEvents: 1_000 })
    assert.ok(transaction)
    assert.ok(transaction.batch.size <= LIMITS.transactionCapacity)
    await transaction.commit()
  })

  it('ends a take on an empty channel after its wait, with nothing', async ({ take, clock }) => {
    assert.equal(await resolved(take({ waitMs: 0 }), 'a take that does not wait'), undefined)
    const waiting = take({ waitMs: 500 })
    await clock.advance(499)
    assert.ok(await isPending(waiting), 'waits its whole time')
    await clock.advance(2)
    assert.equal(await resolved(waiting, 'a take that waited'), undefined)
  })

  it('gives a waiting take the first event at once', async ({ take, put }) => {
    const waiting = take({ waitMs: 60_000 })
    assert.ok(await isPending(waiting))
    await put(numberedEvents(0, 1))
    const transaction = await resolved(waiting, 'the waiting take')
    assert.deepEqual(transaction && bodiesOf(transaction.batch), ['0'])
    await transaction?.commit()
  })

  it('gives each of several waiting takes other events', async ({ take, put }) => {
    const waiting = [0, 1, 2].map(() => take({ maxEvents: 1, waitMs: 60_000 }))
    await put(numberedEvents(0, 3))
    const transactions = await Promise.all(waiting.map((each) => resolved(each, 'a waiting take')))
    const bodies = transactions.flatMap((each) => (each ? bodiesOf(each.batch) : []))
    assert.deepEqual(bodies.sort(), ['0', '1', '2'])
    for (const each of transactions) await each?.commit()
  })

  it('gives up a take whose signal is aborted, and loses nothing by it', async (f) => {
    await rejected(f.take({ waitMs: 60_000 }, AbortSignal.abort()), 'a take with an aborted signal')
    const controller = new AbortController()
    const waiting = settled(f.take({ waitMs: 60_000 }, controller.signal), 'an aborted take')
    controller.abort()
    const outcome = await waiting
    assert.equal(outcome.status, 'rejected')
    assertCode(outcome.error, 'MILLRACE_ABORTED', false)
    await f.put(numberedEvents(0, 2))
    const transaction = await f.taken(5)
    assert.deepEqual(bodiesOf(transaction.batch), ['0', '1'])
    await transaction.commit()
  })
}

/** Puts events until the channel is full. */
async function fill({ put }: ChannelFixture): Promise<void> {
  for (let at = 0; at < LIMITS.capacity; at += 20) await put(numberedEvents(at, 20))
}

function roomCases(it: DeclareCase): void {
  it('refuses a batch above its transaction capacity at once and for good', async ({ reserve }) => {
    const batch = numberedEvents(0, LIMITS.transactionCapacity + 1)
    const error = await rejected(reserve(batch, { wait: true }), 'a batch too large')
    assertCode(error, 'MILLRACE_CHANNEL_TRANSACTION_TOO_LARGE', false)
  })

  it('refuses a put when it is full, at once where the put does not wait', async (fixture) => {
    await fill(fixture)
    assert.equal(fixture.channel.size.events, LIMITS.capacity)
    const error = await rejected(fixture.reserve(numberedEvents(0, 1)), 'a put into a full channel')
    assertCode(error, 'MILLRACE_CHANNEL_FULL', true)
    assert.equal(fixture.channel.size.events, LIMITS.capacity)
  })

  it('refuses a put that waits when keep-alive has passed, not before', async (fixture) => {
    await fill(fixture)
    assert.equal(fixture.channel.keepAliveMs, KEEP_ALIVE_MS)
    const waiting = settled(
      fixture.reserve(numberedEvents(0, 1), { wait: true }),
      'reserve',
      15_000,
    )
    await fixture.clock.advance(KEEP_ALIVE_MS - 1)
    assert.ok(await isPending(waiting), 'waits its whole time')
    await fixture.clock.advance(2)
    const outcome = await waiting
    assert.equal(outcome.status, 'rejected')
    assertCode(outcome.error, 'MILLRACE_CHANNEL_FULL', true)
  })

  it('lets a put that waits in when a commit makes room', async (fixture) => {
    await fill(fixture)
    const waiting = fixture.put(numberedEvents(LIMITS.capacity, 10), { wait: true })
    const transaction = await fixture.taken(10)
    assert.ok(await isPending(waiting), 'taken events still occupy their room')
    await transaction.commit()
    await resolved(waiting, 'the put that waited')
    assert.equal(fixture.channel.size.events, LIMITS.capacity)
  })

  it('does not make room by a rollback', async (fixture) => {
    await fill(fixture)
    const waiting = settled(fixture.put(numberedEvents(0, 1), { wait: true }), 'put', 15_000)
    await (await fixture.taken(10)).rollback()
    assert.ok(await isPending(waiting))
    await fixture.clock.advance(KEEP_ALIVE_MS + 1)
    assert.equal((await waiting).status, 'rejected')
  })
}

function sharingCases(it: DeclareCase): void {
  it('lets waiting puts in first come, first served', async (fixture) => {
    await fill(fixture)
    const order: string[] = []
    const large = fixture
      .put(numberedEvents(1_000, 20), { wait: true })
      .then(() => order.push('large'))
    const small = fixture
      .put(numberedEvents(2_000, 1), { wait: true })
      .then(() => order.push('small'))
    await (await fixture.taken(10)).commit()
    assert.ok(await isPending(large), 'ten events leave no room for twenty')
    await (await fixture.taken(20)).commit()
    await resolved(Promise.all([large, small]), 'both puts')
    assert.deepEqual(order, ['large', 'small'])
  })

  it('drops a waiting put whose signal is aborted, and lets those behind it in', async (fixture) => {
    await fill(fixture)
    const controller = new AbortController()
    const { signal } = controller
    const given = settled(fixture.reserve(numberedEvents(0, 20), { wait: true, signal }), 'reserve')
    const behind = fixture.reserve(numberedEvents(0, 5), { wait: true })
    await (await fixture.taken(5)).commit()
    controller.abort()
    const outcome = await given
    assert.equal(outcome.status, 'rejected')
    assertCode(outcome.error, 'MILLRACE_ABORTED', false)
    ;(await resolved(behind, 'the put behind')).release()
  })

  it('gives the room of a released reservation back, once', async (fixture) => {
    for (let i = 0; i < 20; i += 1) {
      const room = await resolved(fixture.reserve(numberedEvents(0, 20)), 'reserve')
      room.release()
      room.release()
    }
    await fill(fixture)
    const error = await rejected(fixture.reserve(numberedEvents(0, 1)), 'a put into a full channel')
    assertCode(error, 'MILLRACE_CHANNEL_FULL', true)
  })

  it('holds reserved room against others before the put', async (fixture) => {
    const batch = numberedEvents(0, 20)
    const rooms = await Promise.all([0, 1, 2, 3, 4].map(() => fixture.reserve(batch)))
    await rejected(fixture.reserve(numberedEvents(0, 1)), 'a sixth reservation')
    const [first, ...others] = rooms
    for (const room of others) room.release()
    await first?.put(batch)
    first?.release()
    assert.equal(fixture.channel.size.events, 20)
  })
}

function endCases(it: DeclareCase): void {
  it('refuses puts and takes when it is stopped, and releases those that wait', async (f) => {
    await fill(f)
    const put = settled(f.reserve(numberedEvents(0, 1), { wait: true }), 'a waiting put')
    const open = await f.taken(1)
    await f.stop({ deadlineMs: 1_000 })
    const outcome = await put
    assert.equal(outcome.status, 'rejected')
    assertClosed(outcome.error)
    assertClosed(await rejected(f.reserve(numberedEvents(0, 1)), 'a put after the stop'))
    await settled(open.rollback(), 'a rollback after the stop')
  })

  it('releases a waiting take when it is stopped', async (f) => {
    const take = settled(f.take({ waitMs: 60_000 }), 'a waiting take')
    await f.stop({ deadlineMs: 1_000 })
    const outcome = await take
    if (outcome.status === 'resolved') assert.equal(outcome.value, undefined)
    else assertClosed(outcome.error)
  })

  it('counts what is put, taken and held', async ({ put, reserve, taken, counters, channel }) => {
    await put(numberedEvents(0, 10))
    await put(numberedEvents(10, 5))
    await rejected(reserve(numberedEvents(0, 21)), 'a batch too large')
    assert.equal(counters.eventPutSuccessCount, 15)
    assert.ok(counters.eventPutAttemptCount >= 15)
    await (await taken(4)).rollback()
    assert.equal(counters.eventTakeSuccessCount, 0)
    await (await taken(6)).commit()
    assert.equal(counters.eventTakeSuccessCount, 6)
    assert.ok(counters.eventTakeAttemptCount >= 2)
    assert.equal(channel.size.events, 9)
    assert.equal(counters.channelCapacity, LIMITS.capacity)
  })
}

function assertClosed(error: unknown): void {
  assert.ok(MillraceError.is(error), `an error of Millrace, not ${String(error)}`)
  assert.ok(['MILLRACE_CHANNEL_CLOSED', 'MILLRACE_ABORTED'].includes(error.code), error.code)
}
