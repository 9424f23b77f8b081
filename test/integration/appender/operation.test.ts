import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type Diagnostic, DIAGNOSTICS_CHANNEL, optionsFromEnvironment } from '@millrace/appender'
import { createDestination } from '@millrace/pino'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'
import { activeTrace, APPENDER_METRICS, MillraceTransport, metricSamples } from '@millrace/winston'
import log4js from 'log4js'
import { pino } from 'pino'
import winston from 'winston'
import { bench, record } from '../../support/fake-receiver.js'
import { runScript } from '../../support/run-script.js'

describe('an appender in operation', () => {
  it('gives its numbers to a registry of metrics, each under a name that is declared', async () => {
    const { appender, receivers } = bench({ queue: { maxEvents: 3 } })
    for (const text of ['1', '2', '3', '4']) appender.append(record(text))
    const declared = new Map(APPENDER_METRICS.map((one) => [one.name, one]))
    const check = (): Map<string, number> => {
      const values = new Map<string, number>()
      for (const { name, kind, labels, value } of metricSamples(appender.state(), { app: 'x' })) {
        const metric = declared.get(name)
        assert.equal(metric?.kind, kind)
        assert.deepEqual(Object.keys(labels), ['app', ...(metric?.labelNames ?? [])])
        values.set(`${name} ${Object.values(labels).slice(1).join('')}`.trim(), value)
      }
      return values
    }
    const before = check()
    assert.equal(before.get('millrace_appender_accepted_events_total'), 4)
    assert.equal(before.get('millrace_appender_queued_events'), 3)
    assert.equal(before.get('millrace_appender_dropped_events_total overflow'), 1)
    assert.ok(receivers['a'])
    assert.equal(await appender.flush(), true)
    const after = check()
    assert.equal(after.get('millrace_appender_delivered_events_total'), 3)
    assert.equal(after.get('millrace_appender_host_delivered_events_total a:1'), 3)
    assert.equal(after.get('millrace_appender_host_up a:1'), 1)
    assert.ok(after.has('millrace_appender_last_success_timestamp_seconds'))
    assert.equal(new Set([...after.keys()].map((key) => key.split(' ')[0])).size, declared.size)
    await appender.close()
  })

  it('publishes each report on diagnostics_channel, whatever the option diagnostics says', async () => {
    const heard: Diagnostic[] = []
    const listener = (message: unknown): void => void heard.push(message as Diagnostic)
    subscribe(DIAGNOSTICS_CHANNEL, listener)
    const transport = new MillraceTransport({
      hosts: ['127.0.0.1:1'],
      diagnostics: 'off',
      closeTimeoutMs: 50,
    })
    winston.createLogger({ transports: [transport] }).info('x')
    await transport.close()
    unsubscribe(DIAGNOSTICS_CHANNEL, listener)
    assert.ok(heard.some(({ kind, count }) => kind === 'dropped' && count === 1))
  })

  it('takes only records of the levels that it is told', async () => {
    const receiver = await mockReceiver()
    const options = { hosts: [receiver.address], levels: ['warn', 'Debug'] }
    const transport = new MillraceTransport(options)
    const ofWinston = winston.createLogger({ level: 'silly', transports: [transport] })
    const destination = createDestination(options)
    const ofPino = pino({ level: 'trace' }, destination)
    log4js.configure({
      appenders: { m: { type: '@millrace/log4js', ...options } },
      categories: { default: { appenders: ['m'], level: 'trace' } },
    })
    const ofLog4js = log4js.getLogger()
    const loggers: readonly Record<
      'error' | 'warn' | 'info' | 'debug',
      (text: string) => unknown
    >[] = [ofWinston, ofPino, ofLog4js]
    for (const logger of loggers) {
      for (const level of ['error', 'warn', 'info', 'debug'] as const) logger[level]('x')
    }
    await Promise.all([
      transport.close(),
      destination.close(),
      new Promise<unknown>((done) => {
        log4js.shutdown(done)
      }),
    ])
    assert.deepEqual(
      receiver.events.map(({ headers }) => headers['millrace.level.name']?.toLowerCase()).sort(),
      ['debug', 'debug', 'debug', 'warn', 'warn', 'warn'],
    )
    assert.equal(transport.state().accepted, 2)
    await receiver.close()
  })

  it('takes options from the environment', () => {
    assert.deepEqual(
      optionsFromEnvironment({
        MILLRACE_HOSTS: 'a:1 b:2',
        MILLRACE_MAX_EVENT_BYTES: '1000',
        MILLRACE_QUEUE_MAX_EVENTS: '5',
        MILLRACE_HEADER_CAPS_MAX_VALUE_BYTES: '100',
        MILLRACE_TLS: 'true',
        MILLRACE_FLATTEN: 'false',
        MILLRACE_HEADERS: '{"a":"b"}',
        MILLRACE_HOST: '7',
        MILLRACE_PROFILE: '',
        OTHER: 'x',
      }),
      {
        hosts: 'a:1 b:2',
        maxEventBytes: 1_000,
        queue: { maxEvents: 5 },
        headerCaps: { maxValueBytes: 100 },
        tls: true,
        flatten: false,
        headers: { a: 'b' },
        host: '7',
      },
    )
    assert.throws(() => optionsFromEnvironment({ MILLRACE_HEADERS: '{"a"' }), {
      code: 'MILLRACE_OPTION_INVALID',
      message: /^MILLRACE_HEADERS looks like JSON/,
    })
    assert.throws(
      () =>
        new MillraceTransport(
          optionsFromEnvironment({ APP_HOSTS: 'a:1', APP_QUEUE_SIZE: '1' }, 'APP_'),
        ),
      /Unknown option queue\.size/,
    )
  })

  it('takes over the active span of OpenTelemetry', () => {
    const spanContext = () => ({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 })
    assert.deepEqual(activeTrace({ getActiveSpan: () => ({ spanContext }) })(), {
      trace_id: 'a'.repeat(32),
      span_id: 'b'.repeat(16),
      trace_flags: '01',
    })
    assert.deepEqual(activeTrace({ getActiveSpan: () => undefined })(), {})
  })
})

