import assert from 'node:assert/strict'
import { Agent } from '@millrace/agent-core'
import { staticInterceptor } from '@millrace/agent-core/internal/interceptors/static'
import { failoverProcessor } from '@millrace/agent-core/internal/processors/failover'
import { MillraceError, silentLogger } from '@millrace/runtime'
import {
  batchOf,
  channelNode,
  component,
  HandSink,
  HandSource,
  oneWay,
  sinkNode,
  sourceNode,
} from '../../support/agent.js'
import { until } from '../../support/until.js'

describe('Agent.reload', () => {
  const agents: Agent[] = []
  afterEach(async () => {
    for (const agent of agents.splice(0)) await agent.stop({ deadlineMs: 300 })
  })
  async function start(source: HandSource, sink: HandSink, options: Record<string, unknown> = {}) {
    const agent = new Agent({ logger: silentLogger, random: () => 0, ...options })
    agents.push(agent)
    await agent.start(oneWay(source, sink))
    return agent
  }
  const failing = (sink: HandSink) => {
    sink.onWrite = async () => {
      throw new Error('down')
    }
    return sink
  }

  it('keeps the events of a channel whose name and type stay, whatever else restarts', async () => {
    const [oldSource, oldSink] = [new HandSource(), failing(new HandSink())]
    const [source, sink] = [new HandSource(), new HandSink()]
    const agent = await start(oldSource, oldSink)
    await oldSource.deliver(batchOf('kept'))
    await agent.reload(oneWay(source, sink, { channels: [channelNode({ capacity: 500 })] }))
    assert.deepEqual([oldSource.stops, oldSink.stops].map(Boolean), [true, true])
    await source.deliver(batchOf('new'))
    await until(() => sink.bodies.length === 2, { what: 'both events' })
    assert.deepEqual(sink.bodies, ['kept', 'new'])
    assert.equal(agent.metrics()['CHANNEL.c1']?.['ChannelCapacity'], '500')
  })

  it('drains a memory channel that is to go before it goes', async () => {
    const [oldSource, oldSink] = [new HandSource(), new HandSink()]
    oldSink.batchSize = 1
    oldSink.onWrite = () => new Promise((resolve) => setImmediate(resolve))
    const [source, sink] = [new HandSource(), new HandSink()]
    const agent = await start(oldSource, oldSink)
    await oldSource.deliver(batchOf(...Array(50).keys()))
    await agent.reload(
      oneWay(source, sink, {
        sources: [sourceNode(source, { channels: ['c2'] })],
        channels: [channelNode({}, 'c2')],
        sinks: [sinkNode(sink, { channel: 'c2' })],
      }),
    )
    assert.equal(oldSink.bodies.length, 50)
    await source.deliver(batchOf('new'))
    await until(() => sink.bodies.length === 1, { what: 'the new event' })
    assert.deepEqual(Object.keys(agent.metrics()).sort(), ['CHANNEL.c2', 'SINK.k1', 'SOURCE.r1'])
  })

  it('goes on with the old configuration when a channel that is to go cannot be drained', async () => {
    const [oldSource, oldSink] = [new HandSource(), failing(new HandSink())]
    const agent = await start(oldSource, oldSink, { replaceTimeoutMs: 50 })
    await oldSource.deliver(batchOf('stuck'))
    const refused = agent.reload(
      oneWay(new HandSource(), new HandSink(), {
        sources: [],
        channels: [channelNode({}, 'c2')],
        sinks: [],
      }),
    )
    await assert.rejects(refused, (error: unknown) => {
      assert.ok(MillraceError.is(error) && error.code === 'MILLRACE_LIFECYCLE_STATE')
      assert.match(error.message, /channel c1 still holds 1 events/)
      return true
    })
    assert.equal(agent.health().status, 'ok')
    oldSink.onWrite = async () => {}
    await oldSource.deliver(batchOf('more'))
    await until(() => oldSink.bodies.length === 2, { what: 'both events' })
  })

  it('changes nothing when a component of the new configuration cannot be made', async () => {
    const [source, sink] = [new HandSource(), new HandSink()]
    const agent = await start(source, sink)
    const wrong = oneWay(new HandSource(), new HandSink(), {
      sinks: [sinkNode(new HandSink(), { channel: 'c9' })],
    })
    await assert.rejects(agent.reload(wrong), /no channel c9/)
    assert.equal(source.stops, 0)
    await source.deliver(batchOf('on'))
    await until(() => sink.bodies.length === 1, { what: 'the event' })
  })

  it('keeps starting what does not start, and stays alive', async () => {
    const [source, sink] = [new HandSource(), new HandSink()]
    source.onStart = async () => {
      if (source.starts < 4) throw new Error('port in use')
    }
    const agent = await start(new HandSource(), new HandSink())
    await agent.reload(oneWay(source, sink))
    await until(() => agent.health().status === 'ok', { what: 'the source to run' })
    assert.equal(source.starts, 4)
    await source.deliver(batchOf('x'))
    await until(() => sink.bodies.length === 1, { what: 'the event' })
  })

  it('does one reload after the other', async () => {
    const agent = await start(new HandSource(), new HandSink())
    const sources = [new HandSource(), new HandSource()] as const
    const sink = new HandSink()
    await Promise.all(sources.map((source) => agent.reload(oneWay(source, sink))))
    assert.ok(sources[0].stops > 0)
    await sources[1].deliver(batchOf('x'))
    await until(() => sink.bodies.length === 1, { what: 'the event' })
  })

  it('is ended by a stop, which leaves nothing running', async () => {
    const [source, sink] = [new HandSource(), new HandSink()]
    source.onStart = () => new Promise(() => {})
    const agent = await start(new HandSource(), new HandSink())
    const reloading = agent.reload(oneWay(source, sink)).catch(() => {})
    await until(() => source.starts === 1, { what: 'the new source to be started' })
    await agent.stop({ deadlineMs: 300 })
    await reloading
    assert.ok(source.stops > 0 && sink.stops > 0)
    assert.equal(agent.health().status, 'stopped')
  })

  it('gives the events of a write that hangs to the new sink', async () => {
    const [oldSource, oldSink] = [new HandSource(), new HandSink()]
    oldSink.onWrite = () => new Promise(() => {})
    const agent = await start(oldSource, oldSink, { replaceTimeoutMs: 100 })
    await oldSource.deliver(batchOf('hung'))
    const sink = new HandSink()
    await agent.reload(oneWay(new HandSource(), sink))
    await until(() => sink.bodies.length === 1, { what: 'the event' })
    assert.deepEqual(sink.bodies, ['hung'])
  })

  it('leaves alone what has not changed, with its counters', async () => {
    const [source, sink] = [new HandSource(), new HandSink()]
    const running = oneWay(source, sink)
    const agent = new Agent({ logger: silentLogger })
    agents.push(agent)
    await agent.start(running)
    await source.deliver(batchOf('one'))
    const other = new HandSource()
    const report = await agent.reload({
      ...running,
      sources: [...running.sources, { ...sourceNode(other), name: 'r2' }],
    })
    assert.deepEqual(report, {
      kept: ['channel c1', 'sink k1', 'source r1'],
      rerouted: [],
      restarted: [],
      started: ['source r2'],
      stopped: [],
    })
    assert.deepEqual([source.starts, source.stops, sink.starts, sink.stops], [1, 0, 1, 0])
    await Promise.all([source.deliver(batchOf('two')), other.deliver(batchOf('three'))])
    await until(() => sink.bodies.length === 3, { what: 'all events' })
    assert.equal(agent.metrics()['CHANNEL.c1']?.['EventPutSuccessCount'], '3')
    assert.deepEqual((await agent.reload(running)).stopped, ['source r2'])
    assert.deepEqual([other.stops > 0, source.stops], [true, 0])
  })

  it('sends the events of a source that goes on another way, in their order', async () => {
    const [source, sink] = [new HandSource(), new HandSink()]
    const running = oneWay(source, sink)
    const agent = new Agent({ logger: silentLogger })
    agents.push(agent)
    await agent.start(running)
    const delivered: Promise<void>[] = []
    const deliver = (number: number) => delivered.push(source.deliver(batchOf(number)))
    deliver(0)
    const tagged = running.sources.map((each) => ({
      ...each,
      interceptors: [component('i1', staticInterceptor, { key: 'tag', value: 'yes' })],
      channels: ['c1', 'c2'],
    }))
    const second = new HandSink()
    const reloading = agent.reload({
      ...running,
      sources: tagged,
      channels: [...running.channels, channelNode({}, 'c2')],
      sinks: [...running.sinks, { ...sinkNode(second, { channel: 'c2' }), name: 'k2' }],
    })
    for (let number = 1; number < 20; number += 1) {
      deliver(number)
      await Promise.resolve()
    }
    assert.deepEqual((await reloading).rerouted, ['source r1'])
    await Promise.all(delivered)
    await until(() => sink.bodies.length === 20, { what: 'all events' })
    assert.deepEqual(sink.bodies, Array.from(Array(20).keys(), String))
    await until(() => second.bodies.length > 0, { what: 'events in the second channel' })
    assert.deepEqual([source.stops, sink.stops], [0, 0])
  })

  it('gives up a batch that waits for the reload when its source does', async () => {
    const [source, sink] = [new HandSource(), failing(new HandSink())]
    const running = oneWay(source, sink)
    const agent = new Agent({ logger: silentLogger, replaceTimeoutMs: 5_000 })
    agents.push(agent)
    await agent.start(running)
    await source.deliver(batchOf('stuck'))
    const reloading = agent.reload({
      ...running,
      sources: running.sources.map((each) => ({ ...each, channels: ['c2'] })),
      channels: [channelNode({}, 'c2')],
      sinks: [{ ...sinkNode(new HandSink(), { channel: 'c2' }), name: 'k2' }],
    })
    await new Promise((resolve) => setImmediate(resolve))
    const giveUp = new AbortController()
    const waiting = source.deliver(batchOf('given up'), giveUp.signal)
    giveUp.abort()
    await assert.rejects(waiting, { name: 'AbortError' })
    sink.onWrite = async () => {}
    await reloading
    assert.deepEqual(sink.bodies, ['stuck'])
  })

  it('keeps a sink whose group changes, also one whose write had to be given up', async () => {
    const [source, sink, other] = [new HandSource(), new HandSink(), new HandSink()]
    sink.onWrite = () => new Promise(() => {})
    const running = oneWay(source, sink)
    const agent = new Agent({ logger: silentLogger, random: () => 0, replaceTimeoutMs: 100 })
    agents.push(agent)
    await agent.start(running)
    await source.deliver(batchOf('hung'))
    const report = await agent.reload({
      ...running,
      sinks: [...running.sinks, { ...sinkNode(other), name: 'k2' }],
      sinkGroups: [
        {
          name: 'g1',
          sinks: ['k1', 'k2'],
          processor: component('g1', failoverProcessor, { priorities: { k1: 10, k2: 1 } }),
        },
      ],
    })
    assert.deepEqual(report.kept, ['channel c1', 'sink k1', 'source r1'])
    sink.onWrite = async (_batch, signal) => assert.equal(signal.aborted, false)
    await source.deliver(batchOf('next'))
    await until(() => sink.bodies.length + other.bodies.length >= 2, { what: 'both events' })
    assert.equal(sink.stops, 0)
  })

  it('is refused before the start and after the stop', async () => {
    const agent = new Agent({ logger: silentLogger })
    const configuration = oneWay(new HandSource(), new HandSink())
    const isRefused = (error: unknown) =>
      MillraceError.is(error) && error.code === 'MILLRACE_LIFECYCLE_STATE'
    await assert.rejects(agent.reload(configuration), isRefused)
    await agent.start(configuration)
    await agent.stop({ deadlineMs: 300 })
    await assert.rejects(agent.reload(configuration), isRefused)
  })
})
