import { type Clock, systemClock } from '@millrace/runtime'

/** A clock on which a second of waiting passes in some milliseconds. */
export function fastClock(factor = 200): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * factor,
    after: (ms, callback, options) => systemClock.after(ms / factor, callback, options),
  }
}
