import assert from 'node:assert/strict'
import { delay } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'

describe('FakeClock', () => {
  it('fires timers at their own time, in the order they come due and then were set', async () => {
    const clock = new FakeClock(1_000)
    const fired: string[] = []
    const note = (name: string) => () => fired.push(`${name}@${clock.now()}`)
    clock.after(20, note('late'))
    clock.after(10, note('first'))
    clock.after(10, note('second'))
    await clock.advance(15)
    assert.deepEqual(fired, ['first@1010', 'second@1010'])
    await clock.advance(5)
    assert.deepEqual(fired, ['first@1010', 'second@1010', 'late@1020'])
    assert.equal(clock.monotonic(), 20)
  })

  it('fires timers that are set while it advances', async () => {
    const clock = new FakeClock()
    let rounds = 0
    const loop = (async () => {
      for (; rounds < 3; rounds += 1) await delay(10, { clock })
    })()
    await clock.advance(30)
    assert.equal(rounds, 3)
    await loop
  })

  it('does not fire a cancelled timer', async () => {
    const clock = new FakeClock()
    const timer = clock.after(1, () => assert.fail('fired'))
    assert.equal(clock.pendingTimers, 1)
    assert.equal(clock.nextTimerMs, 1)
    timer.cancel()
    await clock.advance(10)
    assert.equal(clock.pendingTimers, 0)
    assert.equal(clock.nextTimerMs, undefined)
  })

  it('jumps the wall clock without firing anything', () => {
    const clock = new FakeClock(0)
    clock.after(1, () => assert.fail('fired'))
    clock.jump(5_000)
    assert.equal(clock.now(), 5_000)
    assert.equal(clock.monotonic(), 0)
  })
})
