import assert from 'node:assert/strict'
import { LOG4J_LEVEL } from '@millrace/appender'
import { bench, imbalance, numbers, record } from '../../support/fake-receiver.js'

const backoff = { minMs: 1_000, maxMs: 30_000 }

describe('delivery of an appender', () => {
  it('sends a full batch at once and the rest after the linger time', async () => {
    const { appender, clock, receivers } = bench({ batch: { maxEvents: 10, lingerMs: 200 } })
    for (const n of numbers(0, 15)) appender.append(record(n))
    await clock.advance(1)
    assert.deepEqual(receivers['a']?.batches, [numbers(0, 10)])
    await clock.advance(198)
    assert.equal(appender.state().queued, 5)
    await clock.advance(5)
    assert.deepEqual(receivers['a']?.batches, [numbers(0, 10), numbers(10, 15)])
    assert.equal(appender.state().delivered, 15)
  })

  it('sends a record of urgentLevel without waiting', async () => {
    const { appender, clock, receivers } = bench()
    appender.append(record('info'))
    appender.append(record('error', LOG4J_LEVEL.ERROR))
    await clock.advance(0)
    assert.deepEqual(receivers['a']?.stored, ['info', 'error'])
  })

  it('limits a batch by bytes', async () => {
    const { appender, clock, receivers } = bench({ batch: { maxBytes: 50 } })
    for (const n of numbers(100, 130)) appender.append(record(n.repeat(5)))
    await clock.advance(300)
    assert.equal(receivers['a']?.stored.length, 30)
    assert.ok(receivers['a']?.batches.every((batch) => batch.length <= 3))
  })

  it('starts while the receiver is down, and delivers when it is there', async () => {
    const { appender, clock, receivers } = bench({ backoff })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.isUp = false
    for (const n of numbers(0, 250)) appender.append(record(n))
    await clock.advance(60_000)
    assert.equal(appender.state().queued, 250)
    assert.ok(a.attempts > 3 && a.attempts < 10, `${a.attempts} attempts`)
    assert.equal(appender.state().hosts[0]?.state, 'backing-off')
    a.isUp = true
    await clock.advance(30_000)
    assert.deepEqual(a.stored, numbers(0, 250))
    assert.equal(imbalance(appender), 0)
  })

  it('keeps its back-off until a batch is acknowledged, not until a connection is made', async () => {
    const { appender, clock, receivers } = bench({ backoff })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.answer = () => 'lost'
    appender.append(record('x'))
    await clock.advance(200_000)
    assert.ok(a.connects < 20, `${a.connects} connections`)
    assert.equal(appender.state().hosts[0]?.failures, a.connects)
  })

  it('sends a batch again whose answer was lost, as the same bytes', async () => {
    const { appender, clock, receivers } = bench()
    const [a] = Object.values(receivers)
    assert.ok(a)
    let calls = 0
    a.answer = () => (++calls === 1 ? 'lost after storing' : 'ok')
    for (const n of numbers(0, 20)) appender.append(record(n))
    await clock.advance(5_000)
    assert.deepEqual(a.batches, [numbers(0, 20), numbers(0, 20)])
    assert.equal(appender.state().delivered, 20)
    assert.equal(appender.state().resent, 20)
  })

  it('keeps the order of a lane through failures', async () => {
    const { appender, clock, receivers } = bench({ batch: { maxEvents: 7 } })
    const [a] = Object.values(receivers)
    assert.ok(a)
    let calls = 0
    a.answer = () => (++calls % 3 === 0 ? 'lost' : 'ok')
    for (const n of numbers(0, 100)) appender.append(record(n))
    await clock.advance(600_000)
    assert.deepEqual(a.stored, numbers(0, 100))
  })

  it('has one batch on the way in each lane, more with maxInFlight', async () => {
    for (const maxInFlight of [1, 3]) {
      const { appender, clock, receivers } = bench({ maxInFlight, batch: { maxEvents: 10 } })
      const [a] = Object.values(receivers)
      assert.ok(a)
      a.answer = () => 'silent'
      for (const n of numbers(0, 100)) appender.append(record(n))
      await clock.advance(1_000)
      assert.equal(appender.state().inFlight, maxInFlight * 10)
    }
  })

  it('keeps the events of one logger in one lane', async () => {
    const { appender, clock, receivers } = bench({ lanes: 4, batch: { maxEvents: 5 } })
    const names = numbers(0, 20)
    for (const n of numbers(0, 30)) {
      for (const name of names) appender.append(record(`${name}/${n}`, undefined, name))
    }
    await clock.advance(10_000)
    const stored = receivers['a']?.stored ?? []
    assert.equal(stored.length, 600)
    for (const name of names) {
      const own = stored.filter((body) => body.startsWith(`${name}/`))
      assert.deepEqual(
        own,
        numbers(0, 30).map((n) => `${name}/${n}`),
      )
    }
  })

  it('drops events older than maxAgeMs', async () => {
    const { appender, clock, receivers } = bench({ queue: { maxAgeMs: 10_000 } })
    const [a] = Object.values(receivers)
    assert.ok(a)
    a.isUp = false
    for (const n of numbers(0, 30)) {
      appender.append(record(n))
      await clock.advance(1_000)
    }
    a.isUp = true
    await clock.advance(30_000)
    const { dropped, delivered } = appender.state()
    assert.equal(dropped.expired + delivered, 30)
    assert.ok(delivered >= 0 && dropped.expired >= 15)
    assert.equal(imbalance(appender), 0)
  })
})
