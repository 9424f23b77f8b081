import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import {
  AbortError,
  abortable,
  abortReason,
  deferred,
  delay,
  MillraceError,
  throwIfAborted,
  withDeadline,
} from '@millrace/runtime'
import { FakeClock } from '@millrace/testkit'

const isAbort = (error: unknown) =>
  MillraceError.is(error) && error.code === 'MILLRACE_ABORTED' && error.name === 'AbortError'

/** Whether the promise is still unsettled after one turn of the event loop. */
function isPending(promise: Promise<unknown>): Promise<boolean> {
  const turn = new Promise<boolean>((resolve) => {
    setImmediate(() => resolve(true))
  })
  return Promise.race([promise.then(() => false), turn])
}

describe('delay', () => {
  it('resolves after its time and not before', async () => {
    const clock = new FakeClock()
    const wait = delay(100, { clock })
    await clock.advance(99)
    assert.equal(await isPending(wait), true)
    await clock.advance(1)
    await wait
  })

  it('rejects at once, and sets no timer, when the signal is already aborted', async () => {
    const clock = new FakeClock()
    await assert.rejects(delay(100, { clock, signal: AbortSignal.abort() }), isAbort)
    assert.equal(clock.pendingTimers, 0)
  })

  it('rejects when the signal is aborted and leaves neither timer nor listener', async () => {
    const clock = new FakeClock()
    const controller = new AbortController()
    const wait = delay(100, { clock, signal: controller.signal })
    controller.abort()
    await assert.rejects(wait, isAbort)
    assert.equal(clock.pendingTimers, 0)
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  })

  it('leaves no listener on the signal when it has passed', async () => {
    const clock = new FakeClock()
    const { signal } = new AbortController()
    const wait = delay(1, { clock, signal })
    await clock.advance(1)
    await wait
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  it('takes the system clock and a delay beyond the longest timer', async () => {
    const controller = new AbortController()
    const wait = delay(2 ** 40, { signal: controller.signal, ref: false })
    assert.equal(await isPending(wait), true)
    controller.abort()
    await assert.rejects(wait, isAbort)
    await delay(-5)
  })
})

describe('abortable', () => {
  it('gives the promise back when there is no signal', () => {
    const promise = Promise.resolve(1)
    assert.equal(abortable(promise, undefined), promise)
  })

  it('settles as the promise does and leaves no listener', async () => {
    const { signal } = new AbortController()
    assert.equal(await abortable(Promise.resolve(7), signal), 7)
    await assert.rejects(abortable(Promise.reject(new Error('no')), signal), /no/)
    await new Promise(setImmediate)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  it('rejects when the signal is aborted first, and the promise goes on', async () => {
    const controller = new AbortController()
    const work = deferred<number>()
    const wait = abortable(work.promise, controller.signal)
    controller.abort(new Error('tired'))
    await assert.rejects(wait, (error: unknown) => {
      assert.ok(isAbort(error))
      assert.equal((error as Error & { cause: Error }).cause.message, 'tired')
      return true
    })
    work.resolve(1)
    assert.equal(await work.promise, 1)
  })

  it('reports no unhandled rejection of a promise that fails after the abort', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', note)
    try {
      const late = deferred<void>()
      await assert.rejects(abortable(late.promise, AbortSignal.abort()), isAbort)
      const controller = new AbortController()
      const later = deferred<void>()
      const wait = abortable(later.promise, controller.signal)
      controller.abort()
      await assert.rejects(wait, isAbort)
      late.reject(new Error('late'))
      later.reject(new Error('later'))
      await new Promise(setImmediate)
      await new Promise(setImmediate)
    } finally {
      process.off('unhandledRejection', note)
    }
    assert.deepEqual(unhandled, [])
  })
})

describe('withDeadline', () => {
  it('settles as the promise does in time, and cancels its timer', async () => {
    const clock = new FakeClock()
    assert.equal(await withDeadline(Promise.resolve(1), 10, () => 2, clock), 1)
    await assert.rejects(
      withDeadline(Promise.reject(new Error('no')), 10, () => 2, clock),
      /no/,
    )
    await new Promise(setImmediate)
    assert.equal(clock.pendingTimers, 0)
  })

  it('settles with what onLate returns or throws when the promise is late', async () => {
    const clock = new FakeClock()
    const never = deferred<number>()
    const returned = withDeadline(never.promise, 10, () => 2, clock)
    const thrown = withDeadline(
      never.promise,
      10,
      () => {
        throw new Error('late')
      },
      clock,
    )
    const rejected = assert.rejects(thrown, /late/)
    await clock.advance(10)
    assert.equal(await returned, 2)
    await rejected
    never.reject(new Error('nobody hears this'))
  })
})

describe('abort reasons', () => {
  it('keep an AbortError and wrap everything else as its cause', () => {
    const own = new AbortError('stop')
    assert.equal(abortReason(AbortSignal.abort(own)), own)
    assert.equal(abortReason(AbortSignal.abort('why')).cause, 'why')
    assert.ok(isAbort(abortReason(undefined)))
  })

  it('are thrown only when the signal is aborted', () => {
    throwIfAborted(undefined)
    throwIfAborted(new AbortController().signal)
    assert.throws(() => throwIfAborted(AbortSignal.abort()), isAbort)
  })
})
