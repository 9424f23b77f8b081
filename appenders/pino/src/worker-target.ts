import { checkAppenderOptions } from '@millrace/appender'
import { OptionError } from '@millrace/runtime'
import {
  ADAPTER_OPTIONS,
  checkPinoOptions,
  checkWorkerOptions,
  WORKER_OPTIONS,
  type WorkerOptions,
} from './pino-options.js'

/**
 * The `transport` of a logger of pino, with its options checked where they are written: pino itself
 * tells of a bad one in an event of another thread, and of a function among them in words of its own.
 * @throws OptionError that names the option.
 */
export function workerTarget(options: WorkerOptions): { target: string; options: WorkerOptions } {
  refuseFunctions(options, '')
  checkPinoOptions(options)
  checkWorkerOptions(options)
  checkAppenderOptions(options, [...ADAPTER_OPTIONS, ...WORKER_OPTIONS])
  return { target: '@millrace/pino', options }
}

function refuseFunctions(value: unknown, name: string): void {
  if (typeof value === 'function') {
    throw new OptionError(
      `${name} is a function, which cannot be passed to a worker thread: listen to the transport's events, or use createDestination`,
    )
  }
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return
  for (const [key, one] of Object.entries(value)) {
    refuseFunctions(one, name === '' ? key : `${name}.${key}`)
  }
}
