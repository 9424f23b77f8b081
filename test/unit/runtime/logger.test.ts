import assert from 'node:assert/strict'
import { createLogger, LOG_LEVELS, type LogLevel, RateLimit, silentLogger } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'

const METHODS = ['trace', 'debug', 'info', 'warn', 'error'] as const

function capture(level: LogLevel) {
  const lines: string[] = []
  const logger = createLogger({
    level,
    clock: new FakeClock(Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
    write: (line) => lines.push(line),
  })
  return { logger, lines }
}

describe('createLogger', () => {
  it('writes time, level, name and message in one line', () => {
    const { logger, lines } = capture('info')
    logger.info('it runs')
    logger.child('agent a1').error('it fell')
    assert.deepEqual(lines, [
      '2026-01-02T03:04:05.678Z INFO  millrace: it runs\n',
      '2026-01-02T03:04:05.678Z ERROR agent a1: it fell\n',
    ])
  })

  for (const level of LOG_LEVELS) {
    it(`at level ${level} writes that level and those above it only`, () => {
      const { logger, lines } = capture(level)
      for (const method of METHODS) logger[method]('x')
      const above = METHODS.filter((m) => LOG_LEVELS.indexOf(m) >= LOG_LEVELS.indexOf(level))
      assert.deepEqual(
        lines.map((line) => line.split(' ')[1]?.toLowerCase()),
        above,
      )
      for (const method of METHODS) {
        assert.equal(logger.isEnabled(method), above.includes(method))
        assert.equal(logger.child('c').isEnabled(method), above.includes(method))
      }
    })
  }

  it('tells an error with its causes, and ends on a cause that is its own', () => {
    const { logger, lines } = capture('info')
    const root = new Error('ECONNREFUSED')
    logger.warn('cannot connect', new Error('host down', { cause: root }))
    assert.match(lines[0] ?? '', /cannot connect: host down \(cause: ECONNREFUSED\)\n$/)
    const told = new Error('no host: host down', { cause: new Error('host down', { cause: root }) })
    logger.warn('cannot connect', told)
    assert.match(lines[1] ?? '', /cannot connect: no host: host down \(cause: ECONNREFUSED\)\n$/)
    const loop = new Error('loop')
    loop.cause = loop
    logger.warn('x', loop)
    assert.match(lines[2] ?? '', /x: loop\n$/)
    logger.warn('x', 'a text')
    assert.match(lines[3] ?? '', /x: a text\n$/)
  })

  it('is silent when asked to be', () => {
    for (const method of METHODS) assert.equal(silentLogger.isEnabled(method), false)
    silentLogger.error('nobody hears this')
  })
})

describe('RateLimit', () => {
  it('lets one line per key and interval through, and then tells how many it held back', async () => {
    const clock = new FakeClock()
    const limit = new RateLimit({ intervalMs: 1_000, clock })
    assert.equal(limit.admit('a'), 0)
    assert.equal(limit.admit('b'), 0)
    assert.equal(limit.admit('a'), undefined)
    assert.equal(limit.admit('a'), undefined)
    await clock.advance(999)
    assert.equal(limit.admit('a'), undefined)
    await clock.advance(1)
    assert.equal(limit.admit('a'), 3)
    assert.equal(limit.admit('a'), undefined)
    await clock.advance(1_000)
    assert.equal(limit.admit('a'), 1)
  })

  it('is not moved by a jump of the wall clock', () => {
    const clock = new FakeClock()
    const limit = new RateLimit({ intervalMs: 1_000, clock })
    limit.admit('a')
    clock.jump(-1_000_000)
    assert.equal(limit.admit('a'), undefined)
    clock.jump(5_000_000)
    assert.equal(limit.admit('a'), undefined)
  })

  it('forgets its keys rather than keep more than it may', () => {
    const limit = new RateLimit({ intervalMs: 1_000, clock: new FakeClock(), maxKeys: 2 })
    limit.admit('a')
    limit.admit('b')
    assert.equal(limit.admit('a'), undefined)
    assert.equal(limit.admit('c'), 0)
    assert.equal(limit.admit('a'), 0)
  })
})
