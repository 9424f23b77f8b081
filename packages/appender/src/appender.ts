import type { Clock, Random } from '@millrace/runtime'
import type { AppenderState } from './appender-state.js'
import type { EventMapper } from './event-mapper.js'
import type { LogRecord } from './log-record.js'
import type { AppenderOptions } from './options/appender-options.js'
import { checkAppenderOptions } from './options/appender-option-group.js'

/** What the adapter of a logger settles for its appenders. */
export interface AppenderDefaults {
  /** The logger name of records that have none, such as `winston`. */
  readonly loggerName: string
  /** Options that the adapter reads itself: known here, and left alone. */
  readonly adapterOptions?: readonly string[]
  /** Takes the place of the mapper that the options describe. */
  readonly mapper?: EventMapper
  readonly clock?: Clock
  readonly random?: Random
}

/** Ships the records of one logger. */
export class Appender {
  /** @throws OptionError that names the option. */
  constructor(options: AppenderOptions, defaults: AppenderDefaults) {
    checkAppenderOptions(options, defaults.adapterOptions)
  }

  /** Never throws, never blocks. */
  append(_record: LogRecord): void {}

  flush(_options: { timeoutMs?: number | undefined } = {}): Promise<boolean> {
    return Promise.resolve(true)
  }

  close(_options: { timeoutMs?: number | undefined } = {}): Promise<void> {
    return Promise.resolve()
  }

  state(): AppenderState {
    throw new Error('not yet')
  }
}
