import {
  Appender,
  type AppenderOptions,
  type AppenderState,
  avroOf,
  avroRecords,
  bodyModeOf,
  flag,
  LOG4J_LEVEL,
  type LogRecord,
  oneOf,
  pickOptions,
  readProperty,
  show,
  text,
} from '@millrace/appender'
import { messageOf, OptionError, systemClock } from '@millrace/runtime'
import TransportStream from 'winston-transport'
import { type Info, InfoRecords } from './info-record.js'

/** How long the last word of an uncaught exception may take, in milliseconds; winston waits 3,000. */
const UNCAUGHT_FLUSH_MS = 2_500

/** Options of the appender, of winston's transports, and of the way from one to the other. */
export interface MillraceTransportOptions extends AppenderOptions {
  /** Least severe level that is shipped. Default: the logger's. */
  readonly level?: string | undefined
  readonly format?: TransportStream.TransportStreamOptions['format'] | undefined
  readonly silent?: boolean | undefined
  readonly handleExceptions?: boolean | undefined
  readonly handleRejections?: boolean | undefined
  /** Name of the logger on every event. Default: the record's `logger`, `label` or `service`, else `winston`. */
  readonly loggerName?: string | undefined
  /** Takes the event's time from the record's `timestamp` when it is a number or ISO with a zone. Default false. */
  readonly trustTimestamp?: boolean | undefined
  /** The level of uncaught exceptions and rejections. Default `error`. */
  readonly uncaughtLevel?: 'error' | 'fatal' | undefined
}

function formatCheck(value: unknown, name: string): unknown {
  const isObject = typeof value === 'object' && value !== null
  if (value === undefined || (isObject && typeof Reflect.get(value, 'transform') === 'function')) {
    return value
  }
  throw new OptionError(`${name} must be a format of winston, not ${show(value)}`)
}

const transportChecks = {
  level: text({ default: undefined }),
  format: formatCheck,
  silent: flag({ default: false }),
  handleExceptions: flag({ default: false }),
  handleRejections: flag({ default: false }),
  loggerName: text({ default: undefined }),
  trustTimestamp: flag({ default: false }),
  uncaughtLevel: oneOf(['error', 'fatal'], { default: 'error' }),
}

/**
 * A winston transport that ships each record as a Flume event.
 *
 * It takes every record at once and keeps it in the appender's bounded queue: a slow or absent
 * receiver never holds up the logger or the other transports. It never emits 'error' and never
 * throws into a log call. Trouble of its own goes to the appender's diagnostics.
 */
export class MillraceTransport extends TransportStream {
  readonly #appender: Appender
  readonly #records: InfoRecords
  readonly #loggerName: string
  #sources = 0
  #isUnpiping = false
  #isEnded = false
  #ending: Promise<void> | undefined

