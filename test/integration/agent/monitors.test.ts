import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent, startMonitoring } from '@millrace/agent-core'
import { EventBatch } from '@millrace/event'
import { silentLogger } from '@millrace/runtime'
import { HandSink, HandSource, oneWay } from '../../support/agent.js'
import { keptLogger } from '../../support/component-context.js'
import { temporaryDirectory } from '../../support/temp-directory.js'
import { until } from '../../support/until.js'

describe('monitors', () => {
  const closing: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close()
  })

  async function open(properties: Record<string, string>, moduleDirectories?: string[]) {
    const source = new HandSource()
    const sink = new HandSink()
    const agent = new Agent({ logger: silentLogger, random: () => 0 })
    closing.push(() => agent.stop({ deadlineMs: 300 }))
    const { logger, lines } = keptLogger()
    const systemProperties = Object.fromEntries(
      Object.entries(properties).map(([key, value]) => [`flume.monitoring.${key}`, value]),
    )
    const monitoring = await startMonitoring({
      systemProperties,
      agent,
      logger,
      ...(moduleDirectories ? { moduleDirectories } : {}),
    })
    assert.ok(monitoring)
    closing.push(() => monitoring.stop())
    const ask = async (path: string) => {
      const headers = { connection: 'close' }
      const response = await fetch(`http://127.0.0.1:${monitoring.port}${path}`, { headers })
      const type = response.headers.get('content-type')
      return { status: response.status, type, text: await response.text() }
    }
    return { source, sink, agent, monitoring, ask, lines }
  }

  const LISTENING = { host: '127.0.0.1', port: '0' }

  async function deliverThree() {
    const opened = await open({ type: 'Prometheus', ...LISTENING })
    const { source, sink, agent } = opened
    await agent.start(oneWay(source, sink))
    const headers = { timestamp: String(Date.now() - 30_000) }
    await source.deliver(EventBatch.of([{ headers, body: '1' }, { body: '2' }, { body: '3' }]))
    await until(() => agent.metrics()['SINK.k1']?.['EventDrainSuccessCount'] === '3', {
      what: 'three events delivered',
    })
    return opened
  }

  /** Every line of the text format: a comment, or name, labels and a number. */
  const LINE =
    /^(# (HELP|TYPE) [a-zA-Z_:][\w:]* .+|[a-zA-Z_:][\w:]*(\{\w+="[^"\n]*"(,\w+="[^"\n]*")*\})? -?(\d+(\.\d+)?(e[+-]?\d+)?|\+Inf|NaN))$/

  it('show Prometheus every number of /metrics under the same name', async () => {
    const { agent, ask } = await deliverThree()
    const { status, type, text } = await ask('/metrics')
    assert.deepEqual([status, type], [200, 'text/plain; version=0.0.4; charset=utf-8'])
    for (const line of text.trim().split('\n')) if (line !== '') assert.match(line, LINE)
    const shown = new Map(text.split('\n').map((line) => line.split(' ') as [string, string]))
    for (const [component, attributes] of Object.entries(agent.metrics())) {
      for (const [attribute, value] of Object.entries(attributes)) {
        if (attribute === 'Type') continue
        assert.equal(
          shown.get(`Flume_${attribute}{component="${component}"}`),
          String(Number(value)),
        )
      }
    }
    assert.match(text, /^# TYPE Flume_EventTakeSuccessCount counter$/m)
    assert.match(text, /^# TYPE Flume_ChannelSize gauge$/m)
    const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1])
    assert.deepEqual(types, [...new Set(types)], 'each family once')
  })

  it('show how long events were in a channel, and how old they were', async () => {
    const { ask } = await deliverThree()
    const { text } = await ask('/metrics')
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
    const channel = (part: string, labels = '') =>
      value(`millrace_time_in_channel_seconds_${part}\\{component="CHANNEL.c1"${labels}\\}`)
    assert.equal(channel('count'), 3)
    assert.equal(channel('bucket', ',le="\\+Inf"'), 3)
    assert.equal(channel('bucket', ',le="60"'), 3)
    const age = (part: string, labels = '') =>
      value(`millrace_event_age_seconds_${part}\\{component="SINK.k1"${labels}\\}`)
    // The first event of a delivery stands for all of it.
    assert.equal(age('count'), 3)
    assert.equal(age('bucket', ',le="10"'), 0)
    assert.equal(age('bucket', ',le="60"'), 3)
    assert.ok(age('sum') >= 90)
  })

  it('say that the agent is ready while a sink is broken, and not while a source is', async () => {
    const { source, sink, agent, ask } = await open({ type: 'http', ...LISTENING })
    assert.equal((await ask('/readyz')).status, 503)
    await agent.start(oneWay(source, sink))
    assert.equal((await ask('/readyz')).status, 200)
    sink.onStart = () => Promise.reject(new Error('broken'))
    sink.context?.fail(new Error('broken'))
    await until(async () => (await ask('/healthz')).status === 503, { what: 'a broken sink' })
    assert.equal((await ask('/readyz')).status, 200)
    source.onStart = () => Promise.reject(new Error('broken'))
    source.context?.fail(new Error('broken'))
    await until(async () => (await ask('/readyz')).status === 503, { what: 'a broken source' })
    assert.match(
      (await ask('/prometheus')).text,
      /millrace_component_up\{component="source r1"\} 0/,
    )
  })

  it('are modules of your own where the type names one, with their own keys', async () => {
    const directory = temporaryDirectory()
    writeFileSync(
      join(directory, 'reporter.mjs'),
      `export default {
        kind: 'monitor', alias: null, classNames: [], summary: 'Tells a log.', options: {},
        create: ({ logger, monitored }) => ({
          start: async () => logger.info('the agent is ' + monitored.health().status),
          stop: async () => logger.info('no more'),
        }),
      }`,
    )
    const { monitoring, lines } = await open({ type: './reporter.mjs', other: '1' }, [directory])
    await monitoring.stop()
    const text = lines.join('\n')
    assert.match(text, /the agent is stopped/)
    assert.match(text, /no more/)
    assert.match(text, /-Dflume\.monitoring\.other.*has no such key/)
  })
})
