import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'
import { attachContext, MillraceTransport, type MillraceTransportOptions } from '@millrace/winston'
import winston from 'winston'
import TransportStream from 'winston-transport'
import { until } from '../../support/until.js'

const { createLogger, format } = winston

describe('winston transport', () => {
  let receiver: MockReceiver
  const open: MillraceTransport[] = []
  before(async () => {
    receiver = await mockReceiver()
  })
  after(() => receiver.close())
  beforeEach(() => receiver.clear())
  afterEach(async () => {
    await Promise.all(open.splice(0).map((transport) => transport.close({ timeoutMs: 100 })))
  })

  function transportTo(options: Partial<MillraceTransportOptions> = {}): MillraceTransport {
    const transport = new MillraceTransport({
      hosts: [receiver.address],
      diagnostics: 'off',
      ...options,
    })
    open.push(transport)
    return transport
  }

  /** A logger whose formats render nothing: the body is the message. */
  const plain = format((info) => info)()

  async function shipped(
    options: Partial<MillraceTransportOptions>,
    log: (logger: winston.Logger) => void,
    loggerOptions: winston.LoggerOptions = { format: plain },
  ) {
    const transport = transportTo(options)
    log(createLogger({ level: 'silly', transports: [transport], ...loggerOptions }))
    assert.equal(await transport.flush(), true)
    return receiver.events
  }

  it('ships message, level, service and fields', async () => {
    const call = (logger: winston.Logger) =>
      logger.warn('disk 91%', { service: 'billing', vol: '/data' })
    const [text] = await shipped({}, call)
    assert.equal(text?.text, 'disk 91%')
    assert.equal(text?.headers['flume.client.log4j.logger.name'], 'billing')
    assert.equal(text?.headers['flume.client.log4j.log.level'], '30000')
    assert.equal(text?.headers['flume.client.log4j.message.encoding'], 'UTF8')
    assert.equal(text?.headers['millrace.level.name'], 'warn')
    assert.equal(text?.headers['host'], (await import('node:os')).hostname())
    assert.equal(text?.headers['millrace.pid'], String(process.pid))
    receiver.clear()
    const [json] = await shipped({ body: 'json' }, call)
    const document = JSON.parse(json?.text ?? '')
    assert.equal(document.msg, 'disk 91%')
    assert.deepEqual(document.attrs, { service: 'billing', vol: '/data' })
  })

  it('ships what the formats rendered, of the logger or its own', async () => {
    const [first] = await shipped({}, (logger) => logger.info('a', { b: 1 }), {})
    assert.deepEqual(JSON.parse(first?.text ?? ''), { level: 'info', message: 'a', b: 1 })
    receiver.clear()
    const [second] = await shipped(
      {
        body: 'layout',
        format: format.printf(({ level, message }) => `<${level}> ${String(message)}`),
      },
      (logger) => logger.info('a'),
    )
    assert.equal(second?.text, '<info> a')
    assert.equal(second?.headers['millrace.body.format'], 'text')
  })

  it('maps every level of npm, syslog and cli, and lets levelMap go first', async () => {
    const wanted: Record<string, Record<string, string>> = {
      npm: {
        error: '40000',
        warn: '30000',
        info: '20000',
        http: '20000',
        verbose: '10000',
        debug: '10000',
        silly: '5000',
      },
      syslog: {
        emerg: '50000',
        alert: '50000',
        crit: '50000',
        error: '40000',
        warning: '30000',
        notice: '20000',
        info: '20000',
        debug: '10000',
      },
      cli: { help: '20000', data: '20000', prompt: '10000', input: '5000' },
    }
    for (const [name, expected] of Object.entries(wanted)) {
      const { levels } = winston.config[name as 'npm']
      receiver.clear()
      const transport = transportTo({})
      const logger = createLogger({
        levels,
        level: name === 'syslog' ? 'debug' : 'silly',
        format: plain,
        transports: [transport],
      })
      for (const level of Object.keys(expected)) logger.log(level, level)
      await transport.flush()
      const seen = Object.fromEntries(
        receiver.events.map((e) => [e.text, e.headers['flume.client.log4j.log.level']]),
      )
      assert.deepEqual(seen, expected)
    }
    receiver.clear()
    const [own] = await shipped({ levelMap: { http: 10_000 } }, (logger) => logger.http('x'))
    assert.equal(own?.headers['flume.client.log4j.log.level'], '10000')
  })

  it('ships a level that nobody knows as INFO and warns once', async () => {
    const transport = transportTo()
    const logger = createLogger({
      levels: { odd: 0, info: 1 },
      format: plain,
      transports: [transport],
    })
    const warnings: unknown[] = []
    logger.on('warn', (warning) => warnings.push(warning))
    logger.log('odd', '1')
    logger.log('odd', '2')
    await transport.flush()
    assert.equal(receiver.events[1]?.headers['flume.client.log4j.log.level'], '20000')
    assert.equal(receiver.events[1]?.headers['millrace.level.name'], 'odd')
    assert.equal(warnings.length, 1)
  })

  it('finds an error wherever winston puts it, with its cause', async () => {
    const cause = new RangeError('deep')
    const error = new TypeError('bad', { cause })
    const calls: ((logger: winston.Logger) => void)[] = [
      (logger) => logger.error(new TypeError('bad', { cause })),
      (logger) => logger.error('ctx', error),
      (logger) => logger.error('ctx', { err: error }),
      (logger) => logger.error('ctx', { anything: error }),
      (logger) => logger.error('ctx %s', 'x', error),
      (logger) => logger.child({ part: 1 }).error('ctx', error),
    ]
    for (const loggerOptions of [{}, { format: plain }, { format: format.simple() }]) {
      for (const [index, call] of calls.entries()) {
        receiver.clear()
        const [event] = await shipped({}, call, loggerOptions)
        assert.equal(event?.headers['error.type'], 'TypeError', `call ${index}`)
        assert.match(event?.text ?? '', /TypeError: bad(\\n|\n) {4}at /, `call ${index}`)
        assert.match(event?.text ?? '', /Caused by: RangeError: deep\n/, `call ${index}`)
      }
    }
    receiver.clear()
    const [json] = await shipped({ body: 'json' }, (logger) => logger.error('ctx', { err: error }))
    const { err, attrs } = JSON.parse(json?.text ?? '')
    assert.equal(err.type, 'TypeError')
    assert.equal(err.cause.type, 'RangeError')
    assert.equal(attrs, undefined)
  })

  it('knows the type of an error of which winston has copied the fields', async () => {
    class OwnError extends Error {
      constructor(message: string) {
        super(message)
        this.name = 'OwnError'
      }
    }
    const coded = Object.assign(new RangeError('x'), { code: 'ERR_X' })
    for (const [error, type] of [
      [new TypeError('bad'), 'TypeError'],
      [new TypeError(), 'TypeError'],
      [new OwnError('own'), 'OwnError'],
      [coded, 'RangeError'],
    ] as const) {
      for (const log of [
        (logger: winston.Logger) => logger.error(error),
        (logger: winston.Logger) => logger.log({ level: 'error', message: error as never }),
      ]) {
        receiver.clear()
        const [event] = await shipped({}, log, {
          format: format.combine(format.errors({ stack: true }), format.json()),
        })
        assert.equal(event?.headers['error.type'], type)
      }
      // Without the stack nothing is left of it, unless the call was noted.
      receiver.clear()
      const [noted] = await shipped({}, (logger) => attachContext(logger).error(error), {
        format: format.combine(format.errors(), format.json()),
      })
      assert.equal(noted?.headers['error.type'], type)
    }
  })

  it('takes over trace ids, and context entries by name', async () => {
    const [event] = await shipped({ context: { include: ['tenant'] } }, (logger) =>
      logger.info('x', {
        trace_id: '0af7651916cd43dd8448eb211c80319c',
        span_id: 'b7ad6b7169203331',
        trace_flags: '01',
        tenant: 't1',
      }),
    )
    assert.equal(
      event?.headers['traceparent'],
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    )
    assert.equal(event?.headers['mdc.tenant'], 't1')
  })

  it('trusts a timestamp only when asked to', async () => {
    const call = (logger: winston.Logger) =>
      logger.info('x', { timestamp: '2020-01-01T00:00:00.000Z' })
    const before = Date.now()
    const [own] = await shipped({}, call)
    assert.ok(Number(own?.headers['timestamp']) >= before)
    receiver.clear()
    const [given] = await shipped({ trustTimestamp: true }, call)
    assert.equal(given?.headers['timestamp'], String(Date.UTC(2020, 0, 1)))
  })

  it('honours level, silent and format', async () => {
    const events = await shipped({ level: 'warn' }, (logger) => {
      logger.info('no')
      logger.warn('yes')
    })
    assert.deepEqual(
      events.map((event) => event.text),
      ['yes'],
    )
    receiver.clear()
    assert.equal((await shipped({ silent: true }, (logger) => logger.warn('no'))).length, 0)
  })

  it('gives each record the context of its call behind a slow transport', async () => {
    const storage = new AsyncLocalStorage<{ request: string }>()
    const transport = transportTo({ context: { include: '*' } })
    const slow = new TransportStream({
      log(_info: unknown, next: () => void) {
        setImmediate(next)
      },
    })
    const logger = attachContext(
      createLogger({ format: plain, transports: [slow, transport] }),
      storage,
    )
    const child = logger.child({ part: 'child' })
    for (let i = 0; i < 1_000; i += 1) {
      storage.run({ request: `r${i}` }, () => (i % 2 === 0 ? logger : child).info(`r${i}`))
    }
    await receiver.waitFor(1_000)
    for (const event of receiver.events) assert.equal(event.headers['mdc.request'], event.text)
  })

  it('survives records that cannot be read, and formats that throw', async () => {
    const events = await shipped(
      {
        format: format((info) => {
          if (info.message === 'throw') throw new Error('format')
          return info
        })(),
      },
      (logger) => {
        logger.info('throw')
        logger.info('x', {
          nested: new Proxy(
            {},
            {
              get() {
                throw new Error('trap')
              },
              getPrototypeOf() {
                throw new Error('trap')
              },
            },
          ),
          big: 1n,
        })
        logger.info('after')
      },
    )
    assert.deepEqual(
      events.map((event) => event.text),
      ['throw', 'x', 'after'],
    )
  })

  it('calls back at once and never emits error while nobody listens', async () => {
    const blocked = createServer().listen(0, '127.0.0.1')
    await once(blocked, 'listening')
    const { port } = blocked.address() as AddressInfo
    await new Promise((resolve) => blocked.close(resolve))
    const transport = transportTo({ hosts: [`127.0.0.1:${port}`], queue: { maxEvents: 100 } })
    const logger = createLogger({ format: plain, transports: [transport] })
    for (let i = 0; i < 5_000; i += 1) logger.info(`${i}`)
    assert.equal(await transport.flush({ timeoutMs: 50 }), false)
    await until(() => transport.state().accepted === 5_000, { timeoutMs: 2_000, what: 'all taken' })
    const { dropped, queued, inFlight } = transport.state()
    assert.equal(dropped.overflow, 4_900)
    assert.equal(queued + inFlight, 100)
  })

  it('finishes once, after the last delivery, when the logger ends', async () => {
    const transport = transportTo({ batch: { lingerMs: 60_000 } })
    const logger = createLogger({ format: plain, transports: [transport] })
    let finished = 0
    transport.on('finish', () => {
      finished += 1
      assert.equal(receiver.events.length, 50)
    })
    for (let i = 0; i < 50; i += 1) logger.info(`${i}`)
    logger.end()
    await once(transport, 'finish')
    await transport.close()
    assert.equal(finished, 1)
  })

  it('delivers and finishes once when it is closed, in any order and twice', async () => {
    const transport = transportTo({ batch: { lingerMs: 60_000 } })
    const logger = createLogger({ format: plain, transports: [transport] })
    let finished = 0
    transport.on('finish', () => {
      finished += 1
    })
    logger.info('last words')
    await Promise.all([transport.close(), transport.close()])
    assert.equal(receiver.events.length, 1)
    logger.info('too late')
    logger.close()
    await transport.close()
    await until(() => finished > 0, { timeoutMs: 1_000, what: 'finish' })
    assert.equal(finished, 1)
    assert.equal(transport.state().dropped.closed, 1)
  })

  it('finishes at its deadline when no receiver answers', async () => {
    receiver.respond('hang')
    const transport = transportTo({ closeTimeoutMs: 100 })
    const logger = createLogger({ format: plain, transports: [transport] })
    logger.error('stuck')
    logger.end()
    await once(transport, 'finish')
    receiver.respond()
    assert.equal(transport.state().dropped['close-deadline'], 1)
  })

  it('goes on for the other loggers when one of them lets go of it', async () => {
    const transport = transportTo()
    const first = createLogger({ format: plain, transports: [transport] })
    const second = createLogger({ format: plain, transports: [transport] })
    first.close()
    second.info('still here')
    await transport.flush()
    assert.equal(receiver.events.length, 1)
    second.close()
    await transport.close()
  })

  it('refuses bad options by name and at construction only', () => {
    for (const [options, message] of [
      [{ hosts: [] }, /^hosts must be a list/],
      [{ hosts: ['h:1'], batchSize: 3 }, /^Unknown option batchSize/],
      [{ hosts: ['h:1'], loggerName: 7 }, /^loggerName must be a text/],
      [{ hosts: ['h:1'], trustTimestamp: 1 }, /^trustTimestamp must be true or false/],
      [{ hosts: ['h:1'], uncaughtLevel: 'warn' }, /^uncaughtLevel must be one of error, fatal/],
      [{ hosts: ['h:1'], level: 7 }, /^level must be a text/],
      [{ hosts: ['h:1'], format: format.json }, /^format must be a format of winston, not a func/],
    ] as const) {
      assert.throws(() => new MillraceTransport(options as never), {
        code: 'MILLRACE_OPTION_INVALID',
        message,
      })
    }
  })
})
