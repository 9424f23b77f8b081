import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { mockReceiver } from '@millrace/testkit/receiver'
import { freePort } from '../../support/free-port.js'
import { runScript } from '../../support/run-script.js'
import { temporaryDirectory } from '../../support/temp-directory.js'

const COUNT = 10_000

/** A logger that ships, as `log(text)`. */
const LOGGERS: Record<string, string> = {
  winston: `
    import winston from 'winston'
    import { MillraceTransport } from '@millrace/winston'
    const logger = winston.createLogger({
      format: winston.format.printf(({ message }) => message),
      transports: [new MillraceTransport(options)],
    })
    const log = (text) => logger.info(text)`,
  log4js: `
    import log4js from 'log4js'
    log4js.configure({
      appenders: { it: { type: '@millrace/log4js', ...options } },
      categories: { default: { appenders: ['it'], level: 'info' } },
    })
    const logger = log4js.getLogger('it')
    const log = (text) => logger.info(text)`,
  'pino in the process': `
    import { pino } from 'pino'
    import { createDestination } from '@millrace/pino'
    const logger = pino({}, createDestination(options))
    const log = (text) => logger.info(text)`,
}

function program(logger: string, directory: string, port: number): string {
  const options = {
    hosts: [`127.0.0.1:${port}`],
    queue: { policy: 'spool', directory },
    diagnostics: 'off',
  }
  return `const options = ${JSON.stringify(options)}\n${LOGGERS[logger]}\n`
}

describe('the spool of a process that is killed', () => {
  for (const logger of Object.keys(LOGGERS)) {
    it(`holds all that ${logger} had logged, and the next process delivers it`, async () => {
      const directory = temporaryDirectory()
      const source = program(logger, directory, await freePort())
      const killed = await runScript(`${source}
        for (let i = 0; i < ${COUNT}; i += 1) log(String(i))
        process.kill(process.pid, 'SIGKILL')`)
      assert.equal(killed.signal, 'SIGKILL', killed.stderr)

      const receiver = await mockReceiver()
      try {
        const next = await runScript(program(logger, directory, receiver.port))
        assert.equal(next.code, 0, next.stderr)
        const bodies = receiver.events.map(({ text }) => text)
        assert.deepEqual(
          bodies,
          Array.from({ length: COUNT }, (_, i) => String(i)),
        )
      } finally {
        await receiver.close()
      }
      // The own one of the process that has just ended, which is empty, goes with the next.
      assert.ok((await readdir(directory)).length <= 1)
    }).timeout(30_000)
  }

  it('holds what the worker of pino had when all threads are killed', async () => {
    const directory = temporaryDirectory()
    const options = {
      hosts: [`127.0.0.1:${await freePort()}`],
      queue: { policy: 'spool', directory },
      diagnostics: 'off',
    }
    const killed = await runScript(`
      import { readdirSync, readFileSync, statSync } from 'node:fs'
      import { join } from 'node:path'
      import { pino } from 'pino'
      const directory = ${JSON.stringify(directory)}
      const options = ${JSON.stringify(options)}
      const logger = pino(pino.transport({ target: '@millrace/pino', options }))
      for (let i = 0; i < 1000; i += 1) logger.info('line ' + i + '.')
      const holds = (name) => {
        const path = join(directory, name)
        return statSync(path, { throwIfNoEntry: false })?.isFile() && readFileSync(path).includes('line 999.')
      }
      setInterval(() => {
        const names = readdirSync(directory, { recursive: true })
        if (names.some(holds)) process.kill(process.pid, 'SIGKILL')
      }, 20)`)
    assert.equal(killed.signal, 'SIGKILL', killed.stderr)
    const receiver = await mockReceiver()
    try {
      const next = await runScript(program('winston', directory, receiver.port))
      assert.equal(next.code, 0, next.stderr)
      assert.deepEqual(
        receiver.events.map(({ text }) => text),
        Array.from({ length: 1000 }, (_, i) => `line ${i}.`),
      )
    } finally {
      await receiver.close()
    }
  }).timeout(30_000)
})
