import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent } from '@millrace/agent-core'
import { fileChannel, type FileChannelOptions } from '@millrace/agent-core/internal/channels/file'
import { EventBatch } from '@millrace/event'
import { silentLogger } from '@millrace/runtime'
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
import { keptLogger } from '../../support/component-context.js'
import { fileOptions, TestedFileChannel } from '../../support/file-channel.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

const STOP = { deadlineMs: 2_000 }

describe('the file channel', () => {
  const opened: TestedFileChannel[] = []
  afterEach(async () => {
    for (const { channel } of opened.splice(0)) await channel.stop()
  })

  async function open(
    options: FileChannelOptions,
    surroundings: ConstructorParameters<typeof TestedFileChannel>[1] = {},
  ): Promise<TestedFileChannel> {
    const tested = new TestedFileChannel(options, surroundings)
    opened.push(tested)
    await tested.start()
    return tested
  }

  it('names the limit that a batch met', async () => {
    const tested = await open(fileOptions(temporaryDirectory(), { capacity: 3 }))
    await tested.put(batchOf('a', 'b'))
    await assert.rejects(tested.put(batchOf('c', 'd')), {
      code: 'MILLRACE_CHANNEL_FULL',
      message: /2 of capacity = 3 events are taken/,
    })
    const bytes = await open(fileOptions(temporaryDirectory(), { byteCapacity: 50_000 }))
    await bytes.put(EventBatch.of([{ body: Buffer.alloc(30_000) }]))
    await assert.rejects(bytes.put(EventBatch.of([{ body: Buffer.alloc(30_000) }])), {
      code: 'MILLRACE_CHANNEL_FULL',
      retryable: true,
      message: /of byteCapacity = 50000 bytes/,
    })
    await assert.rejects(bytes.put(EventBatch.of([{ body: Buffer.alloc(50_000) }])), {
      code: 'MILLRACE_CHANNEL_TRANSACTION_TOO_LARGE',
      retryable: false,
    })
    assert.equal((await bytes.drain()).length, 1)
    await bytes.put(EventBatch.of([{ body: Buffer.alloc(30_000) }]))
  })

  it('takes a batch that is longer than a segment, and the next', async () => {
    const tested = await open(fileOptions(temporaryDirectory()))
    await tested.put(EventBatch.of([{ body: 'x'.repeat(200_000) }]))
    await tested.put(batchOf('small'))
    assert.deepEqual(await tested.drain(), ['x'.repeat(200_000), 'small'])
    assert.deepEqual(tested.failures, [])
  })

  it('gives a backlog larger than its window in order, also after it was opened again', async () => {
    const options = fileOptions(temporaryDirectory(), { segmentSize: 1024 ** 2 })
    const tested = await open(options)
    const padding = '.'.repeat(10_000)
    for (let at = 0; at < 2_000; at += 50) {
      const bodies = Array.from({ length: 50 }, (_, i) => `${at + i}${padding}`)
      await tested.put(batchOf(...bodies))
    }
    const first = await tested.take(30)
    await first?.commit()
    await tested.channel.stop()
    const again = await open(options)
    assert.equal(again.channel.size.events, 1_970)
    const given = (await again.drain(33)).map((body) => body.slice(0, body.indexOf('.')))
    assert.deepEqual(
      given,
      Array.from({ length: 1_970 }, (_, i) => String(i + 30)),
    )
    assert.equal(again.channel.size.events, 0)
  })

  it('shows what its log does', async () => {
    const tested = await open(fileOptions(temporaryDirectory()))
    await Promise.all(Array.from({ length: 10 }, (_, i) => tested.put(batchOf(i))))
    const { metrics } = tested.channel
    assert.equal(metrics['BatchCount'], 10)
    assert.ok(Number(metrics['GroupCount']) < 10, 'puts share writes')
    assert.ok(Number(metrics['ChannelSizeBytes']) > 0)
    assert.equal(metrics['LostEventCount'], 0)
    assert.equal(metrics['MaxRepeatedEvents'], 100_000)
  })

  it('takes its limits live, and says that other options need another opening', async () => {
    const directory = temporaryDirectory()
    const options = fileOptions(directory, { capacity: 2 })
    const { channel } = await open(options)
    const live = {
      ...options,
      capacity: 5,
      transactionCapacity: 4,
      keepAliveMs: 9,
      byteCapacity: 1e9,
    }
    assert.ok(channel.canReconfigure(live))
    channel.reconfigure(live)
    assert.equal(channel.transactionCapacity, 4)
    assert.equal(channel.keepAliveMs, 9)
    const others: Partial<FileChannelOptions>[] = [
      { fsyncPerTransaction: false },
      { dataDirs: [join(directory, 'other')] },
      { minimumRequiredSpace: 2e6 },
      { retentionMs: 1_000 },
    ]
    for (const other of others) assert.ok(!channel.canReconfigure({ ...live, ...other }))
  })

  it('says at its start that events are acknowledged before the disk has them', async () => {
    const { logger, lines } = keptLogger()
    const options = fileOptions(temporaryDirectory(), { fsyncPerTransaction: false })
    const tested = await open(options, { logger })
    assert.match(lines.join(''), /WARN .*fsyncPerTransaction = false: .* the last 5 s/)
    await tested.put(batchOf('a'))
    await tested.channel.stop()
    assert.deepEqual(await (await open(options)).drain(), ['a'])
  })

  it('rejects the commit of a transaction that a stop has left behind, and gives its events again', async () => {
    const options = fileOptions(temporaryDirectory())
    const tested = await open(options)
    await tested.put(batchOf('a'))
    const transaction = await tested.take(1)
    await tested.channel.stop()
    await assert.rejects(async () => transaction?.commit(), { code: 'MILLRACE_CHANNEL_CLOSED' })
    await tested.start()
    assert.deepEqual(await tested.drain(), ['a'])
  })
})

