import assert from 'node:assert/strict'
import { RandomOrderSelector, RoundRobinOrderSelector, seededRandom } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'

const HOUR_MS = 3_600_000
const orders = (selector: { order(): readonly string[] }, count: number) =>
  Array.from({ length: count }, () => selector.order().join(''))

/** How long the target is left out after the failure that is just informed of. */
async function exclusionMs(selector: RoundRobinOrderSelector<string>, clock: FakeClock) {
  const start = clock.now()
  selector.informFailure('a')
  // The target is back when more than the exclusion has passed: restore < now.
  let step = 2 ** 20 * 1_000
  for (; step >= 1; step /= 2) {
    clock.jump(step)
    if (selector.order().includes('a')) clock.jump(-step)
  }
  return clock.now() - start
}

describe('RoundRobinOrderSelector', () => {
  it('begins one target further at each call', () => {
    const selector = new RoundRobinOrderSelector(['a', 'b', 'c'], {
      backoff: false,
      clock: new FakeClock(),
    })
    assert.deepEqual(orders(selector, 4), ['abc', 'bca', 'cab', 'abc'])
  })

  it('leaves a failed target out, and goes on with the others in turn', () => {
    const clock = new FakeClock()
    const selector = new RoundRobinOrderSelector(['a', 'b', 'c'], { backoff: true, clock })
    selector.informFailure('b')
    assert.deepEqual(orders(selector, 3), ['ac', 'ca', 'ac'])
    clock.jump(2_001)
    assert.deepEqual(orders(selector, 1), ['bca'])
  })

  it('begins at the first when the active targets have become fewer than the place it had reached', () => {
    const clock = new FakeClock()
    const selector = new RoundRobinOrderSelector(['a', 'b', 'c', 'd'], { backoff: true, clock })
    orders(selector, 3)
    selector.informFailure('d')
    selector.informFailure('c')
    assert.deepEqual(orders(selector, 2), ['ab', 'ba'])
  })

  it('gives an empty order when every target is excluded', () => {
    const selector = new RoundRobinOrderSelector(['a'], { backoff: true, clock: new FakeClock() })
    selector.informFailure('a')
    assert.deepEqual(selector.order(), [])
  })

  it('ignores failures without backoff, and of targets that it does not know', () => {
    const clock = new FakeClock()
    const without = new RoundRobinOrderSelector(['a'], { backoff: false, clock })
    without.informFailure('a')
    assert.deepEqual(without.order(), ['a'])
    const other = new RoundRobinOrderSelector(['a'], { backoff: true, clock })
    other.informFailure('x')
    assert.deepEqual(other.order(), ['a'])
  })
})

describe('the exclusion of a failing target', () => {
  it('is 2, 4, 8, 16, 30, 30 seconds for failures in a row', async () => {
    const clock = new FakeClock()
    const selector = new RoundRobinOrderSelector(['a', 'b'], { backoff: true, clock })
    const seen: number[] = []
    for (let i = 0; i < 6; i += 1) seen.push(await exclusionMs(selector, clock))
    assert.deepEqual(seen, [2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  it('never exceeds 65,536 seconds, however high the ceiling and often the failure', async () => {
    const clock = new FakeClock()
    const selector = new RoundRobinOrderSelector(['a', 'b'], {
      backoff: true,
      clock,
      maxBackoffMs: Number.MAX_SAFE_INTEGER,
    })
    const seen: number[] = []
    for (let i = 0; i < 20; i += 1) seen.push(await exclusionMs(selector, clock))
    assert.equal(seen[15], 65_536_000)
    assert.equal(seen[19], 65_536_000)
  })

  it('takes 30 seconds for a ceiling of 0, and a small ceiling as it is', async () => {
    const clock = new FakeClock()
    const zero = new RoundRobinOrderSelector(['a'], { backoff: true, clock, maxBackoffMs: 0 })
    const seen: number[] = []
    for (let i = 0; i < 5; i += 1) seen.push(await exclusionMs(zero, clock))
    assert.equal(seen[4], 30_000)
    const small = new RoundRobinOrderSelector(['a'], { backoff: true, clock, maxBackoffMs: 1_500 })
    assert.equal(await exclusionMs(small, clock), 1_500)
  })

  it('begins anew only when the last exclusion has been over for an hour', async () => {
    for (const [quietMs, expected] of [
      [2_000 + HOUR_MS - 1, 4_000],
      [2_000 + HOUR_MS, 2_000],
    ] as const) {
      const clock = new FakeClock()
      const selector = new RoundRobinOrderSelector(['a'], { backoff: true, clock })
      selector.informFailure('a')
      clock.jump(quietMs)
      assert.equal(await exclusionMs(selector, clock), expected)
    }
  })
})

describe('RandomOrderSelector', () => {
  it('gives a permutation of the active targets at each call, every one of them in time', () => {
    const clock = new FakeClock()
    const random = seededRandom(3)
    const selector = new RandomOrderSelector(['a', 'b', 'c'], { backoff: true, clock, random })
    const seen = new Map<string, number>()
    for (const order of orders(selector, 600)) seen.set(order, (seen.get(order) ?? 0) + 1)
    assert.deepEqual([...seen.keys()].sort(), ['abc', 'acb', 'bac', 'bca', 'cab', 'cba'])
    for (const times of seen.values()) assert.ok(times > 60 && times < 140, `${times} of 600`)
    selector.informFailure('b')
    assert.deepEqual([...new Set(orders(selector, 50))].sort(), ['ac', 'ca'])
  })

  it('gives an empty order when every target is excluded', () => {
    const selector = new RandomOrderSelector(['a'], { backoff: true, clock: new FakeClock() })
    selector.informFailure('a')
    assert.deepEqual(selector.order(), [])
  })
})
