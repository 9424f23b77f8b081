import assert from 'node:assert/strict'
import type { AppenderOptions } from '@millrace/appender'
import { seededRandom } from '@millrace/runtime'
import { type Bench, bench, imbalance, numbers, record } from '../../support/fake-receiver.js'

const three = ['a:1', 'b:1', 'c:1']

/** Logs so many events and says how many batches each receiver has. */
async function share(options: Partial<AppenderOptions>, events: number): Promise<number[]> {
  const { appender, clock, receivers } = bench(
    { batch: { maxEvents: 1 }, ...options },
    { random: seededRandom(7) },
  )
  for (const n of numbers(0, events)) appender.append(record(n))
  await clock.advance(60_000)
  assert.equal(appender.state().delivered, events)
  return Object.values(receivers).map((receiver) => receiver.batches.length)
}

/** Logs one event and waits a second, n times. */
async function trickle({ appender, clock }: Bench, from: number, to: number): Promise<void> {
  for (const n of numbers(from, to)) {
    appender.append(record(n))
    await clock.advance(1_000)
  }
}

describe('hosts of an appender', () => {
  it('round_robin takes one after the other', async () => {
    assert.deepEqual(await share({ hosts: three }, 30), [10, 10, 10])
  })

  it('random spreads over all', async () => {
    const shares = await share({ hosts: three, strategy: 'random' }, 300)
    assert.ok(
      shares.every((count) => count > 70 && count < 130),
      String(shares),
    )
  })

  it('weighted follows the weights', async () => {
    const hosts = [
      { host: 'a', port: 1, weight: 5 },
      { host: 'b', port: 1, weight: 3 },
      { host: 'c', port: 1 },
    ]
    assert.deepEqual(await share({ hosts, strategy: 'weighted' }, 90), [50, 30, 10])
  })

  it('least_pending avoids a host that is slow', async () => {
    const { appender, clock, receivers } = bench({
      hosts: three,
      strategy: 'least_pending',
      maxInFlight: 4,
      batch: { maxEvents: 1 },
    })
    const { a, b, c } = receivers
    assert.ok(a && b && c)
    a.answer = async (): Promise<'ok'> => {
      await new Promise<void>((resolve) => {
        clock.after(5_000, resolve)
      })
      return 'ok'
    }
    for (const n of numbers(0, 200)) appender.append(record(n))
    await clock.advance(60_000)
    assert.ok(a.batches.length <= 4, `${a.batches.length} to the slow one`)
    assert.equal(appender.state().delivered, 200)
    assert.ok(Math.abs(b.batches.length - c.batches.length) <= 20)
  })

  it('failover serves from the first host that works, and goes back to a better one', async () => {
    const test = bench({ hosts: three, strategy: 'failover', batch: { lingerMs: 0 } })
    const { a, b, c } = test.receivers
    assert.ok(a && b && c)
    await trickle(test, 0, 3)
    assert.equal(a.stored.length, 3)
    a.kill()
    await trickle(test, 3, 20)
    assert.ok(b.stored.length >= 15, `${b.stored.length}`)
    assert.equal(c.stored.length, 0)
    a.isUp = true
    await trickle(test, 20, 80)
    assert.ok(a.stored.length > 30, `${a.stored.length}`)
    assert.deepEqual(a.stored.slice(-5), numbers(75, 80))
    assert.equal(test.appender.state().hosts[0]?.state, 'connected')
    const all = [...a.stored, ...b.stored].sort((x, y) => Number(x) - Number(y))
    assert.deepEqual(all, numbers(0, 80))
  })

  it('does not go back to a better host that accepts connections and no batches', async () => {
    const test = bench({ hosts: ['a:1', 'b:1'], strategy: 'failover', batch: { lingerMs: 0 } })
    const { a, b } = test.receivers
    assert.ok(a && b)
    a.answer = () => 'lost'
    await trickle(test, 0, 120)
    assert.equal(b.stored.length, 120)
    assert.ok(a.arrived.length < 16, `${a.arrived.length} tests`)
    assert.equal(imbalance(test.appender), 0)
  })

  it('lets no batch wait for a host that is known to be dead', async () => {
    const test = bench({ hosts: ['a:1', 'b:1'], batch: { lingerMs: 0 } })
    const { a, b } = test.receivers
    assert.ok(a && b)
    a.isUp = false
    await trickle(test, 0, 3)
    a.connect = () => {
      throw new Error('not reached in this test')
    }
    await trickle(test, 3, 40)
    assert.equal(b.stored.length, 40)
    assert.equal(test.appender.state().queued, 0)
  })

  it('tries one host at a time when all are down', async () => {
    const { appender, clock, receivers } = bench({ hosts: three })
    for (const receiver of Object.values(receivers)) receiver.isUp = false
    appender.append(record('x'))
    await clock.advance(3_600_000)
    const attempts = Object.values(receivers).map((receiver) => receiver.attempts)
    // A full jitter of 30 s with a random of one half makes one attempt in 15 s for each host.
    for (const count of attempts) assert.ok(count > 200 && count < 260, String(attempts))
    const { c } = receivers
    assert.ok(c)
    c.isUp = true
    await clock.advance(15_001)
    assert.deepEqual(c.stored, ['x'])
  })

  it('renews connections of maxConnectionAgeMs, spread by a fifth', async () => {
    for (const [random, ageMs] of [
      [0, 80_000],
      [0.999, 120_000],
    ] as const) {
      const test = bench(
        { maxConnectionAgeMs: 100_000, batch: { lingerMs: 0 } },
        { random: () => random },
      )
      await trickle(test, 0, ageMs / 1_000 - 2)
      assert.equal(test.receivers['a']?.connects, 1)
      await trickle(test, 0, 5)
      assert.equal(test.receivers['a']?.connects, 2)
    }
  })

  it('renews connections after the process stood still', async () => {
    const test = bench({ idleCheckMs: 60_000, batch: { lingerMs: 0 } })
    const { a } = test.receivers
    assert.ok(a)
    await trickle(test, 0, 2)
    await test.clock.advance(600_000)
    await trickle(test, 2, 4)
    assert.equal(a.connects, 1)
    test.clock.jump(61_000)
    await trickle(test, 4, 6)
    assert.equal(a.connects, 2)
    assert.deepEqual(a.stored, numbers(0, 6))
  })
})
