import assert from 'node:assert/strict'
import { MemoryChannel } from '@millrace/agent-core/internal/channels/memory'
import { ChannelProcessor } from '@millrace/agent-core/internal/processing/channel-processor'
import { MultiplexingChannelSelector } from '@millrace/agent-core/internal/selectors/multiplexing'
import { ReplicatingChannelSelector } from '@millrace/agent-core/internal/selectors/replicating'
import { ChannelCounters, type ChannelSelector, type Interceptor } from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { MillraceError, silentLogger } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'
import { batchOf, bodiesOf } from '../../support/agent.js'

const { signal } = new AbortController()
const hasCode = (code: string) => (error: unknown) => MillraceError.is(error) && error.code === code

interface Setting {
  capacities: Readonly<Record<string, number>>
  selector?: ChannelSelector
  interceptors?: Interceptor[]
}

async function open({ capacities, selector, interceptors = [] }: Setting) {
  const clock = new FakeClock()
  const channels = new Map<string, MemoryChannel>()
  for (const [name, capacity] of Object.entries(capacities)) {
    const options = {
      capacity,
      transactionCapacity: capacity,
      keepAliveMs: 1_000,
      byteCapacity: undefined,
      byteCapacityBufferPercentage: 0,
    }
    const channel = new MemoryChannel(name, options, clock)
    await channel.start({ signal, fail: () => {}, counters: new ChannelCounters() })
    channels.set(name, channel)
  }
  const processor = new ChannelProcessor({
    channels,
    selector: selector ?? new ReplicatingChannelSelector([...channels.keys()], []),
    interceptors,
    logger: silentLogger,
    clock,
  })
  const channel = (name = 'c1') => {
    const found = channels.get(name)
    assert.ok(found)
    return found
  }
  /** Takes everything out of a channel. */
  const drain = async (name = 'c1') => {
    const bodies: string[] = []
    for (;;) {
      const limit = { maxEvents: 1_000, maxBytes: 1e9, waitMs: 0 }
      const transaction = await channel(name).take(limit, signal)
      if (!transaction) return bodies
      bodies.push(...bodiesOf(transaction.batch))
      await transaction.commit()
    }
  }
  return { clock, channel, drain, processor, deliver: processor.deliver }
}

const turn = () => new Promise(setImmediate)

