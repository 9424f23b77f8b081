import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { createRequire } from 'node:module'
import { close, flush, mdc, type MillraceAppenderConfig } from '@millrace/log4js'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'
import log4js from 'log4js'

const shutdown = () =>
  new Promise<Error | undefined>((resolve) => {
    log4js.shutdown((error) => resolve(error))
  })

describe('log4js appender', () => {
  let receiver: MockReceiver
  before(async () => {
    receiver = await mockReceiver()
  })
  after(() => receiver.close())
  beforeEach(() => receiver.clear())
  afterEach(async () => {
    receiver.respond()
    await shutdown()
  })

  function configure(
    options: Omit<Partial<MillraceAppenderConfig>, 'type'> = {},
    category: object = {},
  ) {
    log4js.configure({
      appenders: {
        flume: {
          type: '@millrace/log4js',
          hosts: [receiver.address],
          diagnostics: 'off',
          ...options,
        },
      },
      categories: { default: { appenders: ['flume'], level: 'all', ...category } },
    })
    return log4js.getLogger('db.pool')
  }

  async function shipped() {
    assert.equal(await flush(), true)
    return receiver.events
  }

  it('ships category, level and the interpolated message with the stack and its causes', async () => {
    const logger = configure()
    logger.error('lost %s', 'n1', new Error('down', { cause: new RangeError('why') }))
    const [event] = await shipped()
    assert.equal(event?.headers['flume.client.log4j.logger.name'], 'db.pool')
    assert.equal(event?.headers['flume.client.log4j.log.level'], '40000')
    assert.equal(event?.headers['millrace.level.name'], 'ERROR')
    assert.equal(event?.headers['error.type'], 'Error')
    assert.match(event?.text ?? '', /^lost n1 Error: down\n {4}at [^]*RangeError: why\n/)
    assert.equal(event?.text.match(/RangeError: why/g)?.length, 1)
  })

  it('ships every level with the integer of Log4j, and MARK as INFO or as it is told', async () => {
    const logger = configure()
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'mark'] as const) {
      logger[level](level)
    }
    assert.deepEqual(
      (await shipped()).map((event) => [
        event.text,
        event.headers['flume.client.log4j.log.level'],
        event.headers['millrace.level.name'],
      ]),
      [
        ['trace', '5000', 'TRACE'],
        ['debug', '10000', 'DEBUG'],
        ['info', '20000', 'INFO'],
        ['warn', '30000', 'WARN'],
        ['error', '40000', 'ERROR'],
        ['fatal', '50000', 'FATAL'],
        ['mark', '20000', 'MARK'],
      ],
    )
    await shutdown()
    receiver.clear()
    configure({ markLevel: 'fatal' }).mark('m')
    assert.equal((await shipped())[0]?.headers['flume.client.log4j.log.level'], '50000')
  })

  it('ships custom levels as the next lower one, or as levelMap says', async () => {
    const configuration = (levelMap: object) => ({
      levels: {
        NOTICE: { value: 25_000, colour: 'green' },
        AUDIT: { value: 45_000, colour: 'red' },
      },
      appenders: {
        flume: { type: '@millrace/log4js', hosts: [receiver.address], levelMap },
      },
      categories: { default: { appenders: ['flume'], level: 'all' } },
    })
    log4js.configure(configuration({ AUDIT: 50_000 }))
    log4js.getLogger().log('NOTICE', 'n')
    log4js.getLogger().log('AUDIT', 'a')
    assert.deepEqual(
      (await shipped()).map((event) => event.headers['flume.client.log4j.log.level']),
      ['20000', '50000'],
    )
  })

  it('formats objects as the default layout does', async () => {
    const logger = configure()
    const calls: unknown[][] = [
      ['a', { b: 1, c: 'x' }],
      ['%s %d %j %% %o', 's', 4, { a: 1 }, [1]],
      [{ only: 'object' }],
      [1, 2n, null, undefined, Symbol('s'), [1, 2]],
      ['100% of %s'],
      [''],
    ]
    const { format } = await import('node:util')
    for (const call of calls) logger.info(...(call as [unknown]))
    assert.deepEqual(
      (await shipped()).map((event) => event.text),
      calls.map((call) => format(...call)),
    )
  })

  it('uses any layout that log4js knows and refuses one that it does not', async () => {
    const logger = configure({ body: 'layout', layout: { type: 'pattern', pattern: '<%p> %c %m' } })
    logger.info('x')
    assert.equal((await shipped())[0]?.text, '<INFO> db.pool x')
    await shutdown()
    assert.throws(() => configure({ layout: { type: 'nowhere' } }), {
      message: /layout\.type 'nowhere' is not known to log4js/,
    })
  })

  it('ships what it can when a layout throws', async () => {
    const logger = configure({
      layout: {
        type: 'pattern',
        pattern: '%x{bad}',
        tokens: {
          bad() {
            throw new Error('token')
          },
        },
      },
    })
    logger.info('x')
    const [event] = await shipped()
    assert.equal(event?.text, '[record cannot be read: token]')
    assert.equal(event?.headers['flume.client.log4j.logger.name'], 'db.pool')
  })

  it('ships the logger context, and what the application keeps, as headers', async () => {
    const storage = new AsyncLocalStorage<Map<string, string>>()
    const logger = configure({
      context: { include: '*' },
      getContext: () => storage.getStore(),
    })
    logger.addContext('user', 'u1')
    storage.run(new Map([['request', 'r1']]), () => logger.info('x'))
    const [event] = await shipped()
    assert.equal(event?.headers['mdc.user'], 'u1')
    assert.equal(event?.headers['mdc.request'], 'r1')
  })

  it('ships JSON with error, fields, arguments, context and place', async () => {
    const logger = configure({ body: 'json' }, { enableCallStack: true })
    logger.addContext('user', 'u1')
    const error = new TypeError('down', { cause: new Error('why') })
    logger.warn('lost %s', 'n1', { order: 7 }, 'rest', { order: 8, vol: '/' }, error)
    const document = JSON.parse((await shipped())[0]?.text ?? '')
    assert.equal(document.msg, 'lost n1')
    assert.equal(document.level, 'WARN')
    assert.deepEqual(document.attrs, { order: 8, vol: '/' })
    assert.deepEqual(document.args, ['rest'])
    assert.deepEqual(document.ctx, { user: 'u1' })
    assert.equal(document.err.type, 'TypeError')
    assert.equal(document.err.cause.message, 'why')
    assert.match(document.src.file, /appender\.test/)
    assert.ok(document.src.line > 0)
  })

  it('delivers all in shutdown and calls back once', async () => {
    const logger = configure({ batch: { lingerMs: 60_000 } })
    for (let i = 0; i < 250; i += 1) logger.info(`${i}`)
    let calls = 0
    await new Promise<void>((resolve) => {
      log4js.shutdown(() => {
        calls += 1
        resolve()
      })
    })
    assert.equal(receiver.events.length, 250)
    logger.info('after the end')
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(calls, 1)
    assert.equal(receiver.events.length, 250)
  })

  it('ends shutdown at its deadline when no receiver answers', async () => {
    receiver.respond('hang')
    configure({ closeTimeoutMs: 100 }).info('stuck')
    const started = performance.now()
    assert.equal(await shutdown(), undefined)
    assert.ok(performance.now() - started < 2_000)
  })

  it('flushes and closes all its appenders in the process', async () => {
    const other = await mockReceiver()
    const appender = (address: string) => ({
      type: '@millrace/log4js',
      hosts: [address],
      batch: { lingerMs: 60_000 },
    })
    log4js.configure({
      appenders: { a: appender(receiver.address), b: appender(other.address) },
      categories: { default: { appenders: ['a', 'b'], level: 'all' } },
    })
    log4js.getLogger().info('1')
    assert.equal(await flush({ timeoutMs: 3_000 }), true)
    assert.equal(receiver.events.length + other.events.length, 2)
    log4js.getLogger().info('2')
    await close()
    assert.equal(receiver.events.length + other.events.length, 4)
    assert.equal(await flush(), true)
    await other.close()
  })

  it('carries the entries of the mapped diagnostic context, each request its own', async () => {
    const logger = configure({ context: { include: '*' }, getContext: () => ({ last: 'given' }) })
    const request = (id: string) =>
      mdc.run({ requestId: id, last: 'mdc' }, async () => {
        logger.info('begin')
        await new Promise((resolve) => setImmediate(resolve))
        assert.equal(mdc.put('user', `u${id}`), true)
        mdc.run({ step: 'pay' }, () => {
          mdc.remove('user')
          logger.info('inner')
        })
        await new Promise((resolve) => setImmediate(resolve))
        assert.equal(mdc.get('user'), `u${id}`)
        logger.info('end')
      })
    await Promise.all([request('1'), request('2')])
    logger.info('outside')
    const headers = (await shipped()).map((event) => [
      event.text,
      ...['requestId', 'user', 'step', 'last'].map((name) => event.headers[`mdc.${name}`]),
    ])
    assert.deepEqual(headers, [
      ['begin', '1', undefined, undefined, 'given'],
      ['begin', '2', undefined, undefined, 'given'],
      ['inner', '1', undefined, 'pay', 'given'],
      ['inner', '2', undefined, 'pay', 'given'],
      ['end', '1', 'u1', undefined, 'given'],
      ['end', '2', 'u2', undefined, 'given'],
      ['outside', undefined, undefined, undefined, 'given'],
    ])
  })

  it('has an empty mapped diagnostic context outside of a run', () => {
    assert.equal(mdc.put('a', 1), false)
    assert.equal(mdc.get('a'), undefined)
    mdc.remove('a')
    assert.equal(mdc.entries(), undefined)
    assert.equal(
      mdc.run({ a: 1 }, () => mdc.get('a')),
      1,
    )
    assert.throws(
      () =>
        mdc.run({}, () => {
          throw new RangeError('own')
        }),
      RangeError,
    )
  })

  it('tells by false that a flush has met its deadline', async () => {
    receiver.respond('hang')
    configure({ closeTimeoutMs: 50 }).info('stuck')
    assert.equal(await flush({ timeoutMs: 50 }), false)
  })

  it('is one module behind both doors and exports nothing that log4js warns about', () => {
    const required = createRequire(import.meta.url)('@millrace/log4js') as Record<string, unknown>
    for (const name of ['appender', 'shutdown']) assert.equal(name in required, false)
    assert.equal(required['flush'], flush)
    assert.equal(required['close'], close)
    assert.equal(required['mdc'], mdc)
  })

  it('refuses bad options by name', () => {
    for (const [options, message] of [
      [{ markLevel: 'loud' }, /markLevel must be one of trace, debug/],
      [{ getContext: 7 }, /getContext must be a function/],
      [{ batchSize: 7 }, /Unknown option batchSize/],
      [{ layout: null }, /layout must be an object with a type, .* not null/],
      [{ layout: 'basic' }, /layout must be an object with a type, .* not "basic"/],
      [{ layout: {} }, /layout must be an object with a type, .* not an object/],
    ] as const) {
      assert.throws(() => configure(options as never), { message })
    }
  })
})