  /** @throws OptionError that names the option. */
  constructor(options: MillraceTransportOptions) {
    const { loggerName, trustTimestamp, uncaughtLevel } = pickOptions(transportChecks, options)
    // The appender checks first: a bad option must not leave half a stream behind.
    const appender = new Appender(options, {
      loggerName: 'winston',
      adapterOptions: Object.keys(transportChecks),
    })
    super(transportOptions(options))
    this.#appender = appender
    this.#loggerName = loggerName ?? ''
    this.#records = new InfoRecords({
      loggerName,
      trustTimestamp,
      levelMap: options.levelMap,
      uncaughtLevel: uncaughtLevel === 'fatal' ? LOG4J_LEVEL.FATAL : LOG4J_LEVEL.ERROR,
      isJson: bodyModeOf(options) === 'json',
      needsFields: options.context !== undefined,
      onUnknownLevel: (name) => this.#warn(`Level ${name} is not known and goes out as INFO`),
    })
    // winston adds its own for each logger that shares this transport.
    this.setMaxListeners(0)
    // winston calls close() for its first logger only, from inside this event.
    this.on('pipe', () => {
      this.#sources += 1
    })
    this.prependListener('unpipe', () => {
      this.#sources -= 1
      this.#isUnpiping = true
    })
    this.on('unpipe', () => {
      this.#isUnpiping = false
    })
  }

  /** Takes one record. Called by winston; `next` is called at once. */
  override log(info: Info, next: () => void): void {
    const record = this.#append(info)
    // A last word: winston ends the process soon. The flush does not reject.
    if (record.isUncaught !== undefined) void this.flush({ timeoutMs: UNCAUGHT_FLUSH_MS })
    if (this.listenerCount('logged') > 0) setImmediate(() => this.emit('logged', info))
    next()
  }

  /** After the end a record is dropped and counted, where a stream would emit 'error'. */
  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    if (!this.#isEnded) {
      return super.write(chunk, encoding as BufferEncoding, callback as WriteCallback)
    }
    this.#append(chunk as Info)
    const done = typeof encoding === 'function' ? encoding : callback
    if (typeof done === 'function') process.nextTick(done)
    return true
  }

  /** As a stream's; a second call does nothing. */
  override end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
    if (this.#isEnded) {
      const done = [chunk, encoding, callback].find((one) => typeof one === 'function')
      if (typeof done === 'function') process.nextTick(done)
      return this
    }
    this.#isEnded = true
    super.end(chunk, encoding as BufferEncoding, callback as () => void)
    return this
  }

  /**
   * Sends what was logged before the call without waiting for a batch to fill.
   * @returns true when all of it is settled, false when `timeoutMs` came first; never rejects.
   */
  flush(options: { timeoutMs?: number | undefined } = {}): Promise<boolean> {
    return this.#appender.flush(options)
  }

  /**
   * Delivers what waits, within the deadline, and ends the stream: 'finish' comes once. What is
   * logged afterwards is dropped. A second call gives the same promise; never rejects.
   */
  // oxlint-disable-next-line typescript/no-misused-promises -- winston ignores what close gives, and users can await it
  override close(options: { timeoutMs?: number | undefined } = {}): Promise<void> {
    // One of several loggers let go of this transport: the others go on.
    if (this.#isUnpiping && this.#sources > 0) return Promise.resolve()
    this.#ending ??= this.#end(options)
    return this.#ending
  }

  /** Counters and the state of the receivers. */
  state(): AppenderState {
    return this.#appender.state()
  }

  /** 'finish' waits for the deliveries or the deadline of `close`. */
  override _final(callback: (error?: Error | null) => void): void {
    this.#ending ??= this.#appender.close()
    const finished = (): void => process.nextTick(callback)
    this.#ending.then(finished, finished)
  }

  async #end(options: { timeoutMs?: number | undefined }): Promise<void> {
    const closed = this.#appender.close(options)
    this.end()
    await closed
  }

  #append(info: Info): LogRecord {
    const record = this.#record(info)
    // A call with nothing else makes it the message.
    const avro = avroOf(info) ?? avroOf(readProperty(info, 'message'))
    if (avro === undefined) this.#appender.append(record)
    else for (const one of avroRecords(record, avro)) this.#appender.append(one)
    return record
  }

  #record(info: Info): LogRecord {
    try {
      return this.#records.of(info)
    } catch (error) {
      // A getter or proxy of the record threw.
      return {
        timestampMs: systemClock.now(),
        level: LOG4J_LEVEL.INFO,
        levelName: 'info',
        loggerName: this.#loggerName,
        text: `[record cannot be read: ${messageOf(error)}]`,
      }
    }
  }

  /** winston passes 'warn' on to the logger; nobody needs to listen. */
  #warn(message: string): void {
    this.emit('warn', new Error(message))
  }
}

function transportOptions(
  options: MillraceTransportOptions,
): TransportStream.TransportStreamOptions {
  const { level, format, silent, handleExceptions, handleRejections } = options
  return {
    ...(level === undefined ? {} : { level }),
    ...(format === undefined ? {} : { format: guarded(format) }),
    ...(silent === undefined ? {} : { silent }),
    ...(handleExceptions === undefined ? {} : { handleExceptions }),
    ...(handleRejections === undefined ? {} : { handleRejections }),
  }
}

type WriteCallback = (error: Error | null | undefined) => void

type Format = NonNullable<TransportStream.TransportStreamOptions['format']>

/** The format; a record on which it throws goes on as it came instead of into the application. */
function guarded(format: Format): Format {
  return {
    ...(format.options === undefined ? {} : { options: format.options }),
    transform(info, options) {
      try {
        return format.transform(info, options)
      } catch {
        return info
      }
    },
  }
}
