import assert from 'node:assert/strict'
import { MemoryChannel, memoryChannel } from '@millrace/agent-core/internal/channels/memory'
import { defaultByteCapacity } from '@millrace/agent-core/internal/channels/memory-limit'
import { ChannelCounters } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { MillraceError } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'
import { batchOf, bodiesOf } from '../../support/agent.js'

const { signal } = new AbortController()
const hasCode = (code: string) => (error: unknown) => MillraceError.is(error) && error.code === code

interface Limits {
  capacity?: number
  transactionCapacity?: number
  keepAliveMs?: number
  byteCapacity?: number | undefined
  byteCapacityBufferPercentage?: number
}

const limits = (given: Limits = {}) => ({
  capacity: 100,
  transactionCapacity: 50,
  keepAliveMs: 100,
  byteCapacity: undefined,
  byteCapacityBufferPercentage: 0,
  ...given,
})

async function open(given: Limits = {}) {
  const clock = new FakeClock()
  const counters = new ChannelCounters()
  const channel = new MemoryChannel('c1', limits(given), clock)
  await channel.start({ signal, fail: () => {}, counters })
  const reserve = (batch: EventBatch, wait = false) =>
    channel.reserve({ events: batch.size, bytes: batch.retainedBytes }, { wait, signal })
  const put = async (batch: EventBatch, wait = false) => (await reserve(batch, wait)).put(batch)
  const take = async (maxEvents = 100, maxBytes = 1e9) => {
    const transaction = await channel.take({ maxEvents, maxBytes, waitMs: 0 }, signal)
    assert.ok(transaction)
    return transaction
  }
  return { channel, clock, counters, reserve, put, take }
}

/** One event of about this many bytes, in a buffer of its own. */
const large = (bytes: number) => {
  const source = EventBatch.of([{ body: Buffer.alloc(bytes) }])
  return EventBatch.scanArray(Buffer.concat([Buffer.from([2]), source.bytes, Buffer.from([0])]))
    .batch
}

