import type { AsyncLocalStorage } from 'node:async_hooks'
import { isError, readProperty, traceparentOf } from '@millrace/appender'
import { systemClock } from '@millrace/runtime'
import type { Logger } from 'winston'
import { CAPTURED, type Captured } from './info-record.js'

/**
 * Makes the logger note, at each call, when it was called and what `storage` held. Without it a
 * record's time is that of its arrival in the transport, and with a slow transport beside it the
 * store is another request's by then. Child loggers are covered, as they write through their parent.
 *
 * The note is a symbol-keyed field of the record: JSON and other formats do not show it.
 * @param trace gives the fields of a trace; `activeTrace` of this package makes one.
 * @returns the same logger.
 */
export function attachContext<L extends Pick<Logger, 'write'>>(
  logger: L,
  storage?: AsyncLocalStorage<unknown>,
  trace?: () => Readonly<Record<string, unknown>>,
): L {
  const write = logger.write.bind(logger)
  logger.write = ((info: unknown, ...rest: []) => {
    if (typeof info === 'object' && info !== null) capture(info, storage, trace)
    return write(info, ...rest)
  }) as L['write']
  return logger
}

function capture(
  info: object,
  storage: AsyncLocalStorage<unknown> | undefined,
  trace: (() => Readonly<Record<string, unknown>>) | undefined,
): void {
  if (!Object.isExtensible(info)) return
  const captured: Captured = {
    timestampMs: systemClock.now(),
    context: entriesOf(storage?.getStore()),
    error: errorOf(info),
    traceparent: trace && traceparentOf(trace()),
  }
  Reflect.set(info, CAPTURED, captured)
}

/** winston's format `errors` replaces it by a copy of some of its fields. */
function errorOf(info: object): Error | undefined {
  const error = isError(info) ? info : readProperty(info, 'message')
  return isError(error) ? error : undefined
}

/** A copy, as the application may go on to change its store. */
function entriesOf(store: unknown): Readonly<Record<string, unknown>> | undefined {
  if (store instanceof Map) return Object.fromEntries(store) as Record<string, unknown>
  return typeof store === 'object' && store !== null ? { ...store } : undefined
}