describe('ChannelProcessor', () => {
  it('stores overlapping deliveries in the order of the calls', async () => {
    const { deliver, drain } = await open({ capacities: { c1: 100 } })
    await Promise.all([0, 1, 2, 3].map((i) => deliver(batchOf(i, `${i}'`))))
    assert.deepEqual(await drain(), ['0', "0'", '1', "1'", '2', "2'", '3', "3'"])
  })

  it('keeps that order while the first delivery waits for room', async () => {
    const { deliver, drain } = await open({ capacities: { c1: 4 } })
    await deliver(batchOf('a', 'b', 'c'))
    const deliveries = [deliver(batchOf('d', 'e')), deliver(batchOf('f')), deliver(batchOf('g'))]
    await turn()
    const first = await drain()
    await Promise.all(deliveries)
    assert.deepEqual([...first, ...(await drain())], ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
  })

  it('keeps that order over several channels of which one waits', async () => {
    const { deliver, drain } = await open({ capacities: { c1: 10, c2: 2 } })
    await deliver(batchOf(1, 2))
    const deliveries = [deliver(batchOf(3)), deliver(batchOf(4))]
    await turn()
    const first = { c1: await drain('c1'), c2: await drain('c2') }
    await Promise.all(deliveries)
    assert.deepEqual([...first.c1, ...(await drain('c1'))], ['1', '2', '3', '4'])
    assert.deepEqual([...first.c2, ...(await drain('c2'))], ['1', '2', '3', '4'])
  })

  it('keeps that order when a later delivery needs fewer channels', async () => {
    const selector: ChannelSelector = {
      route: (batch) => [{ batch, required: batch.size > 1 ? ['c1', 'c2'] : ['c1'], optional: [] }],
    }
    const { deliver, drain } = await open({ capacities: { c1: 10, c2: 2 }, selector })
    await deliver(batchOf('a', 'b'))
    const deliveries = [deliver(batchOf('c', 'd')), deliver(batchOf('e'))]
    await turn()
    const first = await drain('c1')
    await drain('c2')
    await Promise.all(deliveries)
    assert.deepEqual([...first, ...(await drain('c1'))], ['a', 'b', 'c', 'd', 'e'])
  })

  it('keeps that order with an interceptor that is slower for the first', async () => {
    const waits: (() => void)[] = []
    const slow: Interceptor = {
      intercept: (batch) => new Promise((resolve) => waits.push(() => resolve(batch))),
    }
    const { deliver, drain } = await open({ capacities: { c1: 10 }, interceptors: [slow] })
    const deliveries = [deliver(batchOf(1)), deliver(batchOf(2)), deliver(batchOf(3))]
    for (const release of waits.toReversed()) {
      release()
      await turn()
    }
    await Promise.all(deliveries)
    assert.deepEqual(await drain(), ['1', '2', '3'])
  })

  it('keeps that order when only some batches take an interceptor time', async () => {
    let release = () => {}
    const sometimes: Interceptor = {
      intercept: (batch) =>
        batch.size > 1 ? new Promise((resolve) => (release = () => resolve(batch))) : batch,
    }
    const { deliver, drain } = await open({ capacities: { c1: 10 }, interceptors: [sometimes] })
    const deliveries = [deliver(batchOf('a', 'b')), deliver(batchOf('c'))]
    await turn()
    assert.deepEqual(await drain(), [])
    release()
    await Promise.all(deliveries)
    assert.deepEqual(await drain(), ['a', 'b', 'c'])
  })

  it('goes on after a delivery that was refused, aborted or failed in an interceptor', async () => {
    const failing: Interceptor = {
      intercept(batch) {
        if (batch.bodyAt(0).toString() === 'bad') throw new Error('cannot')
        return Promise.resolve(batch)
      },
    }
    const { deliver, drain } = await open({ capacities: { c1: 2 }, interceptors: [failing] })
    const controller = new AbortController()
    const aborted = deliver(batchOf('aborted'), controller.signal)
    const deliveries = [deliver(batchOf(1, 2, 3)), deliver(batchOf('bad')), deliver(batchOf('ok'))]
    controller.abort()
    const results = await Promise.allSettled([aborted, ...deliveries])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(await drain(), ['ok'])
  })

  it('runs the interceptors behind one that answers later, too, in their order', async () => {
    const stamp = (name: string): Interceptor => ({
      intercept: (batch) => batch.withHeaders([{ name: 'by', value: name }]),
    })
    const later: Interceptor = {
      intercept: async (batch) => {
        await turn()
        return batch.filter((i) => batch.bodyAt(i).toString() !== 'drop')
      },
    }
    const { channel, deliver } = await open({
      capacities: { c1: 10 },
      interceptors: [later, stamp('first'), later, stamp('last')],
    })
    await deliver(batchOf('keep', 'drop'))
    const limit = { maxEvents: 10, maxBytes: 1e9, waitMs: 0 }
    const transaction = await channel().take(limit, signal)
    assert.deepEqual(transaction && bodiesOf(transaction.batch), ['keep'])
    assert.equal(transaction?.batch.headerAt(0, 'by'), 'last')
  })

  it('runs interceptors in order and acknowledges what they drop without a put', async () => {
    const stamp = (name: string): Interceptor => ({
      intercept: (batch) => batch.withHeaders([{ name: 'by', value: name }]),
    })
    const drop: Interceptor = {
      intercept: (batch) => batch.filter((i) => batch.bodyAt(i).toString() !== 'drop'),
    }
    const never: Interceptor = {
      intercept(batch) {
        assert.ok(batch.size > 0, 'an empty batch goes no further')
        return batch
      },
    }
    const { channel, deliver } = await open({
      capacities: { c1: 10 },
      interceptors: [stamp('first'), stamp('second'), drop, never],
    })
    await deliver(batchOf('drop', 'drop'))
    assert.equal(channel().size.events, 0)
    await deliver(batchOf('drop', 'keep'))
    const limit = { maxEvents: 10, maxBytes: 1e9, waitMs: 0 }
    const transaction = await channel().take(limit, signal)
    assert.equal(transaction?.batch.size, 1)
    assert.equal(transaction.batch.headerAt(0, 'by'), 'second')
  })

  it('stores nowhere when one required channel is full, and frees the room it had got', async () => {
    const { clock, channel, deliver } = await open({ capacities: { c1: 5, c2: 1 } })
    await deliver(batchOf(1))
    const refused = assert.rejects(deliver(batchOf(2)), hasCode('MILLRACE_CHANNEL_FULL'))
    await clock.advance(1_100)
    await refused
    assert.equal(channel('c1').size.events, 1)
    const size = { events: 4, bytes: 10 }
    ;(await channel('c1').reserve(size, { wait: false, signal })).release()
  })

  it('refuses all deliveries that wait for one another within one keep-alive', async () => {
    const { clock, deliver } = await open({ capacities: { c1: 9, c2: 1 } })
    await deliver(batchOf(0))
    const refused = Promise.all(
      [1, 2, 3, 4].map((i) =>
        assert.rejects(deliver(batchOf(i)), hasCode('MILLRACE_CHANNEL_FULL')),
      ),
    )
    await clock.advance(1_001)
    await refused
  })

  it('hides the failure of an optional channel, counts it, and does not wait for its room', async () => {
    const { channel, deliver, drain, processor } = await open({
      capacities: { c1: 10, c2: 1 },
      selector: new ReplicatingChannelSelector(['c1', 'c2'], ['c2']),
    })
    await deliver(batchOf(1))
    await deliver(batchOf(2))
    assert.equal(processor.optionalFailureCount, 1)
    assert.deepEqual(await drain('c1'), ['1', '2'])
    assert.equal(channel('c2').size.events, 1)
  })

  it('gives an optional channel nothing when a required one refuses', async () => {
    const { channel, deliver } = await open({
      capacities: { c1: 1, c2: 9 },
      selector: new ReplicatingChannelSelector(['c1', 'c2'], ['c2']),
    })
    await assert.rejects(deliver(batchOf(1, 2)), hasCode('MILLRACE_CHANNEL_TRANSACTION_TOO_LARGE'))
    assert.equal(channel('c2').size.events, 0)
  })

  it('spreads a mixed batch with one put for each channel, in the order of the events', async () => {
    const selector = new MultiplexingChannelSelector({
      header: 'to',
      defaults: [],
      mapping: { a: 'c1', ab: 'c1 c2', b: 'c2' },
      optional: {},
    })
    const { deliver, drain } = await open({ capacities: { c1: 10, c2: 10 }, selector })
    const to = ['a', 'ab', 'b', 'nowhere', 'ab', 'a']
    await deliver(EventBatch.of(to.map((to, i) => ({ headers: { to }, body: String(i) }))))
    assert.deepEqual(await drain('c1'), ['0', '1', '4', '5'])
    assert.deepEqual(await drain('c2'), ['1', '2', '4'])
  })

  it('acknowledges at once what is empty, and refuses an aborted delivery', async () => {
    const { deliver } = await open({ capacities: { c1: 1 } })
    await deliver(EventBatch.empty())
    await assert.rejects(deliver(batchOf(1), AbortSignal.abort()), hasCode('MILLRACE_ABORTED'))
  })

  it('ends a wait for room when the delivery is aborted, storing nothing', async () => {
    const { channel, deliver } = await open({ capacities: { c1: 1 } })
    await deliver(batchOf(1))
    const controller = new AbortController()
    const waiting = deliver(batchOf(2), controller.signal)
    await turn()
    controller.abort()
    await assert.rejects(waiting, hasCode('MILLRACE_ABORTED'))
    assert.equal(channel().size.events, 1)
  })

  it('refuses a channel that is not one of the source', async () => {
    const selector: ChannelSelector = {
      route: (batch) => [{ batch, required: ['c9'], optional: [] }],
    }
    const { deliver } = await open({ capacities: { c1: 1 }, selector })
    await assert.rejects(deliver(batchOf(1)), hasCode('MILLRACE_CONFIG_UNKNOWN_NAME'))
  })
})
