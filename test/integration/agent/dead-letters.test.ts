import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  Agent,
  type AgentConfiguration,
  builtinComponents,
  loadConfiguration,
} from '@millrace/agent-core'
import type { ComponentDefinition } from '@millrace/component'
import type { Event } from '@millrace/event'
import { createLogger } from '@millrace/runtime'
import { batchOf, bodiesOf, HandSink, HandSource, sinkOf, sourceOf } from '../../support/agent.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

/** r1 → c1 → k1, which rejects; dead letters go to the channel `dead`, which k2 drains if it is there. */
const LINES = [
  'a1.sources = r1',
  'a1.channels = c1 dead',
  'a1.sources.r1.type = hand_in',
  'a1.sources.r1.channels = c1',
  'a1.channels.c1.type = memory',
  'a1.channels.dead.type = memory',
  'a1.sinks.k1.type = hand_out',
  'a1.sinks.k1.channel = c1',
]
const DRAINED = [
  'a1.sinks = k1 k2',
  'a1.sinks.k2.type = hand_out_2',
  'a1.sinks.k2.channel = dead',
  'a1.deadLetterChannel = dead',
]

describe('dead letters', () => {
  const stops: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
  })

  async function run(lines: readonly string[]) {
    const source = new HandSource()
    const sink = new HandSink()
    const drain = new HandSink()
    const letters: Event[] = []
    drain.onWrite = async (batch) => void letters.push(...batch.events())
    sink.onWrite = async (batch) => ({
      rejected: bodiesOf(batch)
        .map((body, index) => ({ index, reason: `no ${body}` }))
        .filter(({ reason }) => reason.startsWith('no bad')),
    })
    const made = { hand_in: sourceOf(source), hand_out: sinkOf(sink), hand_out_2: sinkOf(drain) }
    const log: string[] = []
    const logger = createLogger({ level: 'info', write: (line) => log.push(line) })
    const agent = new Agent({ logger, random: () => 0 })
    stops.push(() => agent.stop({ deadlineMs: 300 }))
    await agent.start(await configurationOf([...LINES, ...lines], made))
    return { agent, source, sink, letters, log }
  }

  it('carry why, where and when they were rejected; the others of their batch are delivered', async () => {
    const { agent, source, sink, letters, log } = await run(DRAINED)
    const beganMs = Date.now()
    await source.deliver(batchOf('a', 'bad 1', 'b', 'bad 2'))
    await until(() => letters.length === 2, { what: 'two dead letters' })
    assert.deepEqual(sink.bodies, ['a', 'b'])
    assert.deepEqual(
      letters.map(({ body }) => body.toString()),
      ['bad 1', 'bad 2'],
    )
    for (const [i, { headers }] of letters.entries()) {
      const { 'millrace.rejected.at': at, ...others } = headers
      assert.deepEqual(others, {
        'millrace.rejected.reason': `no bad ${i + 1}`,
        'millrace.rejected.sink': 'k1',
      })
      assert.ok(Number(at) >= beganMs && Number(at) <= Date.now())
    }
    const metrics = agent.metrics()
    assert.equal(metrics['SINK.k1']?.['EventDeadLetterCount'], '2')
    assert.equal(metrics['SINK.k1']?.['EventDrainSuccessCount'], '2')
    assert.equal(metrics['SINK.k1']?.['EventWriteFail'], '0')
    assert.equal(metrics['CHANNEL.c1']?.['ChannelSize'], '0')
    assert.ok(!('EventDeadLetterCount' in (metrics['SINK.k2'] ?? {})))
    const line =
      /2 events are rejected for good \(no bad 1\) and are in the dead-letter channel dead/
    assert.ok(log.some((each) => line.test(each)))
  })

  it('of a sink that names a channel itself go there, whatever the agent says', async () => {
    const { agent, source } = await run([
      ...DRAINED,
      'a1.channels = c1 dead own',
      'a1.channels.own.type = memory',
      'a1.sinks.k1.deadLetterChannel = own',
    ])
    await source.deliver(batchOf('bad'))
    const size = (name: string) => agent.metrics()[`CHANNEL.${name}`]?.['ChannelSize']
    await until(() => size('own') === '1', { what: 'the dead letter' })
    await until(() => size('c1') === '0', { what: 'the commit' })
    assert.equal(agent.metrics()['CHANNEL.dead']?.['EventPutSuccessCount'], '0')
  })

  it('are put in parts into a channel with a small transactionCapacity', async () => {
    const { source, letters, agent } = await run([
      ...DRAINED,
      'a1.channels.dead.transactionCapacity = 2',
    ])
    await source.deliver(batchOf('bad 1', 'bad 2', 'bad 3', 'bad 4', 'bad 5'))
    await until(() => letters.length === 5, { what: 'five dead letters' })
    assert.deepEqual(
      letters.map(({ body }) => body.toString()),
      ['bad 1', 'bad 2', 'bad 3', 'bad 4', 'bad 5'],
    )
    assert.equal(agent.metrics()['SINK.k1']?.['EventDeadLetterCount'], '5')
  })

  it('that find no room wait at the head of the channel, and nothing is lost or written twice', async () => {
    const { agent, source, sink, log } = await run([
      'a1.sinks = k1',
      'a1.sinks.k1.deadLetterChannel = dead',
      'a1.channels.dead.capacity = 2',
      'a1.channels.dead.transactionCapacity = 2',
      'a1.channels.dead.keep-alive = 0',
    ])
    await source.deliver(batchOf('a', 'bad 1', 'bad 2', 'bad 3', 'b'))
    const size = (name: string) => agent.metrics()[`CHANNEL.${name}`]?.['ChannelSize']
    await until(() => size('dead') === '2' && size('c1') === '1', { what: 'a full channel' })
    await source.deliver(batchOf('c'))
    await until(() => sink.bodies.includes('c'), { what: 'the event behind it' })
    assert.deepEqual(sink.bodies, ['a', 'b', 'c'])
    assert.equal(size('c1'), '1')
    assert.equal(agent.metrics()['SINK.k1']?.['EventDeadLetterCount'], '2')
    assert.ok(log.some((line) => /the dead-letter channel dead does not take 1 of them/.test(line)))
  })

  it('that are too large for the channel stay, and do not hold up the others', async () => {
    const { agent, source } = await run([
      'a1.sinks = k1',
      'a1.deadLetterChannel = dead',
      'a1.channels.dead.byteCapacity = 4000',
      'a1.channels.dead.byteCapacityBufferPercentage = 0',
    ])
    await source.deliver(batchOf('bad 1', `bad ${'x'.repeat(5_000)}`, 'bad 2'))
    const size = (name: string) => agent.metrics()[`CHANNEL.${name}`]?.['ChannelSize']
    await until(() => size('dead') === '2' && size('c1') === '1', { what: 'the small ones' })
  })

  it('go back when a sink names an event that it was not given', async () => {
    const { agent, source, sink, log } = await run(DRAINED)
    let isSane = false
    sink.onWrite = async () => (isSane ? undefined : { rejected: [{ index: 7, reason: 'odd' }] })
    await source.deliver(batchOf('a'))
    await until(() => log.some((line) => line.includes('rejects the event 7')), { what: 'a line' })
    assert.equal(agent.metrics()['CHANNEL.dead']?.['EventPutSuccessCount'], '0')
    isSane = true
    await until(() => agent.metrics()['CHANNEL.c1']?.['ChannelSize'] === '0', { what: 'the event' })
  })

  it('in memory, of a sink on a durable channel, are worth a warning', async () => {
    const directory = temporaryDirectory()
    const { log } = await run([
      ...DRAINED,
      'a1.channels.c1.type = file',
      `a1.channels.c1.checkpointDir = ${join(directory, 'checkpoint')}`,
      `a1.channels.c1.dataDirs = ${join(directory, 'data')}`,
      'a1.channels.c1.segmentSize = 65536',
    ])
    assert.ok(
      log.some((line) => /dead-letter channel dead does not survive the process/.test(line)),
    )
  })

  it('in a file channel are still there after a restart', async () => {
    const directory = temporaryDirectory()
    const lines = [
      'a1.deadLetterChannel = dead',
      'a1.channels.dead.type = file',
      `a1.channels.dead.checkpointDir = ${join(directory, 'checkpoint')}`,
      `a1.channels.dead.dataDirs = ${join(directory, 'data')}`,
      'a1.channels.dead.segmentSize = 65536',
      'a1.channels.dead.minimumRequiredSpace = 1048576',
    ]
    const first = await run([...lines, 'a1.sinks = k1'])
    await first.source.deliver(batchOf('bad'))
    const size = () => first.agent.metrics()['CHANNEL.c1']?.['ChannelSize']
    await until(() => size() === '0', { what: 'the commit' })
    await first.agent.stop({ deadlineMs: 2_000 })
    const second = await run([...lines, ...DRAINED])
    await until(() => second.letters.length === 1, { what: 'the dead letter' })
    assert.equal(second.letters[0]?.headers['millrace.rejected.sink'], 'k1')
  })
})

/** Loads the file as the agent does, with the test's own components beside the built-in ones. */
async function configurationOf(
  lines: readonly string[],
  made: Readonly<Record<string, ComponentDefinition>>,
): Promise<AgentConfiguration> {
  const file = join(temporaryDirectory(), 'flume.properties')
  writeFileSync(file, lines.join('\n'))
  const components = Object.entries(made).map(([alias, definition]) => ({
    kind: definition.kind,
    alias,
    classNames: [],
    load: async () => definition,
  }))
  const loaded = await loadConfiguration({
    file,
    agent: 'a1',
    components: [...builtinComponents, ...components],
    environment: {},
  })
  const errors = loaded.findings.filter(({ severity }) => severity === 'error')
  assert.deepEqual(errors, [])
  assert.ok(loaded.configuration)
  return loaded.configuration
}
