import assert from 'node:assert/strict'
import { LOG4J_LEVEL } from '@millrace/appender'
import { bench, imbalance, numbers, record } from '../../support/fake-receiver.js'

describe('queue policies of an appender', () => {
  it('drop-oldest keeps the newest events', async () => {
    const { appender, clock, receivers } = bench({ queue: { maxEvents: 1_000 } })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.isUp = false
    for (const n of numbers(0, 5_000)) appender.append(record(n))
    await clock.advance(5_000)
    assert.equal(appender.state().dropped.overflow, 4_000)
    assert.equal(appender.state().queued, 1_000)
    a.isUp = true
    await clock.advance(60_000)
    assert.deepEqual(a.stored, numbers(4_000, 5_000))
    assert.equal(imbalance(appender), 0)
  })

  it('drop-newest keeps the oldest events', async () => {
    const { appender, clock, receivers } = bench({
      queue: { maxEvents: 1_000, policy: 'drop-newest' },
    })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.isUp = false
    for (const n of numbers(0, 5_000)) appender.append(record(n))
    await clock.advance(5_000)
    assert.equal(appender.state().dropped.overflow, 4_000)
    a.isUp = true
    await clock.advance(60_000)
    assert.deepEqual(a.stored, numbers(0, 1_000))
  })

  it('drop-below-level gives up the lowest level first, of one level the oldest', async () => {
    const { appender, clock, receivers } = bench({
      queue: { maxEvents: 6, policy: 'drop-below-level', level: 'error' },
    })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.isUp = false
    const { DEBUG, INFO, WARN, ERROR } = LOG4J_LEVEL
    const log = (level: number, ...texts: string[]) => {
      for (const text of texts) appender.append(record(text, level))
    }
    log(DEBUG, 'd1', 'd2')
    log(WARN, 'w1')
    log(INFO, 'i1', 'i2')
    log(ERROR, 'e1')
    log(ERROR, 'e2', 'e3') // d1, d2
    log(DEBUG, 'd3') // itself
    log(INFO, 'i3') // i1
    log(ERROR, 'e4', 'e5', 'e6') // i2, i3, w1
    log(ERROR, 'e7') // e1, for nothing lower is left
    log(WARN, 'w2') // itself
    assert.equal(appender.state().dropped.overflow, 9)
    a.isUp = true
    await clock.advance(60_000)
    assert.deepEqual(a.stored, ['e2', 'e3', 'e4', 'e5', 'e6', 'e7'])
  })

  it('sends what is left between dropped events in one batch', async () => {
    const { appender, clock, receivers } = bench({
      queue: { maxEvents: 50, policy: 'drop-below-level' },
    })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.isUp = false
    for (const n of numbers(0, 100)) {
      appender.append(record(n, Number(n) % 2 ? LOG4J_LEVEL.ERROR : LOG4J_LEVEL.DEBUG))
    }
    a.isUp = true
    await clock.advance(60_000)
    assert.deepEqual(a.batches, [numbers(0, 100).filter((n) => Number(n) % 2)])
  })

  it('does not pin the memory of dropped events by the few that stay between them', async () => {
    const { appender, clock, receivers } = bench({
      queue: { maxEvents: 2_000, policy: 'drop-below-level' },
    })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.isUp = false
    const before = process.memoryUsage().arrayBuffers
    const text = 'x'.repeat(400)
    for (const n of numbers(0, 400_000)) {
      const isRare = Number(n) % 250 === 0
      appender.append(record(`${n} ${text}`, isRare ? LOG4J_LEVEL.ERROR : LOG4J_LEVEL.DEBUG))
    }
    // 1,600 rare events of 400 bytes lie in 1,600 different stretches of 100 kB.
    const grown = process.memoryUsage().arrayBuffers - before
    assert.ok(grown < 20 * 1_024 * 1_024, `${grown} bytes`)
    a.isUp = true
    await clock.advance(60_000)
    const rare = a.stored.filter((body) => Number(body.split(' ')[0]) % 250 === 0)
    assert.equal(rare.length, 1_600)
    assert.equal(imbalance(appender), 0)
  })

  it('limits the queue in bytes', () => {
    const { appender, receivers } = bench({ queue: { maxBytes: 10_000 } })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.isUp = false
    for (const n of numbers(0, 100)) appender.append(record(n.padEnd(997, '.')))
    const { queued, queue, dropped } = appender.state()
    assert.equal(queue.bytes, 10_000)
    assert.equal(queued, 10)
    assert.equal(dropped.overflow, 90)
  })

  it('counts what is on the way against the limits', async () => {
    const { appender, clock, receivers } = bench({
      queue: { maxEvents: 150 },
      batch: { maxEvents: 100 },
    })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.answer = () => 'silent'
    for (const n of numbers(0, 100)) appender.append(record(n))
    await clock.advance(1_000)
    for (const n of numbers(100, 400)) appender.append(record(n))
    const state = appender.state()
    assert.equal(state.inFlight, 100)
    assert.equal(state.queued, 50)
    assert.equal(state.dropped.overflow, 250)
  })
})
