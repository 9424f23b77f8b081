import assert from 'node:assert/strict'
import dns from 'node:dns'
import * as log4jsModule from '@millrace/log4js'
import createWorkerStream, { createDestination } from '@millrace/pino'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'
import { MillraceTransport } from '@millrace/winston'
import log4js from 'log4js'
import { pino } from 'pino'
import winston from 'winston'
import { runScript } from '../../support/run-script.js'
import { until } from '../../support/until.js'

type Log = (text: string, fields: object) => unknown

describe('loggers of an application, where other transports hurt', () => {
  let receiver: MockReceiver
  before(async () => {
    receiver = await mockReceiver()
  })
  after(() => receiver.close())
  beforeEach(() => {
    receiver.respond()
    receiver.clear()
  })

  const shutdown = (): Promise<unknown> => new Promise((done) => log4js.shutdown(done))

  /** The three loggers, with JSON bodies; each with the way to close it. */
  function loggers(): { log: Log; close: () => Promise<unknown> }[] {
    const options = { hosts: [receiver.address], body: 'json', diagnostics: 'off' } as const
    const transport = new MillraceTransport(options)
    const ofWinston = winston.createLogger({ transports: [transport] })
    const destination = createDestination(options)
    const ofPino = pino(destination)
    log4js.configure({
      appenders: { m: { type: log4jsModule, ...options } },
      categories: { default: { appenders: ['m'], level: 'info' } },
    })
    const ofLog4js = log4js.getLogger()
    return [
      { log: (text, fields) => ofWinston.info(text, fields), close: () => transport.close() },
      { log: (text, fields) => ofPino.info(fields, text), close: () => destination.close() },
      { log: (text, fields) => ofLog4js.info(text, fields), close: shutdown },
    ]
  }

  it('what is changed after the call is not seen, and frozen values are taken', async () => {
    const all = loggers()
    for (const { log } of all) {
      const fields = { order: { state: 'open', lines: [1] } }
      log('changed later', fields)
      fields.order.state = 'paid'
      fields.order.lines.push(2)
      log('frozen', Object.freeze({ order: Object.freeze({ state: 'open', lines: [] }) }))
    }
    await Promise.all(all.map(({ close }) => close()))
    const documents = receiver.events.map(({ text }) => JSON.parse(text))
    assert.equal(documents.length, 6)
    for (const { msg, attrs } of documents) {
      assert.deepEqual(attrs.order, { state: 'open', lines: msg === 'frozen' ? [] : [1] })
    }
  })

  it('of two fields of one name the last counts, and the body stays valid', async () => {
    const [ofWinston] = loggers()
    await ofWinston?.close()
    await shutdown()
    const options = { hosts: [receiver.address], body: 'json' } as const
    const transport = new MillraceTransport(options)
    const destination = createDestination(options)
    winston
      .createLogger({ transports: [transport] })
      .child({ id: 1 })
      .info('x', { id: 2 })
    pino(destination).child({ id: 1 }).child({ id: 3 }).info({ id: 2 }, 'x')
    await Promise.all([transport.close(), destination.close()])
    assert.deepEqual(
      receiver.events.map(({ text }) => JSON.parse(text).attrs.id),
      [2, 2],
    )
  })

  it('text levels of pino keep their severity', async () => {
    const destination = createDestination({ hosts: [receiver.address] })
    const formatters = { level: (label: string) => ({ level: label }) }
    pino({ formatters }, destination).warn('x')
    destination.write('{"level":"error","msg":"a line"}\n')
    await destination.close()
    assert.deepEqual(
      receiver.events.map(({ headers }) => headers['flume.client.log4j.log.level']),
      ['30000', '40000'],
    )
  })

  it('a worker takes all it gets while nobody listens, and keeps the newest', async () => {
    const stream = await createWorkerStream({
      hosts: ['127.0.0.1:1'],
      diagnostics: 'off',
      queue: { maxEvents: 100 },
      closeTimeoutMs: 20,
    })
    for (let i = 0; i < 20_000; i += 1) {
      assert.equal(stream.write(`{"level":30,"msg":"${i}"}\n`), true)
    }
    assert.equal(stream.writableNeedDrain, false)
    await new Promise<void>((resolve) => {
      stream.end(resolve)
    })
  })

  it('a host without an address is tried again, and asked for at each connection', async () => {
    const lookup = dns.lookup
    let asked = 0
    Reflect.set(
      dns,
      'lookup',
      (_: string, options: { all?: boolean }, done: (...args: unknown[]) => void) => {
        asked += 1
        if (asked === 1) done(Object.assign(new Error('no address'), { code: 'EAI_AGAIN' }))
        else if (options.all === true) done(null, [{ address: '127.0.0.1', family: 4 }])
        else done(null, '127.0.0.1', 4)
      },
    )
    const transport = new MillraceTransport({
      hosts: [`receiver.invalid:${receiver.port}`],
      diagnostics: 'off',
      backoff: { minMs: 1, maxMs: 10 },
    })
    const logger = winston.createLogger({ transports: [transport] })
    try {
      for (const text of ['first', 'second']) {
        logger.info(text)
        assert.equal(await transport.flush(), true)
        receiver.disconnect()
        await until(() => receiver.connectionCount === 0, { what: 'no connection' })
      }
      assert.equal(asked, 3)
      assert.equal(receiver.events.length, 2)
    } finally {
      Reflect.set(dns, 'lookup', lookup)
      await transport.close()
    }
  })

  it('connections that break while it closes make no noise', async () => {
    receiver.respond('drop')
    const { code, stderr } = await runScript(`
      import winston from 'winston'
      import { MillraceTransport } from '@millrace/winston'
      const transport = new MillraceTransport({ hosts: ['${receiver.address}'], diagnostics: 'off' })
      winston.createLogger({ transports: [transport] }).error('x')
      await transport.close({ timeoutMs: 200 })`)
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.ok(receiver.calls.length >= 1)
  })

  it('a logger goes on after an uncaught exception that does not end the process', async () => {
    const { code, stderr } = await runScript(`
      import winston from 'winston'
      import { MillraceTransport } from '@millrace/winston'
      const transport = new MillraceTransport({ hosts: ['${receiver.address}'], handleExceptions: true })
      const logger = winston.createLogger({ exitOnError: false, transports: [transport] })
      setTimeout(() => { throw new Error('uncaught') })
      setTimeout(async () => { logger.info('goes on'); await transport.close(); process.exit(0) }, 100)`)
    assert.equal(code, 0, stderr)
    assert.equal(receiver.events[0]?.headers['millrace.uncaught'], 'exception')
    assert.match(receiver.events[1]?.text ?? '', /goes on/)
  })

  it('many loggers, children and records leave no listeners behind', async () => {
    const { code, stdout, stderr } = await runScript(`
      import winston from 'winston'
      import log4js from 'log4js'
      import { pino } from 'pino'
      import { createDestination } from '@millrace/pino'
      import { MillraceTransport } from '@millrace/winston'
      const hosts = ['${receiver.address}']
      process.on('warning', (warning) => console.log(warning.name, warning.message))
      const transport = new MillraceTransport({ hosts })
      for (let i = 0; i < 30; i += 1) winston.createLogger({ transports: [transport] }).info('x')
      const logger = winston.createLogger({ transports: [transport] })
      const destination = createDestination({ hosts })
      const parent = pino(destination)
      log4js.configure({ appenders: { m: { type: '@millrace/log4js', hosts } },
        categories: { default: { appenders: ['m'], level: 'info' } } })
      const count = () => process.eventNames().map((name) => process.listenerCount(name)).join()
      parent.info('x'), log4js.getLogger().info('x')
      const before = count() + transport.eventNames().map((name) => transport.listenerCount(name)).join()
      for (let i = 0; i < 100; i += 1) {
        logger.child({ i }).info('x'), parent.child({ i }).info('x'), log4js.getLogger('c' + i).info('x')
      }
      const after = count() + transport.eventNames().map((name) => transport.listenerCount(name)).join()
      console.log(before === after)
      await Promise.all([transport.close(), destination.close(), new Promise((done) => log4js.shutdown(done))])`)
    assert.equal(code, 0, stderr)
    assert.equal(stdout, 'true\n')
    assert.equal(receiver.events.length, 332)
  })

  it('to load a package starts nothing', async () => {
    const { stdout } = await runScript(`
      const events = () => process.eventNames().map((name) => String(name) + process.listenerCount(name)).sort().join()
      await Promise.all(['winston', 'log4js', 'pino'].map((name) => import(name)))
      const before = events()
      await Promise.all(['winston', 'log4js', 'pino'].map((name) => import('@millrace/' + name)))
      console.log(before === events(), process.getActiveResourcesInfo().filter((name) => !/PipeWrap|FSReq|TTY|CloseReq/.test(name)))`)
    assert.equal(stdout, 'true []\n')
  })
})
