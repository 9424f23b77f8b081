import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type MockReceiver, mockReceiver } from '@millrace/testkit/receiver'
import { repository } from '../../support/repository.js'
import { runScript, type ScriptResult } from '../../support/run-script.js'

const EVENTS = 100

/** How a program makes its logger, and how it closes it. */
const LOGGERS: Readonly<Record<string, { imports: string; make: string; close: string }>> = {
  winston: {
    imports: `import winston from 'winston'\nimport { MillraceTransport } from '@millrace/winston'`,
    make: `const transport = new MillraceTransport({ hosts })
           const logger = winston.createLogger({ transports: [transport] })`,
    close: 'await transport.close()',
  },
  log4js: {
    imports: `import log4js from 'log4js'\nimport { close } from '@millrace/log4js'`,
    make: `log4js.configure({
             appenders: { m: { type: '@millrace/log4js', hosts } },
             categories: { default: { appenders: ['m'], level: 'info' } } })
           const logger = log4js.getLogger()`,
    close: 'await close()',
  },
  'pino, worker': {
    imports: `import { pino } from 'pino'`,
    make: `const transport = pino.transport({ target: '@millrace/pino', options: { hosts } })
           const logger = pino(transport)`,
    close: `await new Promise((resolve) => transport.once('close', resolve).end())`,
  },
  'pino, in the process': {
    imports: `import { pino } from 'pino'\nimport { createDestination } from '@millrace/pino'`,
    make: `const destination = createDestination({ hosts })
           const logger = pino(destination)`,
    close: 'await destination.close()',
  },
}

/** What a program does after it has logged. */
const ENDS: Readonly<Record<string, (close: string) => string>> = {
  '`await` of `close` or `flush`': (close) => close,
  'its natural end': () => '',
  '`process.exit()`': () => 'process.exit()',
  'an uncaught exception': () => `throw new Error('uncaught')`,
  'SIGTERM with a handler that closes': (close) => `
    process.once('SIGTERM', async () => { ${close}; process.exit() })
    process.kill(process.pid, 'SIGTERM')
    setTimeout(() => {}, 10_000)`,
  'SIGTERM without a handler': () =>
    `process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 10_000)`,
  'SIGKILL, or a crash of Node': () => `process.kill(process.pid, 'SIGKILL')`,
}

interface Cell {
  readonly end: string
  readonly logger: string
  readonly outcome: string
}

/** The cells of the guide's table. */
function cells(): Cell[] {
  const page = readFileSync(join(repository, 'docs/guides/process-end.md'), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('|'))
  const table = rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((text) => text.trim()),
  )
  const [head = [], , ...body] = table
  return body.flatMap(([end = '', ...outcomes]) =>
    outcomes.map((outcome, i) => ({ end, logger: head[i + 1] ?? '', outcome })),
  )
}

function outcomeOf(result: ScriptResult, receiver: MockReceiver): string {
  const said = /process-end: .*\((\d+) events\)/.exec(result.stderr)?.[1]
  const delivered = receiver.events.length
  if (delivered === EVENTS && said === undefined) return 'delivered'
  if (delivered === 0) return said === String(EVENTS) ? 'lost, said' : 'lost'
  return `${delivered} delivered, ${said ?? 'none'} said to be lost`
}

async function outcome({ end, logger }: Cell): Promise<string> {
  const program = LOGGERS[logger]
  const ending = ENDS[end]
  assert.ok(program && ending, `${end}, ${logger}`)
  const receiver = await mockReceiver()
  const result = await runScript(`
    ${program.imports}
    const hosts = ['${receiver.address}']
    ${program.make}
    for (let i = 0; i < ${EVENTS}; i += 1) logger.info('record ' + i)
    ${ending(program.close)}`)
  await receiver.close()
  return outcomeOf(result, receiver)
}

describe('the end of a process that has just logged', () => {
  const all = cells()
  const outcomes = new Map<Cell, string>()

  before(async function () {
    this.timeout(60_000)
    const open = [...all]
    const runSome = async (): Promise<void> => {
      for (let cell = open.shift(); cell; cell = open.shift())
        outcomes.set(cell, await outcome(cell))
    }
    await Promise.all([runSome(), runSome(), runSome()])
  })

  for (const cell of all) {
    it(`by ${cell.end} has the records of ${cell.logger} ${cell.outcome}`, () => {
      assert.equal(outcomes.get(cell), cell.outcome)
    })
  }
})

