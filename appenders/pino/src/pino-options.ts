import type { AppenderOptions } from '@millrace/appender'
import { OptionError } from '@millrace/runtime'

/** How the line says when the logger was called. */
export const TIMESTAMP_FORMATS = ['auto', 'epochMs', 'epochSec', 'iso'] as const
export type TimestampFormat = (typeof TIMESTAMP_FORMATS)[number]

/** Options of the appender and of the way from pino's lines to it. */
export interface PinoAppenderOptions extends AppenderOptions {
  /** Name of the logger on events whose record has no `name`. Default `pino`. */
  readonly loggerName?: string | undefined
  /** Default `auto`: a number below 10¹¹ is seconds, any other milliseconds, a text is ISO. */
  readonly timestampFormat?: TimestampFormat | undefined
  /** pino's `messageKey`. Default `msg`; a worker transport is told by pino. */
  readonly messageKey?: string | undefined
  /** pino's `errorKey`. Default `err`; a worker transport is told by pino. */
  readonly errorKey?: string | undefined
}

/** Options of a destination in the logger's own process: functions are possible. */
export interface DestinationOptions extends PinoAppenderOptions {
  /** Gives further context entries at each call, such as the store of an AsyncLocalStorage. */
  readonly getContext?: (() => unknown) | undefined
}

export const ADAPTER_OPTIONS = [
  'loggerName',
  'timestampFormat',
  'messageKey',
  'errorKey',
  'getContext',
]

/** @throws OptionError for an option of this adapter that has a bad value. */
export function checkPinoOptions(options: DestinationOptions): void {
  for (const name of ['loggerName', 'messageKey', 'errorKey'] as const) {
    const value: unknown = options[name]
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      throw new OptionError(`${name} must be a text that is not empty`)
    }
  }
  const { timestampFormat, getContext } = options
  if (timestampFormat !== undefined && !TIMESTAMP_FORMATS.includes(timestampFormat)) {
    throw new OptionError(`timestampFormat must be one of ${TIMESTAMP_FORMATS.join(', ')}`)
  }
  if (getContext !== undefined && typeof getContext !== 'function') {
    throw new OptionError('getContext must be a function')
  }
}
