import {
  type AppenderOptions,
  callback,
  type DeadLetterOptions,
  milliseconds,
  oneOf,
  pickOptions,
  text,
} from '@millrace/appender'

/** How the line says when the logger was called. */
export const TIMESTAMP_FORMATS = ['auto', 'epochMs', 'epochSec', 'iso'] as const
export type TimestampFormat = (typeof TIMESTAMP_FORMATS)[number]

/** Options of the appender and of the way from pino's lines to it. */
export interface PinoAppenderOptions extends AppenderOptions {
  /** Name of the logger on events whose record has no `name`. Default `pino`. */
  readonly loggerName?: string | undefined
  /** Default `auto`: a number below 10¹¹ is seconds, any other milliseconds, a text is ISO. */
  readonly timestampFormat?: TimestampFormat | undefined
  /** Where a line has its message. Default: the logger's `messageKey`. */
  readonly messageKey?: string | undefined
  /** Where a line has its error. Default: the logger's `errorKey`. */
  readonly errorKey?: string | undefined
  /**
   * The field under which a record carries a value of `avro`. Needed for the worker, which has the line
   * alone: of no other field is such a thing believed. Default: none.
   */
  readonly avroKey?: string | undefined
}

/** Options of the worker transport: plain data, as they travel to another thread. */
export interface WorkerOptions extends Omit<PinoAppenderOptions, 'onDiagnostic' | 'deadLetter'> {
  readonly deadLetter?: DeadLetterOptions | undefined
  /** How often the transport emits `'state'` with the appender's counters. Default 0: never. */
  readonly stateEventMs?: number | undefined
}

/** Options of a destination in the logger's own process: functions are possible. */
export interface DestinationOptions extends PinoAppenderOptions {
  /** Gives further context entries at each call, such as the store of an AsyncLocalStorage. */
  readonly getContext?: (() => unknown) | undefined
}

const pinoChecks = {
  loggerName: text({ default: undefined }),
  timestampFormat: oneOf(TIMESTAMP_FORMATS, { default: 'auto' }),
  messageKey: text({ default: undefined }),
  errorKey: text({ default: undefined }),
  avroKey: text({ default: undefined }),
  getContext: callback<() => unknown>(),
}

const workerChecks = { stateEventMs: milliseconds({ default: 0 }) }

/** The names of the worker's own options. */
export const WORKER_OPTIONS: readonly string[] = Object.keys(workerChecks)

/** @throws OptionError for an option of the worker that has a bad value. */
export function checkWorkerOptions(options: WorkerOptions) {
  return pickOptions(workerChecks, options)
}

/** The names of this adapter's own options. */
export const ADAPTER_OPTIONS: readonly string[] = Object.keys(pinoChecks)

/** @throws OptionError for an option of this adapter that has a bad value. */
export function checkPinoOptions(options: DestinationOptions) {
  return pickOptions(pinoChecks, options)
}