describe('closeOnSignals', () => {
  let receiver: MockReceiver
  before(async () => {
    receiver = await mockReceiver()
  })
  after(() => receiver.close())
  beforeEach(() => receiver.clear())

  const program = (rest: string) => `
    import winston from 'winston'
    import { closeOnSignals, MillraceTransport } from '@millrace/winston'
    const transport = new MillraceTransport({ hosts: ['${receiver.address}'], diagnostics: 'off' })
    const logger = winston.createLogger({ transports: [transport] })
    logger.info('last')
    setTimeout(() => {}, 20_000)
    ${rest}`

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`delivers what waits and ends the process by ${signal} itself`, async () => {
      const result = await runScript(
        program(`closeOnSignals(transport); process.kill(process.pid, '${signal}')`),
      )
      assert.equal(result.signal, signal, result.stderr)
      assert.equal(receiver.events.length, 1)
    })
  }

  it('leaves the end to another handler of the application', async () => {
    const result = await runScript(
      program(`closeOnSignals([transport, () => Promise.reject(new Error('no'))])
        process.on('SIGTERM', () => setTimeout(() => process.exit(5), 300))
        process.kill(process.pid, 'SIGTERM')`),
    )
    assert.equal(result.code, 5, result.stderr)
    assert.equal(receiver.events.length, 1)
  })

  it('ends at its deadline, and at once at a second signal', async () => {
    const hung = (ms: number, rest: string) =>
      program(`closeOnSignals(() => new Promise(() => {}), { timeoutMs: ${ms} })
        process.kill(process.pid, 'SIGTERM'); ${rest}`)
    const late = await runScript(hung(200, ''))
    assert.equal(late.signal, 'SIGTERM')
    const twice = await runScript(
      hung(15_000, `setTimeout(() => process.kill(process.pid, 'SIGTERM'), 100)`),
    )
    assert.equal(twice.signal, 'SIGTERM')
    assert.ok(twice.durationMs < 8_000, String(twice.durationMs))
  })

  it('can be taken back, and refuses what cannot be closed', async () => {
    const { closeOnSignals } = await import('@millrace/appender')
    const before = process.listenerCount('SIGHUP')
    const remove = closeOnSignals(() => {}, { signals: ['SIGHUP'] })
    assert.equal(process.listenerCount('SIGHUP'), before + 1)
    remove()
    assert.equal(process.listenerCount('SIGHUP'), before)
    for (const bad of [undefined, 5, {}, [{}]]) {
      assert.throws(() => closeOnSignals(bad as never), { code: 'MILLRACE_OPTION_INVALID' })
    }
  })
})