describe('the natural end of a process', () => {
  const making = `
    import { Appender } from '@millrace/appender'
    const record = (text) => ({ timestampMs: 0, level: 20_000, levelName: 'info', loggerName: 'l', text })
    const make = (options) => new Appender({ hosts: ['127.0.0.1:1'], ...options }, { loggerName: 'l' })
  `

  it('comes at the deadline when no receiver can be reached, with a line', async () => {
    const { code, stderr, durationMs } = await runScript(`${making}
      const appender = make({ exitTimeoutMs: 1_000 })
      for (const text of ['one', 'two', 'three']) appender.append(record(text))`)
    assert.equal(code, 0)
    assert.match(stderr, /^millrace appender: process-end: .*\(3 events\)$/m)
    assert.ok(durationMs >= 1_000 && durationMs < 4_000, String(durationMs))
  })

  it('comes at once with exitTimeoutMs 0, with a line', async () => {
    const { code, stderr, durationMs } = await runScript(`${making}
      make({ exitTimeoutMs: 0 }).append(record('x'))`)
    assert.equal(code, 0)
    assert.match(stderr, /process-end: /)
    assert.ok(durationMs < 3_000, String(durationMs))
  })

  it('does not wait again for what a flush has waited for in vain, but for what came later', async () => {
    const program = (rest: string) => `${making}
      const appender = make({ exitTimeoutMs: 2_000, diagnostics: 'off' })
      appender.append(record('x'))
      const isSettled = await appender.flush({ timeoutMs: 50 })
      ${rest}
      const start = performance.now()
      process.on('exit', () => console.log(isSettled, performance.now() - start >= 1_900))`
    assert.equal((await runScript(program(''))).stdout, 'false false\n')
    assert.equal((await runScript(program(`appender.append(record('y'))`))).stdout, 'false true\n')
  })

  it('says nothing with diagnostics off', async () => {
    const { stderr } = await runScript(`${making}
      make({ exitTimeoutMs: 0, diagnostics: 'off' }).append(record('x'))`)
    assert.equal(stderr, '')
  })

  it('waits for the appenders of both builds together, with one listener', async () => {
    const receiver = await mockReceiver()
    const { code, stdout } = await runScript(`${making}
      import { createRequire } from 'node:module'
      const { Appender: Common } = createRequire(import.meta.url)('@millrace/appender')
      const hosts = ['${receiver.address}']
      make({ hosts }).append(record('esm'))
      new Common({ hosts }, { loggerName: 'l' }).append(record('cjs'))
      console.log(Common !== Appender, process.listenerCount('beforeExit'))`)
    assert.deepEqual({ code, stdout }, { code: 0, stdout: 'true 1\n' })
    assert.deepEqual(receiver.events.map(({ text }) => text).sort(), ['cjs', 'esm'])
    await receiver.close()
  })

  it('waits for what a listener of beforeExit logs, and not for ever', async () => {
    const receiver = await mockReceiver()
    const { code, stdout } = await runScript(`${making}
      const appender = make({ hosts: ['${receiver.address}'] })
      let calls = 0
      process.on('beforeExit', () => appender.append(record('bye ' + ++calls)))
      process.on('exit', () => console.log(calls))`)
    assert.equal(code, 0)
    assert.equal(receiver.events[0]?.text, 'bye 1')
    assert.equal(stdout, '2\n')
    await receiver.close()
  })

  it('waits again for what the program logs when it has gone on', async () => {
    const receiver = await mockReceiver()
    const { code } = await runScript(`${making}
      const appender = make({ hosts: ['${receiver.address}'] })
      appender.append(record('first'))
      process.once('beforeExit', () => setTimeout(() => appender.append(record('second')), 300))`)
    assert.equal(code, 0)
    assert.deepEqual(
      receiver.events.map(({ text }) => text),
      ['first', 'second'],
    )
    await receiver.close()
  })

  it('is not held up by an attempt to connect that gets no answer', async () => {
    const { code, durationMs } = await runScript(`${making}
      const connect = (_, { signal }) => new Promise((_, reject) => {
        const timer = setTimeout(() => {}, 30_000)
        signal.addEventListener('abort', () => { clearTimeout(timer); reject(signal.reason) })
      })
      const appender = new Appender({ hosts: ['a:1'], exitTimeoutMs: 300 }, { loggerName: 'l', connect })
      appender.append(record('x'))
      await new Promise((resolve) => setTimeout(resolve, 300).unref())`)
    assert.equal(code, 0)
    assert.ok(durationMs < 5_000, String(durationMs))
  })
})