describe('MemoryChannel', () => {
  describe('bytes', () => {
    it('refuses what its byteCapacity has no room for, though there is room for the events', async () => {
      const { channel, put } = await open({ byteCapacity: 25_000 })
      await put(large(10_000))
      await put(large(10_000))
      assert.ok(channel.size.bytes >= 20_000)
      await assert.rejects(put(large(10_000)), hasCode('MILLRACE_CHANNEL_FULL'))
    })

    it('keeps byteCapacityBufferPercentage of it free', async () => {
      const { put } = await open({ byteCapacity: 25_000, byteCapacityBufferPercentage: 50 })
      await put(large(10_000))
      await assert.rejects(put(large(10_000)), hasCode('MILLRACE_CHANNEL_FULL'))
    })

    it('refuses a batch that never fits for good', async () => {
      const { put } = await open({ byteCapacity: 5_000 })
      await assert.rejects(put(large(10_000)), hasCode('MILLRACE_CHANNEL_TRANSACTION_TOO_LARGE'))
    })

    it('counts a batch until its last event is committed, as all of it is in memory until then', async () => {
      const { channel, put, take } = await open()
      const batch = batchOf(...Array(10).keys())
      await put(batch)
      for (let i = 0; i < 9; i += 1) await (await take(1)).commit()
      assert.deepEqual(channel.size, { events: 1, bytes: batch.retainedBytes })
      await (await take(1)).commit()
      assert.deepEqual(channel.size, { events: 0, bytes: 0 })
    })

    it('takes no more bytes than it is told to, but at least one event', async () => {
      const { put, take } = await open()
      await put(large(1_000))
      await put(EventBatch.concat([large(1_000), large(1_000), large(1_000)]))
      assert.equal((await take(10, 2_500)).batch.size, 2)
      assert.equal((await take(10, 10)).batch.size, 1)
      assert.equal((await take(10, 10)).batch.size, 1)
    })

    it('may fill a quarter of the memory of its control group, or of the machine without one', () => {
      assert.equal(defaultByteCapacity(400, 10_000), 100)
      assert.equal(defaultByteCapacity(0, 10_000), 2_500)
      assert.equal(defaultByteCapacity(2 ** 63, 10_000), 2_500)
      assert.ok(defaultByteCapacity() > 1_000_000)
    })

    it('has no limit but Flume’s 200 GB with byteCapacity 0', async () => {
      const { put } = await open({ byteCapacity: 0 })
      await put(large(1_000_000))
    })
  })

  describe('waits', () => {
    it('sets no timer when there is room, and none when there are events', async () => {
      const { channel, clock, put } = await open()
      await put(batchOf(1))
      await channel.take({ maxEvents: 1, maxBytes: 1e9, waitMs: 5_000 }, signal)
      assert.equal(clock.pendingTimers, 0)
    })

    it('leaves no timer behind when it is stopped', async () => {
      const { channel, clock, put } = await open()
      const waiting = channel.take({ maxEvents: 1, maxBytes: 1e9, waitMs: 5_000 }, signal)
      await put(batchOf(1))
      await waiting
      await channel.stop()
      assert.equal(clock.pendingTimers, 0)
    })

    it('ends each of many waits at its own time', async () => {
      const { channel, clock } = await open()
      const ended: number[] = []
      for (const waitMs of [300, 100, 200]) {
        void channel
          .take({ maxEvents: 1, maxBytes: 1e9, waitMs }, signal)
          .then(() => ended.push(clock.monotonic()))
      }
      await clock.advance(1_000)
      assert.deepEqual(ended, [100, 200, 300])
    })

    it('aborts all waits of one signal and no other', async () => {
      const { channel, put } = await open()
      const controller = new AbortController()
      const limit = { maxEvents: 1, maxBytes: 1e9, waitMs: 5_000 }
      const aborted = [1, 2].map(() => channel.take(limit, controller.signal))
      const other = channel.take(limit, signal)
      controller.abort()
      for (const each of aborted) await assert.rejects(each, hasCode('MILLRACE_ABORTED'))
      await put(batchOf('x'))
      const transaction = await other
      assert.deepEqual(transaction && bodiesOf(transaction.batch), ['x'])
    })

    it('does not wait with keep-alive = 0', async () => {
      const { put, reserve } = await open({ capacity: 1, transactionCapacity: 1, keepAliveMs: 0 })
      await put(batchOf(1))
      await assert.rejects(reserve(batchOf(2), true), hasCode('MILLRACE_CHANNEL_FULL'))
    })
  })

  describe('rolled back events', () => {
    it('come back in channel order, whatever the order of the rollbacks', async () => {
      const { put, take } = await open()
      await put(batchOf(1, 2, 3, 4, 5, 6))
      const transactions = [await take(2), await take(2)] as const
      await transactions[0].rollback()
      await transactions[1].rollback()
      const rest = await take(10)
      assert.deepEqual(bodiesOf(rest.batch), ['1', '2', '3', '4', '5', '6'])
    })

    it('a commit with exceptions gives back exactly those', async () => {
      const { channel, put, take } = await open()
      await put(batchOf(1, 2, 3))
      await put(batchOf(4, 5))
      await (await take(5)).commit({ except: [4, 1, 2, 1] })
      assert.equal(channel.size.events, 3)
      assert.deepEqual(bodiesOf((await take(5)).batch), ['2', '3', '5'])
    })

    it('an index that is none leaves the transaction open', async () => {
      const { put, take } = await open()
      await put(batchOf(1))
      const transaction = await take()
      await assert.rejects(transaction.commit({ except: [1] }), RangeError)
      await transaction.rollback()
    })
  })

  describe('reservations', () => {
    it('give back what the put does not use', async () => {
      const { channel, put } = await open({ capacity: 4, transactionCapacity: 4 })
      const room = await channel.reserve({ events: 4, bytes: 10 }, { wait: false, signal })
      await room.put(batchOf(1))
      await put(batchOf(2, 3, 4))
      assert.equal(channel.size.events, 4)
    })

    it('take no more events than were asked for, and no second batch', async () => {
      const { channel } = await open()
      const room = await channel.reserve({ events: 1, bytes: 10 }, { wait: false, signal })
      await assert.rejects(room.put(batchOf(1, 2)), hasCode('MILLRACE_TRANSACTION_STATE'))
      await assert.rejects(room.put(batchOf(1)), hasCode('MILLRACE_TRANSACTION_STATE'))
      assert.equal(channel.size.events, 0)
    })

    it('of a channel that was stopped store nothing', async () => {
      const { channel, reserve } = await open()
      const batch = batchOf(1)
      const room = await reserve(batch)
      await channel.stop()
      await assert.rejects(room.put(batch), hasCode('MILLRACE_CHANNEL_CLOSED'))
      assert.equal(channel.size.events, 0)
    })
  })

  describe('reconfigure', () => {
    it('keeps the events and lets waiting puts into the larger channel', async () => {
      const { channel, counters, put } = await open({ capacity: 2, transactionCapacity: 2 })
      await put(batchOf(1, 2))
      const waiting = put(batchOf(3), true)
      channel.reconfigure(limits({ capacity: 3, transactionCapacity: 3 }))
      await waiting
      assert.equal(channel.size.events, 3)
      assert.equal(counters.channelCapacity, 3)
      assert.equal(channel.transactionCapacity, 3)
    })

    it('keeps what is beyond a smaller capacity and refuses more', async () => {
      const { channel, put, take } = await open()
      await put(batchOf(1, 2, 3))
      channel.reconfigure(limits({ capacity: 2, transactionCapacity: 2 }))
      await assert.rejects(put(batchOf(4)), hasCode('MILLRACE_CHANNEL_FULL'))
      await (await take()).commit()
      await put(batchOf(4))
      assert.equal(channel.size.events, 2)
    })
  })

  it('keeps its events over a stop and a start', async () => {
    const { channel, counters, put, take } = await open()
    await put(batchOf(1, 2))
    await channel.stop()
    await channel.start({ signal, fail: () => {}, counters })
    assert.deepEqual(bodiesOf((await take()).batch), ['1', '2'])
  })

  it('is refused by its check when transactionCapacity exceeds capacity', () => {
    const problems = memoryChannel.check?.(limits({ capacity: 10 }), { channels: [], sinks: [] })
    assert.deepEqual(
      problems?.map(({ key }) => key),
      ['transactionCapacity'],
    )
  })
})
