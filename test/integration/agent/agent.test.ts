import assert from 'node:assert/strict'
import { Agent, type AgentOptions } from '@millrace/agent-core'
import { MillraceError, silentLogger } from '@millrace/runtime'
import {
  batchOf,
  channelNode,
  HandSink,
  HandSource,
  oneWay,
  sinkNode,
  sourceNode,
} from '../../support/agent.js'
import { until } from '../../support/until.js'

describe('Agent', () => {
  const agents: Agent[] = []
  const makeAgent = (options: Partial<AgentOptions> = {}) => {
    const agent = new Agent({ logger: silentLogger, ...options })
    agents.push(agent)
    return agent
  }
  afterEach(async () => {
    for (const agent of agents.splice(0)) await agent.stop({ deadlineMs: 300 })
  })
  const hasCode = (code: string) => (error: unknown) =>
    MillraceError.is(error) && error.code === code

  describe('start', () => {
    it('brings events from the source to the sink in order', async () => {
      const source = new HandSource()
      const sink = new HandSink()
      const agent = makeAgent()
      await agent.start(oneWay(source, sink))
      for (let i = 0; i < 50; i += 2) await source.deliver(batchOf(i, i + 1))
      await until(() => sink.bodies.length === 50, { what: '50 events' })
      assert.deepEqual(
        sink.bodies,
        Array.from({ length: 50 }, (_, i) => String(i)),
      )
    })

    it('starts sinks before sources and stops sources before sinks', async () => {
      const order: string[] = []
      const source = new HandSource()
      const sink = new HandSink()
      sink.onStart = async () => void order.push('sink starts')
      source.onStart = async () => void order.push('source starts')
      source.stop = async () => void order.push('source stops')
      sink.stop = async () => void order.push('sink stops')
      const agent = makeAgent()
      await agent.start(oneWay(source, sink))
      await agent.stop({ deadlineMs: 1_000 })
      assert.deepEqual(order, ['sink starts', 'source starts', 'source stops', 'sink stops'])
    })

    it('refuses a sink whose batchSize is no number of events', async () => {
      for (const batchSize of [0, 1.5, undefined]) {
        const sink = Object.assign(new HandSink(), { batchSize })
        await assert.rejects(makeAgent().start(oneWay(new HandSource(), sink)), {
          code: 'MILLRACE_CONFIG_INVALID',
          message: /batchSize must be a whole number/,
        })
      }
    })

    it('tries a failing component again until it starts', async () => {
      const source = new HandSource()
      source.onStart = async () => {
        if (source.starts < 3) throw new Error('port in use')
      }
      const agent = makeAgent({ random: () => 0 })
      await agent.start(oneWay(source, new HandSink()))
      assert.equal(source.starts, 3)
      assert.equal(agent.health().status, 'ok')
    })

    it('gives up at startTimeoutMs with the cause, and stops what had started', async () => {
      const source = new HandSource()
      const sink = new HandSink()
      source.onStart = async () => {
        throw new Error('port in use')
      }
      const agent = makeAgent({ startTimeoutMs: 20, random: () => 0 })
      await assert.rejects(agent.start(oneWay(source, sink)), (error: unknown) => {
        assert.ok(hasCode('MILLRACE_LIFECYCLE_START_FAILED')(error))
        assert.match((error as Error).message, /source r1 could not start: port in use/)
        return true
      })
      assert.ok(sink.stops >= 1)
      assert.notEqual(agent.health().status, 'ok')
    })

    it('gives up at startTimeoutMs when a start never ends', async () => {
      const source = new HandSource()
      source.onStart = () => new Promise(() => {})
      const agent = makeAgent({ startTimeoutMs: 20 })
      await assert.rejects(
        agent.start(oneWay(source, new HandSink())),
        hasCode('MILLRACE_LIFECYCLE_START_FAILED'),
      )
    })

    it('is refused while the agent runs', async () => {
      const agent = makeAgent()
      await agent.start(oneWay(new HandSource(), new HandSink()))
      await assert.rejects(
        agent.start(oneWay(new HandSource(), new HandSink())),
        hasCode('MILLRACE_LIFECYCLE_STATE'),
      )
    })

    it('works again after a stop', async () => {
      const source = new HandSource()
      const sink = new HandSink()
      const agent = makeAgent()
      await agent.start(oneWay(source, sink))
      await agent.stop({ deadlineMs: 500 })
      await agent.start(oneWay(source, sink))
      await source.deliver(batchOf('again'))
      await until(() => sink.bodies.length === 1, { what: 'one event' })
    })
  })

  describe('stop', () => {
    it('drains what memory channels hold', async () => {
      const source = new HandSource()
      const sink = new HandSink()
      sink.batchSize = 1
      sink.onWrite = () => new Promise((resolve) => setImmediate(resolve))
      const agent = makeAgent()
      await agent.start(oneWay(source, sink))
      await source.deliver(batchOf(...Array(100).keys()))
      const report = await agent.stop({ deadlineMs: 5_000 })
      assert.equal(sink.bodies.length, 100)
      assert.deepEqual(report, { undelivered: {} })
    })

    it('reports what a memory channel still holds when a sink fails until the deadline', async () => {
      const source = new HandSource()
      const sink = new HandSink()
      sink.onWrite = async () => {
        throw new Error('down')
      }
      const agent = makeAgent()
      await agent.start(oneWay(source, sink))
      await source.deliver(batchOf(1, 2, 3))
      const beganMs = performance.now()
      const report = await agent.stop({ deadlineMs: 200 })
      assert.deepEqual(report, { undelivered: { c1: 3 } })
      assert.ok(performance.now() - beganMs < 600)
    })

    it('gives up a write that hangs, within the deadline', async () => {
      const source = new HandSource()
      const sink = new HandSink()
      let isAborted = false
      sink.onWrite = (_batch, signal) => {
        signal.addEventListener('abort', () => {
          isAborted = true
        })
        return new Promise(() => {})
      }
      const agent = makeAgent()
      await agent.start(oneWay(source, sink))
      await source.deliver(batchOf(1))
      const beganMs = performance.now()
      const report = await agent.stop({ deadlineMs: 200 })
      assert.deepEqual(report, { undelivered: { c1: 1 } })
      assert.ok(isAborted)
      assert.ok(performance.now() - beganMs < 700)
    })

    it('ends at once when the channels are empty, though the sink waits for events', async () => {
      const agent = makeAgent()
      await agent.start(oneWay(new HandSource(), new HandSink()))
      const beganMs = performance.now()
      await agent.stop({ deadlineMs: 10_000 })
      assert.ok(performance.now() - beganMs < 500)
    })

    it('is the same when called twice, and does nothing before a start', async () => {
      const agent = makeAgent()
      assert.deepEqual(await agent.stop({ deadlineMs: 100 }), { undelivered: {} })
      await agent.start(oneWay(new HandSource(), new HandSink()))
      const [first, second] = await Promise.all([
        agent.stop({ deadlineMs: 500 }),
        agent.stop({ deadlineMs: 500 }),
      ])
      assert.deepEqual(first, second)
      assert.deepEqual(await agent.stop({ deadlineMs: 100 }), { undelivered: {} })
    })

    it('ends a start that is under way', async () => {
      const source = new HandSource()
      source.onStart = () => new Promise(() => {})
      const agent = makeAgent()
      const starting = agent.start(oneWay(source, new HandSink()))
      await until(() => source.starts === 1, { what: 'the source to be started' })
      const rejected = assert.rejects(starting, hasCode('MILLRACE_LIFECYCLE_START_FAILED'))
      await agent.stop({ deadlineMs: 300 })
      await rejected
      assert.ok(source.stops >= 1)
    })

    it('does not wait for a component that does not stop', async () => {
      const source = new HandSource()
      source.stop = () => new Promise(() => {})
      const agent = makeAgent()
      await agent.start(oneWay(source, new HandSink()))
      const beganMs = performance.now()
      await agent.stop({ deadlineMs: 150 })
      assert.ok(performance.now() - beganMs < 500)
    })
  })

  describe('supervision', () => {
    it('restarts a source that fails, and its events flow again', async () => {
      const source = new HandSource()
      const sink = new HandSink()
      const agent = makeAgent({ random: () => 0 })
      await agent.start(oneWay(source, sink))
      source.context?.fail(new Error('socket died'))
      assert.equal(agent.health().status, 'degraded')
      await until(() => source.starts === 2 && agent.health().status === 'ok', {
        what: 'a restart',
      })
      await source.deliver(batchOf('after'))
      await until(() => sink.bodies.includes('after'), { what: 'the event' })
    })

    it('restarts a component again and again, also when its start fails meanwhile', async () => {
      const sink = new HandSink()
      const agent = makeAgent({ random: () => 0 })
      await agent.start(oneWay(new HandSource(), sink))
      sink.onStart = async () => {
        if (sink.starts < 5) throw new Error('still down')
      }
      sink.context?.fail(new Error('down'))
      await until(() => agent.health().status === 'ok', { what: 'a restart' })
      assert.equal(sink.starts, 5)
    })

    it('keeps the events of a sink that is restarted while it writes', async () => {
      const source = new HandSource()
      const sink = new HandSink()
      sink.onWrite = () => new Promise(() => {})
      const agent = makeAgent({ random: () => 0 })
      await agent.start(oneWay(source, sink))
      await source.deliver(batchOf(1, 2))
      await until(() => (agent.metrics()['SINK.k1']?.['EventDrainAttemptCount'] ?? '') === '2', {
        what: 'the write',
      })
      sink.onWrite = async () => {}
      sink.context?.fail(new Error('broken'))
      await until(() => sink.bodies.length === 2, { what: 'the events' })
      assert.deepEqual(sink.bodies, ['1', '2'])
    })

    it('hears a failure that is told twice, or too late, only once', async () => {
      const source = new HandSource()
      const agent = makeAgent({ random: () => 0 })
      await agent.start(oneWay(source, new HandSink()))
      const { context } = source
      context?.fail(new Error('one'))
      context?.fail(new Error('two'))
      await until(() => agent.health().status === 'ok' && source.starts === 2, {
        what: 'a restart',
      })
      context?.fail(new Error('of an earlier run'))
      assert.equal(agent.health().status, 'ok')
    })
  })

  describe('sinks', () => {
    it('retries a failing sink until it works, losing and doubling nothing', async () => {
      const source = new HandSource()
      const sink = new HandSink()
      let failures = 0
      sink.onWrite = async () => {
        failures += 1
        if (failures <= 3) throw new Error('not yet')
      }
      const agent = makeAgent({ random: () => 0 })
      await agent.start(oneWay(source, sink))
      await source.deliver(batchOf(1, 2))
      await until(() => sink.bodies.length === 2, { what: 'the events' })
      assert.deepEqual(sink.bodies, ['1', '2'])
      assert.equal(agent.metrics()['SINK.k1']?.['EventWriteFail'], '3')
    })

    it('keeps rejected events, commits the others and tries again', async () => {
      const source = new HandSource()
      const sink = new HandSink()
      let attempts = 0
      sink.onWrite = async (batch) => {
        attempts += 1
        if (attempts > 2) return undefined
        const index = attempts === 1 ? 1 : 0
        assert.equal(batch.bodyAt(index).toString(), 'bad')
        return { rejected: [{ index, reason: 'no such field' }] }
      }
      const agent = makeAgent({ random: () => 0 })
      await agent.start(oneWay(source, sink))
      await source.deliver(batchOf('a', 'bad', 'b'))
      await until(() => sink.bodies.length === 3, { what: 'all three' })
      assert.deepEqual(sink.bodies, ['a', 'b', 'bad'])
    })

    it('shares one channel between two sinks, each event going to one of them', async () => {
      const source = new HandSource()
      const sinks = [new HandSink(), new HandSink()] as const
      for (const sink of sinks) {
        sink.batchSize = 1
        sink.onWrite = () => new Promise((resolve) => setImmediate(resolve))
      }
      const agent = makeAgent()
      await agent.start(
        oneWay(source, sinks[0], {
          sinks: [sinkNode(sinks[0]), sinkNode(sinks[1], { name: 'k2' })],
        }),
      )
      await source.deliver(batchOf(...Array(40).keys()))
      const all = () => [...sinks[0].bodies, ...sinks[1].bodies]
      await until(() => all().length === 40, { what: 'all events' })
      assert.equal(new Set(all()).size, 40)
      assert.ok(sinks[0].bodies.length > 0 && sinks[1].bodies.length > 0)
    })

    it('do not starve the event loop when source and sink never wait', async () => {
      const sink = new HandSink()
      let made = 0
      const source = {
        deliver: undefined as HandSource['deliver'] | undefined,
        async start(context: { deliver: HandSource['deliver'] }) {
          this.deliver = context.deliver
        },
        async process(): Promise<'ready'> {
          await this.deliver?.(batchOf(made++))
          return 'ready'
        },
      }
      const agent = makeAgent()
      await agent.start(oneWay(source, sink))
      for (let i = 0; i < 5; i += 1) {
        const beganMs = performance.now()
        await new Promise((resolve) => setTimeout(resolve, 1))
        assert.ok(performance.now() - beganMs < 200)
      }
      await until(() => sink.bodies.length > 1_000, { what: 'many events' })
    })
  })

  describe('fan-out', () => {
    it('stores in no channel when a required one is full', async () => {
      const source = new HandSource()
      const sink = new HandSink()
      const agent = makeAgent()
      await agent.start(
        oneWay(source, sink, {
          sources: [sourceNode(source, { channels: ['c1', 'c2'] })],
          channels: [
            channelNode({ keepAliveMs: 0 }),
            channelNode({ capacity: 1, transactionCapacity: 1, keepAliveMs: 0 }, 'c2'),
          ],
        }),
      )
      await source.deliver(batchOf('fits'))
      await assert.rejects(source.deliver(batchOf('refused')), hasCode('MILLRACE_CHANNEL_FULL'))
      await until(() => sink.bodies.length > 0, { what: 'the first event' })
      await agent.stop({ deadlineMs: 300 })
      assert.deepEqual(sink.bodies, ['fits'])
    })
  })
})
