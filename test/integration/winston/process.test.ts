import assert from 'node:assert/strict'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'
import { runScript } from '../../support/run-script.js'

describe('a process that logs', () => {
  let receiver: MockReceiver
  before(async () => {
    receiver = await mockReceiver()
  })
  after(() => receiver.close())
  beforeEach(() => receiver.clear())

  const winston = (rest: string, options: object = {}) => `
    import winston from 'winston'
    import { MillraceTransport } from '@millrace/winston'
    const transport = new MillraceTransport(${JSON.stringify({ hosts: [receiver.address], ...options })})
    const logger = winston.createLogger({ transports: [transport] })
    ${rest}
  `
  const log4js = (rest: string) => `
    import log4js from 'log4js'
    import { flush, close } from '@millrace/log4js'
    log4js.configure({
      appenders: { flume: { type: '@millrace/log4js', hosts: ['${receiver.address}'] } },
      categories: { default: { appenders: ['flume'], level: 'info' } },
    })
    const logger = log4js.getLogger()
    ${rest}
  `
  const pino = (rest: string) => `
    import { pino } from 'pino'
    import { createDestination } from '@millrace/pino'
    const destination = createDestination({ hosts: ['${receiver.address}'] })
    const logger = pino(destination)
    ${rest}
  `

  it('is not kept alive by an idle logger, connected or not', async () => {
    for (const source of [
      winston(''),
      log4js(''),
      pino(''),
      winston(`logger.info('x'); await transport.flush()`),
      log4js(`logger.info('x'); await flush()`),
      pino(`logger.info('x'); await destination.flush()`),
      winston(`logger.info('x'); await transport.flush({ timeoutMs: 100 })`, {
        hosts: ['127.0.0.1:1'],
        diagnostics: 'off',
      }),
    ]) {
      const result = await runScript(source)
      assert.equal(result.code, 0, result.stderr + String(result.signal))
      assert.ok(result.durationMs < 5_000, `${result.durationMs} ms`)
    }
    assert.equal(receiver.events.length, 3)
  })

  it('delivers all that it awaits at its end, as CommonJS too', async () => {
    const loop = `for (let i = 0; i < 1000; i += 1) logger.info('n' + i);`
    for (const source of [
      winston(`${loop} await transport.close()`),
      winston(
        `${loop} logger.end(); await new Promise((r) => transport.on('finish', r)); process.exit()`,
      ),
      log4js(`${loop} await close()`),
      log4js(`${loop} log4js.shutdown(() => process.exit())`),
      pino(`${loop} await destination.close(); process.exit()`),
    ]) {
      receiver.clear()
      const result = await runScript(source)
      assert.equal(result.code, 0, result.stderr)
      assert.equal(receiver.events.length, 1_000, source)
    }
    receiver.clear()
    const required = `
      const winston = require('winston')
      const { MillraceTransport } = require('@millrace/winston')
      const log4js = require('log4js')
      const { flush } = require('@millrace/log4js')
      const { pino } = require('pino')
      const { createDestination } = require('@millrace/pino')
      const hosts = ['${receiver.address}']
      const transport = new MillraceTransport({ hosts })
      winston.createLogger({ transports: [transport] }).info('w')
      log4js.configure({
        appenders: { flume: { type: '@millrace/log4js', hosts } },
        categories: { default: { appenders: ['flume'], level: 'info' } },
      })
      log4js.getLogger().info('l')
      const destination = createDestination({ hosts })
      pino(destination).info('p')
      Promise.all([transport.close(), flush(), destination.close()]).then(async () => {
        const { flush: other } = await import('@millrace/log4js')
        console.log(other === flush)
        process.exit()
      })
    `
    const result = await runScript(required, { type: 'commonjs' })
    assert.equal(result.stdout.trim(), 'true', result.stderr)
    assert.equal(receiver.events.length, 3)
  })

  it('delivers the last word of an uncaught exception before winston ends it', async () => {
    for (const [rest, kind] of [
      [`logger.info('before'); throw new TypeError('uncaught one')`, 'exception'],
      [`logger.info('before'); Promise.reject(new TypeError('uncaught one'))`, 'rejection'],
    ] as const) {
      receiver.clear()
      const source = winston(rest, {
        handleExceptions: true,
        handleRejections: true,
        batch: { lingerMs: 60_000 },
        urgentLevel: 'off',
        uncaughtLevel: 'fatal',
      })
      const result = await runScript(source)
      assert.equal(result.code, 1)
      assert.equal(receiver.events.length, 2)
      const last = receiver.events[1]
      assert.equal(last?.headers['millrace.uncaught'], kind)
      assert.equal(last?.headers['flume.client.log4j.log.level'], '50000')
      assert.equal(last?.headers['error.type'], 'TypeError')
      assert.match(last?.text ?? '', /uncaught one/)
    }
  })
})
