import assert from 'node:assert/strict'
import { workerTarget } from '@millrace/pino'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'
import { runScript } from '../../support/run-script.js'

/** A program that logs through pino's worker transport; `end` says how it goes on. */
function program(port: number, end: string, options: object = {}): string {
  return `
    import { pino } from 'pino'
    const transport = pino.transport({
      target: '@millrace/pino',
      options: ${JSON.stringify({ hosts: [`127.0.0.1:${port}`], batch: { lingerMs: 60_000 }, ...options })},
    })
    const logger = pino({ name: 'app', customLevels: { notice: 35 } }, transport)
    for (let i = 0; i < 250; i += 1) logger.info('event ' + i)
    logger.child({ reqId: 'a1' }).notice({ trace_id: '0af7651916cd43dd8448eb211c80319c', span_id: 'b7ad6b7169203331', trace_flags: '01' }, 'custom')
    logger.error(new TypeError('bad', { cause: new Error('why') }))
    ${end}
  `
}

describe('pino worker transport', () => {
  let receiver: MockReceiver
  before(async () => {
    receiver = await mockReceiver()
  })
  after(() => receiver.close())
  beforeEach(() => receiver.clear())

  for (const [title, end, code] of [
    ['at the natural end', '', 0],
    ['at process.exit', 'process.exit(3)', 3],
    ['after an uncaught exception', `throw new Error('uncaught')`, 1],
    [
      'after transport.end()',
      `transport.on('close', () => console.log('closed')); transport.end()`,
      0,
    ],
    [
      'on SIGTERM with a handler that exits',
      `process.once('SIGTERM', () => process.exit(0)); setTimeout(() => {}, 10_000); transport.on('ready', () => process.kill(process.pid, 'SIGTERM'))`,
      0,
    ],
  ] as const) {
    it(`delivers all ${title}`, async () => {
      const result = await runScript(program(receiver.port, end))
      assert.equal(result.code, code, result.stderr)
      assert.equal(receiver.events.length, 252)
      const bodies = receiver.events.map((event) => event.text)
      assert.deepEqual(
        bodies.slice(0, 250),
        Array.from({ length: 250 }, (_, i) => `event ${i}`),
      )
      const [notice, error] = receiver.events.slice(250)
      assert.equal(notice?.headers['millrace.level.name'], 'notice')
      assert.equal(notice?.headers['flume.client.log4j.log.level'], '20000')
      assert.equal(notice?.headers['flume.client.log4j.logger.name'], 'app')
      assert.equal(
        notice?.headers['traceparent'],
        '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      )
      assert.equal(notice?.headers['millrace.worker'], undefined)
      assert.equal(error?.headers['error.type'], 'TypeError')
      assert.match(error?.text ?? '', /^bad\nTypeError: bad\n[^]*\ncaused by: Error: why\n/)
    })
  }

  it('answers logger.flush when everything before it is delivered, and goes on', async () => {
    const end = `
      logger.flush((error) => {
        console.log('flushed', error)
        logger.info('after')
      })
    `
    const result = await runScript(program(receiver.port, end))
    assert.equal(result.stdout.trim(), 'flushed undefined')
    assert.equal(result.code, 0, result.stderr)
    assert.equal(receiver.events.length, 253)
  })

  it('answers logger.flush at its deadline, too, and says that before', async () => {
    const end = `
      transport.on('flush-deadline', () => console.log('deadline'))
      logger.flush((error) => console.log('flushed', error))
    `
    const options = { flushTimeoutMs: 100, closeTimeoutMs: 100, diagnostics: 'off' }
    const result = await runScript(program(1, end, options))
    assert.equal(result.stdout, 'deadline\nflushed undefined\n')
    assert.equal(result.code, 0, result.stderr)
  })

  it('ships the errors of an AggregateError', async () => {
    const end = `logger.error(new AggregateError([new RangeError('one'), new TypeError('two')], 'several'))`
    const result = await runScript(program(receiver.port, end))
    assert.equal(result.code, 0, result.stderr)
    const { headers, text = '' } = receiver.events[252] ?? {}
    assert.equal(headers?.['error.type'], 'AggregateError')
    assert.match(
      text,
      /^several\nAggregateError: several\n[^]*\nAggregated 1: RangeError: one\n {4}at /,
    )
    assert.match(text, /\nAggregated 2: TypeError: two\n {4}at /)
    receiver.clear()
    await runScript(program(receiver.port, end, { body: 'json' }))
    const { err } = JSON.parse(receiver.events[252]?.text ?? '')
    assert.deepEqual(
      err.errors.map((one: { type: string }) => one.type),
      ['RangeError', 'TypeError'],
    )
  })

  it('ships ndjson lines byte for byte, of any UTF-8', async () => {
    const end = `logger.info({ text: 'grüße ☃ 𝄞'.repeat(10_000) }, 'long'); logger.info({ u: '☃' }, 'x')`
    const result = await runScript(program(receiver.port, end, { body: 'ndjson' }))
    assert.equal(result.code, 0, result.stderr)
    const long = JSON.parse(receiver.events[252]?.text ?? '')
    assert.equal(long.text, 'grüße ☃ 𝄞'.repeat(10_000))
    assert.deepEqual(JSON.parse(receiver.events[253]?.text ?? '').u, '☃')
  })

  it('ends in time when no receiver answers', async () => {
    const result = await runScript(program(1, '', { closeTimeoutMs: 300, diagnostics: 'off' }))
    assert.equal(result.code, 0, result.stderr)
    assert.ok(result.durationMs < 9_000, `${result.durationMs} ms`)
  })

  it('ships JSON with bindings among its attributes', async () => {
    const result = await runScript(
      program(receiver.port, '', { body: 'json', context: { include: ['reqId'] } }),
    )
    assert.equal(result.code, 0, result.stderr)
    const event = receiver.events[250]
    const document = JSON.parse(event?.text ?? '')
    assert.equal(document.attrs.reqId, 'a1')
    assert.equal(document.trace.spanId, 'b7ad6b7169203331')
    assert.equal(event?.headers['mdc.reqId'], 'a1')
  })

  it('works from CommonJS and beside other targets', async () => {
    const source = `
      const { pino } = require('pino')
      const logger = pino(pino.transport({ targets: [
        { target: '@millrace/pino', level: 'warn', options: { hosts: ['127.0.0.1:${receiver.port}'] } },
        { target: 'pino/file', options: { destination: 1 } },
      ] }))
      logger.info('only file')
      logger.warn('both')
    `
    const result = await runScript(source, { type: 'commonjs' })
    assert.equal(result.code, 0, result.stderr)
    assert.deepEqual(
      receiver.events.map((event) => event.text),
      ['both'],
    )
    assert.match(result.stdout, /only file[^]*both/)
  })

  it('names a bad option in the error of the transport', async () => {
    const source = `
      import { pino } from 'pino'
      const transport = pino.transport({ target: '@millrace/pino', options: { hosts: ['h:1'], oops: 1 } })
      transport.on('error', (error) => console.log(error.message))
    `
    const result = await runScript(source)
    assert.match(result.stdout, /Unknown option oops/)
  })
})

describe('pino worker transport: what it tells the application', () => {
  it('emits its reports and, every stateEventMs, its counters', async () => {
    const receiver = await mockReceiver()
    const source = (port: number) => `
      import { pino } from 'pino'
      import { workerTarget } from '@millrace/pino'
      const transport = pino.transport(workerTarget({ hosts: ['127.0.0.1:${port}'],
        diagnostics: 'off', stateEventMs: 20, closeTimeoutMs: 100 }))
      transport.once('diagnostic', ({ kind, count }) => { console.log(kind, count); transport.end() })
      transport.on('state', ({ accepted, delivered }) => {
        if (delivered === 1) { console.log('delivered', accepted); transport.end() } })
      const alive = setInterval(() => {}, 1_000)
      transport.on('close', () => clearInterval(alive))
      pino(transport).info('x')`
    const [ok, dead] = await Promise.all([runScript(source(receiver.port)), runScript(source(1))])
    assert.match(ok.stdout, /^delivered 1$/m)
    assert.match(dead.stdout, /^connect-failed 1$/m)
    await receiver.close()
  })

  it('refuses functions and bad options where workerTarget is called', () => {
    const hosts = ['h:1']
    const refused = (options: object, message: RegExp) =>
      assert.throws(() => workerTarget({ hosts, ...options }), {
        code: 'MILLRACE_OPTION_INVALID',
        message,
      })
    refused({ onDiagnostic: () => {} }, /^onDiagnostic is a function, .* listen to the transport/)
    refused({ tls: { ca: () => {} } }, /^tls\.ca is a function/)
    refused({ hostz: 1 }, /^Unknown option hostz; did you mean hosts/)
    refused({ stateEventMs: -1 }, /^stateEventMs must be/)
    assert.equal(workerTarget({ hosts }).target, '@millrace/pino')
  })

  it('ships causes and aggregated errors as objects that errorSerializer kept', async () => {
    const receiver = await mockReceiver()
    const { code, stderr } = await runScript(`
      import { pino } from 'pino'
      import { errorSerializer } from '@millrace/pino'
      const logger = pino({ serializers: { err: errorSerializer, reason: errorSerializer },
        transport: { target: '@millrace/pino', options: { hosts: ['${receiver.address}'], body: 'json' } } })
      let chain = new RangeError('0')
      for (let i = 1; i <= 4; i += 1) chain = Object.assign(new TypeError(String(i), { cause: chain }), { code: 'E' + i })
      logger.error(chain, 'failed')
      logger.error({ err: new AggregateError([chain, new Error('b')], 'all'), reason: 'text' }, 'failed')`)
    assert.equal(code, 0, stderr)
    const [first, second] = receiver.events.map(({ text }) => JSON.parse(text))
    assert.equal(receiver.events[0]?.headers['error.type'], 'TypeError')
    assert.equal(first.err.message, '4')
    assert.equal(first.err.code, 'E4')
    assert.equal(first.err.cause.cause.cause.cause.type, 'RangeError')
    assert.equal(second.err.type, 'AggregateError')
    assert.deepEqual(
      second.err.errors.map((one: { message: string }) => one.message),
      ['4', 'b'],
    )
    assert.equal(second.err.errors[0].cause.message, '3')
    assert.equal(second.attrs.reason, 'text')
    await receiver.close()
  })
})
