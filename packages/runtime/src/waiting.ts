import { type Clock, systemClock } from './clock.js'
import { AbortError } from './errors.js'

/** A promise with its handles outside (`Promise.withResolvers`, which Node 20 lacks). */
export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(reason: unknown): void
}

export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {}
  let reject: (reason: unknown) => void = () => {}
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock
  /** Whether the timer keeps the process alive. Default true. */
  readonly ref?: boolean
}

/**
 * Waits `ms` milliseconds.
 * @throws AbortError when the signal is aborted first.
 */
export function delay(ms: number, options: WaitOptions = {}): Promise<void> {
  const { signal, clock = systemClock, ref = true } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortReason(signal))
      return
    }
    const onAbort = () => {
      timer.cancel()
      reject(abortReason(signal))
    }
    const timer = clock.after(
      ms,
      () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      },
      { ref },
    )
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/**
 * Settles as the promise does, or rejects when the signal is aborted first. The promise itself goes on.
 * @throws AbortError when the signal is aborted first.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  if (signal.aborted) {
    promise.catch(() => {})
    return Promise.reject(abortReason(signal))
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortReason(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/**
 * Settles as the promise does within `ms`, else with what `onLate` returns or throws.
 * The promise itself goes on; its late failure is not reported.
 */
export function withDeadline<T>(
  promise: Promise<T>,
  ms: number,
  onLate: () => T,
  clock: Clock = systemClock,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => {
      try {
        resolve(onLate())
      } catch (error) {
        reject(error)
      }
    })
    promise.then(resolve, reject).finally(() => timer.cancel())
  })
}

/** The error to throw for an aborted signal. */
export function abortReason(signal: AbortSignal | undefined): AbortError {
  const reason: unknown = signal?.reason
  return reason instanceof AbortError ? reason : new AbortError(undefined, { cause: reason })
}

/** @throws AbortError when the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortReason(signal)
}
