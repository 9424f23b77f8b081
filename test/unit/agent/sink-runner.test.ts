import assert from 'node:assert/strict'
import { MemoryChannel } from '@millrace/agent-core/internal/channels/memory'
import { loadBalanceProcessor } from '@millrace/agent-core/internal/processors/load-balance'
import { SinkRunner } from '@millrace/agent-core/internal/runners/sink-runner'
import { SinkWorker } from '@millrace/agent-core/internal/runners/sink-worker'
import {
  type Channel,
  ChannelCounters,
  SinkCounters,
  type SinkProcessor,
} from '@millrace/component'
import { type Clock, createLogger, silentLogger, systemClock } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'
import { batchOf, HandSink } from '../../support/agent.js'
import { until } from '../../support/until.js'

const { signal } = new AbortController()

async function openChannel(clock: Clock, name = 'c1') {
  const options = {
    capacity: 1_000,
    transactionCapacity: 1_000,
    keepAliveMs: 3_000,
    byteCapacity: undefined,
    byteCapacityBufferPercentage: 0,
  }
  const channel = new MemoryChannel(name, options, clock)
  await channel.start({ signal, fail: () => {}, counters: new ChannelCounters() })
  const put = async (...bodies: (string | number)[]) => {
    const batch = batchOf(...bodies)
    const size = { events: batch.size, bytes: batch.retainedBytes }
    await (await channel.reserve(size, { wait: false, signal })).put(batch)
  }
  return { channel, put }
}

