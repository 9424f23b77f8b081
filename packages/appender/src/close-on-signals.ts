import { OptionError, systemClock, withDeadline } from '@millrace/runtime'

/** What can be closed: a transport of winston, a destination of pino, an Appender, or a function that closes. */
export type Closeable =
  | { close(options?: { timeoutMs?: number }): unknown }
  | ((options: { timeoutMs: number }) => unknown)

export interface CloseOnSignalsOptions {
  /** Default SIGTERM, SIGINT and SIGHUP. */
  readonly signals?: readonly NodeJS.Signals[] | undefined
  /** How long all together may take. Default 5,000 ms. */
  readonly timeoutMs?: number | undefined
}

const SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP']
const TIMEOUT_MS = 5_000

/**
 * Has what waits delivered when a signal ends the process: closes everything given, at most
 * `timeoutMs` long, and then lets the signal do what it does without a handler. A second signal does that at once. Other
 * listeners of the same signal keep the decision: then it closes, and ends nothing.
 * @returns takes the handlers away again.
 * @throws OptionError when something cannot be closed.
 */
export function closeOnSignals(
  closeables: Closeable | readonly Closeable[],
  options: CloseOnSignalsOptions = {},
): () => void {
  const closers = (isList(closeables) ? closeables : [closeables]).map(closerOf)
  const { signals = SIGNALS, timeoutMs = TIMEOUT_MS } = options
  let isClosing = false
  const remove = (): void => {
    for (const signal of signals) process.off(signal, onSignal)
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    const others = process.listenerCount(signal) - 1
    const end = (): void => {
      remove()
      if (others === 0) process.kill(process.pid, signal)
    }
    if (isClosing) {
      end()
      return
    }
    isClosing = true
    const closed = Promise.allSettled(closers.map(async (close) => close({ timeoutMs })))
    void withDeadline(closed, timeoutMs, () => undefined, systemClock).then(end, end)
  }
  for (const signal of signals) process.on(signal, onSignal)
  return remove
}

function isList(value: Closeable | readonly Closeable[]): value is readonly Closeable[] {
  return Array.isArray(value)
}

function closerOf(closeable: Closeable): (options: { timeoutMs: number }) => unknown {
  if (typeof closeable === 'function') return closeable
  if (typeof Reflect.get(Object(closeable), 'close') !== 'function') {
    throw new OptionError('closeOnSignals needs objects with a function close, or functions')
  }
  return (options) => closeable.close(options)
}
