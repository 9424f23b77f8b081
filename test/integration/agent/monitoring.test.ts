import assert from 'node:assert/strict'
import { request } from 'node:http'
import { Agent, type Monitoring, startMonitoring } from '@millrace/agent-core'
import { MillraceError, silentLogger } from '@millrace/runtime'
import {
  batchOf,
  channelNode,
  component,
  HandSink,
  HandSource,
  oneWay,
  sinkNode,
  sinkOf,
} from '../../support/agent.js'
import { until } from '../../support/until.js'

interface Answer {
  readonly status: number
  readonly type: string | undefined
  readonly body: string
}

describe('HTTP monitoring', () => {
  const closing: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
  })

  async function open() {
    const source = new HandSource()
    const sink = new HandSink()
    const agent = new Agent({ logger: silentLogger, random: () => 0 })
    closing.push(() => agent.stop({ deadlineMs: 300 }))
    const monitoring = await startMonitoring({
      systemProperties: {
        'flume.monitoring.type': 'HTTP',
        'flume.monitoring.port': '0',
        'flume.monitoring.host': '127.0.0.1',
      },
      agent,
      logger: silentLogger,
    })
    assert.ok(monitoring)
    closing.push(() => monitoring.stop())
    return { source, sink, agent, monitoring }
  }

  function ask({ port }: Monitoring, path: string, method = 'GET'): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port, path, method }, (response) => {
        let body = ''
        response.on('data', (chunk: Buffer) => (body += chunk.toString()))
        response.on('end', () => {
          const type = response.headers['content-type']
          resolve({ status: response.statusCode ?? 0, type, body })
        })
      })
      call.on('error', reject)
      call.end()
    })
  }

  it('shows the counters as Flume does: its keys, every value a text', async () => {
    const { source, sink, agent, monitoring } = await open()
    await agent.start(oneWay(source, sink, { channels: [channelNode({ capacity: 10_000 })] }))
    let release = () => {}
    sink.onWrite = () => new Promise((resolve) => (release = () => resolve(undefined)))
    await source.deliver(batchOf(1, 2, 3))
    source.context!.counters.eventReceivedCount += 3
    const { status, type, body } = await ask(monitoring, '/metrics')
    release()
    assert.deepEqual([status, type], [200, 'application/json;charset=utf-8'])
    const metrics = JSON.parse(body)
    assert.deepEqual(Object.keys(metrics).sort(), ['CHANNEL.c1', 'SINK.k1', 'SOURCE.r1'])
    for (const group of Object.values<Record<string, unknown>>(metrics)) {
      assert.ok(Number(group['StartTime']) > 1.6e12)
      assert.equal(group['StopTime'], '0')
      for (const value of Object.values(group)) assert.equal(typeof value, 'string')
    }
    assert.deepEqual(Object.keys(metrics['SOURCE.r1']).sort(), [
      'AppendAcceptedCount',
      'AppendBatchAcceptedCount',
      'AppendBatchReceivedCount',
      'AppendReceivedCount',
      'ChannelWriteFail',
      'EventAcceptedCount',
      'EventReadFail',
      'EventReceivedCount',
      'GenericProcessingFail',
      'OpenConnectionCount',
      'StartTime',
      'StopTime',
      'Type',
    ])
    assert.deepEqual(Object.keys(metrics['SINK.k1']).sort(), [
      'BatchCompleteCount',
      'BatchEmptyCount',
      'BatchUnderflowCount',
      'ChannelReadFail',
      'ConnectionClosedCount',
      'ConnectionCreatedCount',
      'ConnectionFailedCount',
      'EventDrainAttemptCount',
      'EventDrainSuccessCount',
      'EventWriteFail',
      'StartTime',
      'StopTime',
      'Type',
    ])
    const { StartTime: _, ...channel } = metrics['CHANNEL.c1']
    assert.deepEqual(channel, {
      Type: 'CHANNEL',
      StopTime: '0',
      ChannelSize: '3',
      ChannelCapacity: '10000',
      ChannelFillPercentage: '0.03',
      EventPutAttemptCount: '3',
      EventPutSuccessCount: '3',
      EventTakeAttemptCount: '3',
      EventTakeSuccessCount: '0',
    })
    assert.equal(metrics['SOURCE.r1'].EventReceivedCount, '3')
  })

  it('leaves out what Flume does not monitor', async () => {
    const { source, agent, monitoring } = await open()
    const definition = { ...sinkOf(new HandSink()), isMonitored: false }
    const sink = { ...sinkNode(new HandSink()), ...component('k1', definition) }
    await agent.start(oneWay(source, new HandSink(), { sinks: [sink] }))
    const metrics = JSON.parse((await ask(monitoring, '/metrics')).body)
    assert.deepEqual(Object.keys(metrics).sort(), ['CHANNEL.c1', 'SOURCE.r1'])
  })

  it('takes /metrics in any case and with a query, by any method', async () => {
    const { monitoring } = await open()
    for (const [path, method] of [
      ['/METRICS', 'GET'],
      ['/metrics?x=1', 'GET'],
      ['/metrics', 'POST'],
      ['/metrics', 'DELETE'],
    ] as const) {
      const { status, body } = await ask(monitoring, path, method)
      assert.deepEqual([status, body], [200, '{}'], `${method} ${path}`)
    }
  })

  it('answers 403 to TRACE and OPTIONS and 404 elsewhere', async () => {
    const { monitoring } = await open()
    assert.equal((await ask(monitoring, '/metrics', 'OPTIONS')).status, 403)
    assert.equal((await ask(monitoring, '/metrics', 'TRACE')).status, 403)
    assert.equal((await ask(monitoring, '/metrics/')).status, 404)
    assert.equal((await ask(monitoring, '/nothing')).status, 404)
    assert.equal((await ask(monitoring, '/nothing', 'POST')).status, 404)
  })

  it('shows a page with a link', async () => {
    const { monitoring } = await open()
    assert.deepEqual(await ask(monitoring, '/'), {
      status: 200,
      type: 'text/html;charset=utf-8',
      body: 'For Flume metrics please click <a href = "./metrics"> here</a>.',
    })
  })

  it('is healthy when every component runs, else 503 with the states', async () => {
    const { source, sink, agent, monitoring } = await open()
    assert.equal((await ask(monitoring, '/healthz')).status, 503)
    await agent.start(oneWay(source, sink))
    const well = await ask(monitoring, '/healthz')
    assert.deepEqual(
      [well.status, JSON.parse(well.body)],
      [
        200,
        {
          status: 'ok',
          components: { 'channel c1': 'running', 'sink k1': 'running', 'source r1': 'running' },
        },
      ],
    )
    let restart = () => {}
    sink.onStart = () => new Promise((resolve) => (restart = resolve))
    sink.context?.fail(new Error('broken'))
    const unwell = await ask(monitoring, '/healthz')
    assert.equal(unwell.status, 503)
    assert.equal(JSON.parse(unwell.body).status, 'degraded')
    await until(() => sink.starts === 2, { what: 'the restart' })
    restart()
    await until(async () => (await ask(monitoring, '/healthz')).status === 200, { what: 'health' })
    await agent.stop({ deadlineMs: 300 })
    assert.equal((await ask(monitoring, '/healthz')).status, 503)
  })

  it('starts nothing unless it is asked for', async () => {
    const agent = new Agent({ logger: silentLogger })
    const options = { systemProperties: {}, agent, logger: silentLogger }
    assert.equal(await startMonitoring(options), undefined)
  })

  it('refuses another type and a bad port by name, and says when the port is taken', async () => {
    const { agent, monitoring } = await open()
    const start = (properties: Record<string, string>) =>
      startMonitoring({
        systemProperties: {
          'flume.monitoring.type': 'http',
          'flume.monitoring.host': '127.0.0.1',
          ...properties,
        },
        agent,
        logger: silentLogger,
      })
    const codeOf = async (properties: Record<string, string>) => {
      const error: unknown = await start(properties).catch((error: unknown) => error)
      return MillraceError.is(error) ? error.code : error
    }
    const unsupported = await codeOf({ 'flume.monitoring.type': 'jmx' })
    assert.equal(unsupported, 'MILLRACE_CONFIG_UNSUPPORTED')
    for (const port of ['x', '70000', '-1']) {
      assert.equal(await codeOf({ 'flume.monitoring.port': port }), 'MILLRACE_CONFIG_INVALID')
    }
    const taken = { 'flume.monitoring.port': String(monitoring.port) }
    assert.equal(await codeOf(taken), 'MILLRACE_LIFECYCLE_START_FAILED')
  })
})