describe('an agent with a file channel', () => {
  const agents: Agent[] = []
  afterEach(async () => {
    for (const agent of agents.splice(0)) await agent.stop(STOP)
  })

  const makeAgent = (options: Partial<ConstructorParameters<typeof Agent>[0]> = {}) => {
    const agent = new Agent({ logger: silentLogger, random: () => 0, ...options })
    agents.push(agent)
    return agent
  }
  const fileNode = (directory: string, given: Partial<FileChannelOptions> = {}, name = 'c1') =>
    component(name, fileChannel, fileOptions(directory, given))

  it('keeps events over a stop, and does not wait for its sink to take them', async () => {
    const channels = [fileNode(temporaryDirectory())]
    const source = new HandSource()
    const down = new HandSink()
    down.onWrite = async () => Promise.reject(new Error('down'))
    const agent = makeAgent()
    await agent.start(oneWay(source, down, { channels }))
    await source.deliver(batchOf('a', 'b'))
    assert.deepEqual(await agent.stop(STOP), { undelivered: {} })
    const sink = new HandSink()
    await makeAgent().start(oneWay(new HandSource(), sink, { channels }))
    await until(() => sink.bodies.length === 2, { what: 'the events' })
    assert.equal(sink.context?.isChannelDurable, true)
  })

  it('shows the figures of the log among its metrics', async () => {
    const source = new HandSource()
    const agent = makeAgent()
    const channels = [fileNode(temporaryDirectory())]
    await agent.start(oneWay(source, new HandSink(), { channels }))
    await source.deliver(batchOf('a'))
    const shown = agent.metrics()['CHANNEL.c1']
    assert.equal(shown?.['BatchCount'], '1')
    assert.equal(shown?.['EventPutSuccessCount'], '1')
    assert.equal(shown?.['ChannelCapacity'], '1000000')
  })

  it('leaves the channel open over a reload of its limits, and opens it anew for the rest', async () => {
    const directory = temporaryDirectory()
    const { logger, lines } = keptLogger()
    const openings = () => lines.filter((line) => line.includes('open in')).length
    const agent = makeAgent({ logger })
    const [source, down] = [new HandSource(), new HandSink()]
    down.onWrite = async () => Promise.reject(new Error('down'))
    await agent.start(oneWay(source, down, { channels: [fileNode(directory)] }))
    await source.deliver(batchOf('kept'))
    const limits = { capacity: 7 }
    await agent.reload(oneWay(source, down, { channels: [fileNode(directory, limits)] }))
    assert.equal(openings(), 1)
    assert.equal(agent.metrics()['CHANNEL.c1']?.['ChannelCapacity'], '7')
    const sink = new HandSink()
    const other = fileNode(directory, { ...limits, fsyncPerTransaction: false })
    await agent.reload(oneWay(source, sink, { channels: [other] }))
    assert.equal(openings(), 2)
    await until(() => sink.bodies.length === 1, { what: 'the event of before' })
  })

  it('does not start on a file channel of Apache Flume, at once, and touches nothing', async () => {
    const directory = temporaryDirectory()
    const data = join(directory, 'data')
    mkdirSync(data)
    writeFileSync(join(data, 'log-7'), 'of Flume')
    const agent = makeAgent({ startTimeoutMs: 60_000 })
    const start = agent.start(
      oneWay(new HandSource(), new HandSink(), { channels: [fileNode(directory)] }),
    )
    await assert.rejects(start, {
      code: 'MILLRACE_LIFECYCLE_START_FAILED',
      message: /channel c1 .*data holds a file channel of Apache Flume \(log-7\).*[Dd]rain/,
    })
    assert.deepEqual(readdirSync(directory, { recursive: true }).toSorted(), ['data', 'data/log-7'])
  })

  it('serves its other channels while one that came with a reload cannot open', async () => {
    const directory = temporaryDirectory()
    mkdirSync(join(directory, 'data'))
    writeFileSync(join(directory, 'data', 'log-1'), '')
    const agent = makeAgent({ startTimeoutMs: 300 })
    await agent.start(oneWay(new HandSource(), new HandSink()))
    const [good, bad, sink] = [new HandSource(), new HandSource(), new HandSink()]
    await agent.reload({
      ...oneWay(good, sink),
      sources: [sourceNode(good), { ...sourceNode(bad, { channels: ['c2'] }), name: 'r2' }],
      channels: [channelNode(), fileNode(directory, {}, 'c2')],
      sinks: [sinkNode(sink), { ...sinkNode(new HandSink(), { channel: 'c2' }), name: 'k2' }],
    })
    await assert.rejects(bad.deliver(batchOf('x')), { code: 'MILLRACE_CHANNEL_CLOSED' })
    await good.deliver(batchOf('y'))
    await until(() => sink.bodies.length === 1, { what: 'the event of the good channel' })
    assert.equal(agent.health().components['channel c2'], 'failed')
  })

  it('says who has the channel when it is in use', async () => {
    const channels = [fileNode(temporaryDirectory())]
    await makeAgent().start(oneWay(new HandSource(), new HandSink(), { channels }))
    const second = makeAgent({ startTimeoutMs: 100 })
    await assert.rejects(second.start(oneWay(new HandSource(), new HandSink(), { channels })), {
      message: new RegExp(`is in use by process ${process.pid}`),
    })
  })
})
