import assert from 'node:assert/strict'
import { Backoff, seededRandom } from '@millrace/runtime'

const series = (backoff: Backoff, count: number) =>
  Array.from({ length: count }, () => backoff.next())

describe('Backoff', () => {
  it('grows by its factor from minMs to maxMs and stays there', () => {
    const backoff = new Backoff({ jitter: 'none' })
    assert.deepEqual(
      series(backoff, 8),
      [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000],
    )
    const triple = new Backoff({ jitter: 'none', minMs: 10, maxMs: 1_000, factor: 3 })
    assert.deepEqual(series(triple, 6), [10, 30, 90, 270, 810, 1_000])
  })

  it('draws each delay from below the ceiling of its attempt', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const drawn = series(new Backoff({ random: seededRandom(seed) }), 50)
      const ceilings = series(new Backoff({ jitter: 'none' }), 50)
      drawn.forEach((ms, i) =>
        assert.ok(Number.isInteger(ms) && ms >= 0 && ms < (ceilings[i] ?? 0)),
      )
    }
  })

  it('spreads the late attempts of many clients over the whole interval', () => {
    const random = seededRandom(7)
    const late = Array.from({ length: 400 }, () => series(new Backoff({ random }), 10)[9] ?? 0)
    const mean = late.reduce((sum, ms) => sum + ms, 0) / late.length
    assert.ok(mean > 13_000 && mean < 17_000, `mean ${mean}`)
    assert.ok(new Set(late).size > 350)
  })

  it('stays finite however long the outage', () => {
    const backoff = new Backoff({ jitter: 'none' })
    assert.ok(series(backoff, 10_000).every((ms) => ms <= 30_000))
    assert.equal(backoff.failures, 64)
  })

  it('begins anew after a reset', () => {
    const backoff = new Backoff({ jitter: 'none' })
    series(backoff, 5)
    backoff.reset()
    assert.equal(backoff.failures, 0)
    assert.equal(backoff.next(), 1_000)
    assert.equal(backoff.failures, 1)
  })
})

describe('seededRandom', () => {
  it('repeats its series for the same seed and differs for another', () => {
    const take = (seed: number) => Array.from({ length: 20 }, seededRandom(seed))
    assert.deepEqual(take(1), take(1))
    assert.notDeepEqual(take(1), take(2))
    assert.ok(take(1).every((n) => n >= 0 && n < 1))
  })
})
