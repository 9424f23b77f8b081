import assert from 'node:assert/strict'
import { PollableSourceRunner } from '@millrace/agent-core/internal/runners/pollable-source-runner'
import type { PollableSource } from '@millrace/component'
import { delay, EventDeliveryError, silentLogger, systemClock } from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'

describe('PollableSourceRunner', () => {
  const runners: PollableSourceRunner[] = []
  afterEach(async () => {
    for (const runner of runners.splice(0)) await runner.stop({ deadlineMs: 100 })
  })

  /** Runs a source and notes the time of each of its rounds, in seconds. */
  function run(process: PollableSource['process'], more: Partial<PollableSource> = {}) {
    const clock = new FakeClock()
    const rounds: number[] = []
    const source: PollableSource = {
      process: (signal) => {
        rounds.push(Math.round(clock.monotonic()) / 1_000)
        return process(signal)
      },
      ...more,
    }
    const runner = new PollableSourceRunner({ source, logger: silentLogger, clock })
    runners.push(runner)
    runner.start()
    return { clock, rounds, runner }
  }

  it('waits 1, 2, 3, 4, 5, 5 s after rounds in a row without events', async () => {
    const { clock, rounds } = run(async () => 'backoff')
    await clock.advance(20_000)
    assert.deepEqual(rounds, [0, 1, 3, 6, 10, 15, 20])
  })

  it('takes the growth and the longest wait from the source', async () => {
    const sleeps = { backoffSleepIncrementMs: 100, maxBackoffSleepMs: 250 }
    const { clock, rounds } = run(async () => 'backoff', sleeps)
    await clock.advance(800)
    assert.deepEqual(rounds, [0, 0.1, 0.3, 0.55, 0.8])
  })

  it('leaves its waits to a source that has an idle of its own', async () => {
    const waits: number[] = []
    const { clock, rounds } = run(async () => 'backoff', {
      idle: (maxMs, signal) => {
        waits.push(maxMs)
        return delay(10, { clock, signal })
      },
    })
    await clock.advance(25)
    assert.deepEqual(rounds, [0, 0.01, 0.02])
    assert.deepEqual(waits, [1_000, 2_000, 3_000])
  })

  it('goes on at once after a round with events, and begins its waits anew', async () => {
    let round = 0
    const { clock, rounds } = run(async () => {
      round += 1
      return round === 3 ? 'ready' : 'backoff'
    })
    await clock.advance(4_000)
    assert.deepEqual(rounds, [0, 1, 3, 3, 4])
  })

  it('goes on at once after a failed delivery, and after the longest wait after another error', async () => {
    const errors = [
      new EventDeliveryError('MILLRACE_DELIVERY_FAILED', 'refused'),
      new Error('unexpected'),
    ]
    const { clock, rounds } = run(async () => {
      const error = errors.shift()
      if (error) throw error
      return 'backoff'
    })
    await clock.advance(5_500)
    assert.deepEqual(rounds, [0, 0, 5])
  })

  it('lets the event loop live when every round has events', async () => {
    const beganMs = performance.now()
    let rounds = 0
    const source: PollableSource = {
      process: async () => {
        rounds += 1
        return 'ready'
      },
    }
    const runner = new PollableSourceRunner({ source, logger: silentLogger, clock: systemClock })
    runners.push(runner)
    runner.start()
    await new Promise((resolve) => setTimeout(resolve, 5))
    assert.ok(performance.now() - beganMs < 500)
    assert.ok(rounds > 10)
  })

  it('aborts the round under way and ends; a second stop does nothing', async () => {
    let aborted = 0
    const { runner } = run(
      (signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted += 1
            resolve('backoff')
          })
        }),
    )
    await runner.stop({ deadlineMs: 1_000 })
    await runner.stop({ deadlineMs: 1_000 })
    assert.equal(aborted, 1)
  })
})
