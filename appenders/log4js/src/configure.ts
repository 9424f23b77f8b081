import {
  Appender,
  type AppenderOptions,
  type AppenderState,
  bodyModeOf,
  callback,
  isPlainObject,
  LOG4J_LEVEL,
  type Log4jLevelName,
  oneOf,
  pickOptions,
  show,
} from '@millrace/appender'
import { messageOf, OptionError, systemClock } from '@millrace/runtime'
import type { AppenderFunction, AppenderModule, LayoutsParam, LoggingEvent } from 'log4js'
import { AppenderRegistry } from './appender-registry.js'
import { avroRecordsOf } from './avro-records.js'
import { brokenRecord, EventRecords, type Layout } from './event-record.js'
import { Mdc } from './mdc.js'
import { MessageTexts } from './message-text.js'

/** The entry of `appenders` in a configuration of log4js. */
export interface MillraceAppenderConfig extends AppenderOptions {
  readonly type?: '@millrace/log4js' | AppenderModule | undefined
  /** Any layout that log4js knows. Default `messagePassThrough`. */
  readonly layout?: { readonly type: string; readonly [option: string]: unknown } | undefined
  /** The level of `MARK`. Default `info`. */
  readonly markLevel?: Lowercase<Log4jLevelName> | undefined
  /** Gives further context entries at each call, such as the store of an AsyncLocalStorage. */
  readonly getContext?: (() => unknown) | undefined
}

/** The function that log4js calls for each event, with the way to end it. */
export type MillraceAppender = AppenderFunction & {
  /** Delivers what waits, within `closeTimeoutMs`, and calls back exactly once. */
  shutdown(done: (error?: Error) => void): void
}

const log4jsChecks = {
  type: (value: unknown) => value,
  layout: layoutCheck,
  markLevel: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], { default: 'info' }),
  getContext: callback<() => unknown>(),
}

type LayoutConfig = NonNullable<MillraceAppenderConfig['layout']>

function layoutCheck(value: unknown, name: string): LayoutConfig | undefined {
  if (value === undefined || isLayoutConfig(value)) return value
  throw new OptionError(
    `${name} must be an object with a type, such as { type: 'basic' }, not ${show(value)}`,
  )
}

function isLayoutConfig(value: unknown): value is LayoutConfig {
  return isPlainObject(value) && typeof value['type'] === 'string'
}

const LEVELS = {
  trace: LOG4J_LEVEL.TRACE,
  debug: LOG4J_LEVEL.DEBUG,
  info: LOG4J_LEVEL.INFO,
  warn: LOG4J_LEVEL.WARN,
  error: LOG4J_LEVEL.ERROR,
  fatal: LOG4J_LEVEL.FATAL,
} as const

/**
 * The appenders of the process (of one of its threads). log4js keeps its own list in a module, too,
 * and offers no way to ask it; both doors of this package lead to this one module.
 */
const registry = new AppenderRegistry()

/** The context that all appenders of the process (of one of its threads) look into. */
export const mdc = new Mdc()

/**
 * Called by log4js for each appender of type `@millrace/log4js`.
 * @throws OptionError that names the option; an unknown layout is one.
 */
export function configure(
  config: MillraceAppenderConfig,
  layouts?: LayoutsParam,
): MillraceAppender {
  const { getContext, markLevel, layout } = pickOptions(log4jsChecks, config)
  const records = new EventRecords({
    layout: layoutOf(layout, layouts),
    levelMap: config.levelMap,
    markLevel: LEVELS[markLevel],
    isJson: bodyModeOf(config) === 'json',
    contexts: [() => mdc.entries(), ...(getContext === undefined ? [] : [getContext])],
  })
  const appender = new Appender(config, {
    loggerName: 'log4js',
    adapterOptions: Object.keys(log4jsChecks),
  })
  registry.add(appender)
  const append = (event: LoggingEvent): void => {
    const record = recordOf(records, event)
    const avro = avroRecordsOf(record, event)
    if (avro === undefined) appender.append(record)
    else for (const one of avro) appender.append(one)
  }
  return Object.assign(append, {
    shutdown(done: (error?: Error) => void): void {
      const finished = (): void => process.nextTick(done)
      registry.closeOne(appender).then(finished, finished)
    },
  })
}

/**
 * Sends what all appenders of the process got before the call, without waiting for batches to fill.
 * @returns true when all of it is settled, false when `timeoutMs` came first; never rejects.
 */
export function flush(options: { timeoutMs?: number | undefined } = {}): Promise<boolean> {
  return registry.flush(options)
}

/** Delivers what waits, within the deadline, and closes all appenders of the process. */
export function close(options: { timeoutMs?: number | undefined } = {}): Promise<void> {
  return registry.close(options)
}

/** Counters and the state of the receivers of each open appender of the process. */
export function states(): AppenderState[] {
  return registry.states()
}

function recordOf(records: EventRecords, event: LoggingEvent) {
  try {
    return records.of(event)
  } catch (error) {
    return brokenRecord(event, messageOf(error), systemClock.now())
  }
}

const PASS_THROUGH = 'messagePassThrough'

function layoutOf(config: LayoutConfig | undefined, layouts: LayoutsParam | undefined): Layout {
  const type = config === undefined ? PASS_THROUGH : config.type
  // The same text, made faster.
  if (type === PASS_THROUGH) {
    const texts = new MessageTexts()
    return (event) => texts.of(event.data)
  }
  // log4js gives undefined for a type that nobody registered.
  const layout: unknown = layouts?.layout(type, config as never)
  if (typeof layout !== 'function') {
    throw new OptionError(`layout.type '${type}' is not known to log4js`)
  }
  return layout as Layout
}