describe('SinkRunner', () => {
  const runners: SinkRunner[] = []
  afterEach(async () => {
    for (const runner of runners.splice(0)) await runner.stop({ drainMs: 0, deadlineMs: 100 })
  })

  async function run(
    clock: Clock,
    parts: readonly { channel: Channel; sink: HandSink }[],
    more: { processor?: (sinks: { name: string }[]) => SinkProcessor; lines?: string[] } = {},
  ) {
    const { lines = [] } = more
    const logger = createLogger({ level: 'debug', write: (line) => lines.push(line), clock })
    const workers = new Map<string, SinkWorker>()
    for (const [index, { channel, sink }] of parts.entries()) {
      const name = `k${index + 1}`
      const counters = new SinkCounters()
      const worker = new SinkWorker({ name, sink, channel, counters, logger, clock })
      await worker.start({ signal, fail: () => {} })
      workers.set(name, worker)
    }
    const sinks = [...workers.keys()].map((name) => ({ name }))
    const first = { name: 'k1' }
    const processor = more.processor?.(sinks) ?? { process: (attempt) => attempt(first) }
    const runner = new SinkRunner({
      processor,
      workers,
      logger,
      clock,
      random: () => 0.999,
    })
    runners.push(runner)
    runner.start()
    return { runner, counters: [...workers.values()].map((worker) => worker.counters) }
  }

  const turn = () => new Promise(setImmediate)

  it('counts batches as empty, too small or complete, and events as tried and stored', async () => {
    const clock = new FakeClock()
    const { channel, put } = await openChannel(clock)
    const sink = new HandSink()
    sink.batchSize = 2
    const { counters } = await run(clock, [{ channel, sink }])
    await put(1, 2, 3)
    await turn()
    await clock.advance(3_001)
    const [{ batchCompleteCount, batchUnderflowCount, batchEmptyCount, ...rest } = assert.fail()] =
      counters
    assert.deepEqual([batchCompleteCount, batchUnderflowCount, batchEmptyCount], [1, 1, 1])
    assert.equal(rest.eventDrainAttemptCount, 3)
    assert.equal(rest.eventDrainSuccessCount, 3)
    assert.equal(rest.eventWriteFail, 0)
  })

  it('hands an event over at once, though the channel was empty for long', async () => {
    const clock = new FakeClock()
    const { channel, put } = await openChannel(clock)
    const sink = new HandSink()
    await run(clock, [{ channel, sink }])
    await clock.advance(60_000)
    await put('late')
    await turn()
    assert.deepEqual(sink.bodies, ['late'])
  })

  it('waits up to 1, 2, 4, 5, 5 s after failures in a row, and from 1 s after a success', async () => {
    const clock = new FakeClock()
    const { channel, put } = await openChannel(clock)
    const sink = new HandSink()
    const attempts: number[] = []
    let isDown = true
    sink.onWrite = async () => {
      attempts.push(clock.monotonic())
      if (isDown) throw new Error('down')
    }
    await run(clock, [{ channel, sink }])
    await put(1)
    for (let i = 0; i < 170; i += 1) await clock.advance(100)
    const waits = attempts.slice(1).map((at, i) => Math.round((at - attempts[i]!) / 100) / 10)
    assert.deepEqual(waits, [1, 2, 4, 5, 5])
    isDown = false
    await clock.advance(5_000)
    isDown = true
    await put(2)
    await clock.advance(10)
    const count = attempts.length
    await clock.advance(1_000)
    assert.equal(attempts.length, count + 1)
  })

  it('says that a sink fails, but not at every attempt', async () => {
    const clock = new FakeClock()
    const { channel, put } = await openChannel(clock)
    const sink = new HandSink()
    sink.onWrite = async () => {
      throw new Error('down')
    }
    const lines: string[] = []
    await run(clock, [{ channel, sink }], { lines })
    await put(1)
    for (let i = 0; i < 90; i += 1) await clock.advance(100)
    assert.equal(lines.filter((line) => line.includes('could not deliver')).length, 1)
    for (let i = 0; i < 90; i += 1) await clock.advance(100)
    assert.match(lines.at(-1) ?? '', /could not deliver.*\d+ more failures.*down/)
  })

  it('rests longer and longer when a channel answers at once that it has nothing', async () => {
    const clock = new FakeClock()
    const { channel } = await openChannel(clock)
    const sink = new HandSink()
    let takes = 0
    const impatient: Channel = Object.create(channel, {
      take: {
        value: async () => {
          takes += 1
        },
      },
      keepAliveMs: { value: 3_000 },
      size: { value: { events: 0, bytes: 0 } },
    })
    await run(clock, [{ channel: impatient, sink }])
    for (let i = 0; i < 160; i += 1) await clock.advance(100)
    assert.equal(takes, 6, 'at 0, 1, 3, 6, 10 and 15 s')
  })

  it('lets no empty channel of a group hold up a sink whose channel has events', async () => {
    const clock = new FakeClock()
    const [empty, busy] = [await openChannel(clock, 'c1'), await openChannel(clock, 'c2')]
    const sinks = [new HandSink(), new HandSink()] as const
    sinks[1].batchSize = 1
    const processor = (handles: { name: string }[]) =>
      loadBalanceProcessor.create({
        agent: 'a1',
        name: 'g1',
        options: { backoff: false, selector: 'ROUND_ROBIN', maxTimeOutMs: 30_000 },
        logger: silentLogger,
        clock,
        random: Math.random,
        sinks: handles,
      })
    await run(
      clock,
      [
        { channel: empty.channel, sink: sinks[0] },
        { channel: busy.channel, sink: sinks[1] },
      ],
      { processor },
    )
    await busy.put(...Array(20).keys())
    await clock.advance(200)
    assert.equal(sinks[1].bodies.length, 20)
  })

  it('waits between attempts at rejected events, and says so', async () => {
    const clock = new FakeClock()
    const { channel, put } = await openChannel(clock)
    const sink = new HandSink()
    let attempts = 0
    sink.onWrite = async () => {
      attempts += 1
      return { rejected: [{ index: 0, reason: 'too old' }] }
    }
    const lines: string[] = []
    const { counters } = await run(clock, [{ channel, sink }], { lines })
    await put('bad', 'good')
    await turn()
    await clock.advance(900)
    assert.equal(attempts, 1)
    assert.deepEqual(sink.bodies, ['good'])
    assert.equal(counters[0]?.eventDrainSuccessCount, 1)
    await clock.advance(200)
    assert.equal(attempts, 2)
    assert.match(lines.join(''), /ERROR.*1 events are rejected for good.*too old/)
    assert.equal(channel.size.events, 1)
  })

  it('keeps all events when a sink rejects an index that no event has', async () => {
    const clock = new FakeClock()
    const { channel, put } = await openChannel(clock)
    const sink = new HandSink()
    const attempts: number[] = []
    sink.onWrite = async ({ size }) => {
      attempts.push(size)
      return { rejected: [{ index: 7, reason: 'nonsense' }] }
    }
    await run(clock, [{ channel, sink }])
    await put(1, 2)
    await clock.advance(1_010)
    assert.deepEqual(attempts, [2, 2])
  })

  it('stops at once though it waits for an event or for its next attempt', async () => {
    const { channel, put } = await openChannel(systemClock)
    const sink = new HandSink()
    sink.onWrite = async () => {
      throw new Error('down')
    }
    const { runner, counters } = await run(systemClock, [{ channel, sink }])
    await put(1)
    await until(() => counters[0]?.eventWriteFail === 1, { what: 'the first failure' })
    const beganMs = performance.now()
    await runner.stop({ drainMs: 0, deadlineMs: 5_000 })
    assert.ok(performance.now() - beganMs < 400)
    assert.equal(channel.size.events, 1)
  })

  it('gives a write under way its time at a stop, and commits it', async () => {
    const { channel, put } = await openChannel(systemClock)
    const sink = new HandSink()
    let finish = () => {}
    sink.onWrite = () => new Promise((resolve) => (finish = () => resolve(undefined)))
    const { runner } = await run(systemClock, [{ channel, sink }])
    await put(1)
    await turn()
    const stopped = runner.stop({ drainMs: 0, deadlineMs: 5_000 })
    setTimeout(finish, 20)
    await stopped
    assert.deepEqual(sink.bodies, ['1'])
    assert.equal(channel.size.events, 0)
  })
})
