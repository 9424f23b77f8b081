import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  createDestination,
  type DestinationOptions,
  type MillraceDestination,
} from '@millrace/pino'
import { EventDeliveryError } from '@millrace/runtime'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'
import { pino } from 'pino'

describe('pino destination', () => {
  let receiver: MockReceiver
  const open: MillraceDestination[] = []
  before(async () => {
    receiver = await mockReceiver()
  })
  after(() => receiver.close())
  beforeEach(() => receiver.clear())
  afterEach(async () => {
    receiver.respond()
    await Promise.all(open.splice(0).map((one) => one.close({ timeoutMs: 100 })))
  })

  function destinationTo(options: Partial<DestinationOptions> = {}): MillraceDestination {
    const destination = createDestination({
      hosts: [receiver.address],
      diagnostics: 'off',
      ...options,
    })
    open.push(destination)
    return destination
  }

  async function shipped(
    options: Partial<DestinationOptions>,
    log: (logger: pino.Logger) => void,
    loggerOptions: pino.LoggerOptions = {},
  ) {
    const destination = destinationTo(options)
    log(pino({ level: 'trace', ...loggerOptions }, destination))
    assert.equal(await destination.flush(), true)
    return receiver.events
  }

  it('ships name, level, time and message', async () => {
    const before = Date.now()
    const events = await shipped(
      {},
      (logger) => {
        logger.child({ reqId: 'a1' }).warn({ vol: '/' }, 'disk %d%%', 91)
        logger.info('second')
      },
      { name: 'billing' },
    )
    assert.deepEqual(
      events.map((event) => event.text),
      ['disk 91%', 'second'],
    )
    const headers = events[0]?.headers ?? {}
    assert.equal(headers['flume.client.log4j.logger.name'], 'billing')
    assert.equal(headers['flume.client.log4j.log.level'], '30000')
    assert.equal(headers['millrace.level.name'], 'warn')
    const time = Number(headers['timestamp'])
    assert.ok(time >= before && time <= Date.now())
  })

  it('maps levels by number, takes their names from the logger and lets levelMap go first', async () => {
    const log = (logger: pino.Logger) => {
      for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) {
        logger[level](level)
      }
      ;(logger as unknown as Record<string, (text: string) => void>)['notice']?.('notice')
    }
    const levels = async (options: Partial<DestinationOptions>) => {
      receiver.clear()
      const events = await shipped(options, log, { customLevels: { notice: 35 } })
      return events.map(({ text, headers }) => [
        text,
        headers['flume.client.log4j.log.level'],
        headers['millrace.level.name'],
      ])
    }
    const expected = [
      ['trace', '5000', 'trace'],
      ['debug', '10000', 'debug'],
      ['info', '20000', 'info'],
      ['warn', '30000', 'warn'],
      ['error', '40000', 'error'],
      ['fatal', '50000', 'fatal'],
      ['notice', '20000', 'notice'],
    ]
    assert.deepEqual(await levels({}), expected)
    expected[6] = ['notice', '30000', 'notice']
    assert.deepEqual(await levels({ levelMap: { notice: 30_000 } }), expected)
  })

  it('ships the line as it is in ndjson mode, and redaction holds in every mode', async () => {
    const lines: string[] = []
    const log = (logger: pino.Logger) => logger.info({ password: 'secret', user: 'ä' }, 'in')
    log(
      pino({ redact: ['password'], base: null, timestamp: false }, { write: (l) => lines.push(l) }),
    )
    const options = { redact: ['password'], base: null, timestamp: false }
    const [line] = await shipped({ body: 'ndjson' }, log, options)
    assert.equal(`${line?.text}\n`, lines[0])
    assert.equal(line?.headers['millrace.body.format'], 'ndjson')
    receiver.clear()
    const [json] = await shipped({ body: 'json', context: { include: ['password'] } }, log, options)
    assert.deepEqual(JSON.parse(json?.text ?? '').attrs, { password: '[Redacted]', user: 'ä' })
    assert.equal(json?.headers['mdc.password'], '[Redacted]')
  })

  it('ships what the line says when pino changed the message', async () => {
    const cases: [string, pino.LoggerOptions, (logger: pino.Logger) => void][] = [
      ['[Redacted]', { redact: ['msg'] }, (logger) => logger.info('secret')],
      ['pre: text', { msgPrefix: 'pre: ' }, (logger) => logger.info('text')],
      [
        'no ***',
        { hooks: { streamWrite: (line: string) => line.replace('secret', '***') } },
        (logger) => logger.info('no secret'),
      ],
      ['from the object', {}, (logger) => logger.info({ msg: 'from the object' })],
      ['own key', { messageKey: 'message' }, (logger) => logger.info('own key')],
      ['quote " and \\ and \n', {}, (logger) => logger.info('quote " and \\ and \n')],
    ]
    for (const [text, loggerOptions, log] of cases) {
      receiver.clear()
      const messageKey = loggerOptions.messageKey ?? 'msg'
      const [event] = await shipped({ messageKey }, log, loggerOptions)
      assert.equal(event?.text, text)
    }
    receiver.clear()
    const [line] = await shipped({}, (logger) => logger.info({ a: 1 }), { base: null })
    assert.match(line?.text ?? '', /^\{"level":30,"time":\d+,"a":1\}$/)
  })

  it('reads every time format of pino', async () => {
    const { stdTimeFunctions } = pino
    for (const timestamp of [
      stdTimeFunctions.epochTime,
      stdTimeFunctions.unixTime,
      stdTimeFunctions.isoTime,
      stdTimeFunctions.isoTimeNano,
      false as const,
    ]) {
      receiver.clear()
      const [event] = await shipped({}, (logger) => logger.info('x'), { timestamp })
      const age = Date.now() - Number(event?.headers['timestamp'])
      assert.ok(Math.abs(age) < 5_000, `${String(timestamp)}: ${age}`)
    }
  })

  it('ships the original error with its causes, wherever it is', async () => {
    const error = new TypeError('bad', { cause: new RangeError('deep') })
    for (const log of [
      (logger: pino.Logger) => logger.error(error),
      (logger: pino.Logger) => logger.error({ err: error }, 'ctx'),
      (logger: pino.Logger) => logger.error({ other: error }, 'ctx'),
    ]) {
      receiver.clear()
      const [event] = await shipped({}, log)
      assert.equal(event?.headers['error.type'], 'TypeError')
      assert.match(event?.text ?? '', /TypeError: bad\n {4}at [^]*\nCaused by: RangeError: deep\n/)
    }
  })

  it('ships bindings and the application context as headers, and the trace of a mixin', async () => {
    const storage = new AsyncLocalStorage<object>()
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const [event] = await shipped(
      { context: { include: '*' }, getContext: () => storage.getStore() },
      (logger) =>
        storage.run({ request: 'r1' }, () =>
          logger.child({ tenant: 't1' }).info({ other: 1 }, 'x'),
        ),
      { mixin: () => ({ trace_id: traceId, span_id: 'b7ad6b7169203331', trace_flags: '01' }) },
    )
    assert.equal(event?.headers['mdc.request'], 'r1')
    assert.equal(event?.headers['mdc.tenant'], 't1')
    assert.equal(event?.headers['mdc.other'], undefined)
    assert.equal(event?.headers['traceparent'], `00-${traceId}-b7ad6b7169203331-01`)
  })

  it('takes lines from anybody: several at once, text, and broken ones', async () => {
    const destination = destinationTo()
    destination.write('{"level":40,"time":1790000000123,"name":"n","msg":"a"}\n{"msg":"b"}\n')
    destination.write('just text')
    destination.write('{"broken\n')
    destination.write('')
    await destination.flush()
    const { events } = receiver
    assert.deepEqual(
      events.map((event) => event.text),
      ['a', 'b', 'just text', '{"broken'],
    )
    assert.equal(events[0]?.headers['timestamp'], '1790000000123')
    assert.equal(events[0]?.headers['flume.client.log4j.log.level'], '30000')
    assert.equal(events[0]?.headers['flume.client.log4j.logger.name'], 'n')
    assert.equal(events[1]?.headers['flume.client.log4j.logger.name'], 'pino')
  })

  it('works behind multistream', async () => {
    const destination = destinationTo()
    const logger = pino({ name: 'm' }, pino.multistream([{ stream: destination, level: 'warn' }]))
    logger.info('no')
    logger.error(new RangeError('yes'))
    await destination.flush()
    assert.equal(receiver.events.length, 1)
    assert.equal(receiver.events[0]?.headers['error.type'], 'RangeError')
    assert.equal(receiver.events[0]?.headers['flume.client.log4j.logger.name'], 'm')
  })

  it("takes pino's flush callback, gives true and false, and never throws from flushSync", async () => {
    const destination = destinationTo({ batch: { lingerMs: 60_000 } })
    const logger = pino(destination)
    logger.info('x')
    await new Promise<void>((resolve, reject) => {
      logger.flush((error) => (error ? reject(error) : resolve()))
    })
    assert.equal(receiver.events.length, 1)
    receiver.respond('hang')
    logger.info('y')
    assert.equal(await destination.flush({ timeoutMs: 50 }), false)
    destination.flushSync()
    logger.flush()
  })

  it("gives pino's flush callback an error at the deadline, and goes on", async () => {
    const destination = destinationTo({ flushTimeoutMs: 50 })
    const logger = pino(destination)
    receiver.respond('hang')
    logger.info('x')
    const error = await new Promise<Error | undefined>((resolve) => {
      logger.flush((given) => resolve(given))
    })
    assert.equal(EventDeliveryError.is(error) && error.code, 'MILLRACE_DELIVERY_DEADLINE')
    assert.equal(destination.state().inFlight, 1)
  })

  it('finds message and error under the keys of each logger, and the options go first', async () => {
    const destination = destinationTo({ body: 'json' })
    const error = new TypeError('bad')
    pino(destination).info({ err: error }, 'one')
    pino({ messageKey: 'message', errorKey: 'error' }, destination).child({}).error(error, 'two')
    assert.equal(await destination.flush(), true)
    const seen = receiver.events.map(({ text }) => JSON.parse(text))
    assert.deepEqual(
      seen.map(({ msg, err, attrs }) => [msg, err.type, attrs]),
      [
        ['one', 'TypeError', undefined],
        ['two', 'TypeError', undefined],
      ],
    )
    receiver.clear()
    const [event] = await shipped(
      { messageKey: 'text' },
      (logger) => logger.info({ text: 'own', message: 'theirs' }),
      { messageKey: 'message' },
    )
    assert.equal(event?.text, 'own')
  })

  it('delivers in close, drops what comes later and can be closed twice', async () => {
    const destination = destinationTo({ batch: { lingerMs: 60_000 } })
    const logger = pino(destination)
    for (let i = 0; i < 150; i += 1) logger.info(`${i}`)
    await Promise.all([destination.close(), destination.close()])
    assert.equal(receiver.events.length, 150)
    logger.info('late')
    destination.end()
    assert.equal(destination.state().dropped.closed, 1)
  })

  it('refuses bad options by name', () => {
    for (const [options, message] of [
      [{ timestampFormat: 'epoch' }, /^timestampFormat must be one of auto, epochMs/],
      [{ messageKey: '' }, /^messageKey must be a text/],
      [{ getContext: 'x' }, /^getContext must be a function/],
      [{ host: 7 }, /^host must be a text/],
      [{ level: 'info' }, /^Unknown option level/],
    ] as const) {
      assert.throws(() => destinationTo(options as never), {
        code: 'MILLRACE_OPTION_INVALID',
        message,
      })
    }
  })
})
