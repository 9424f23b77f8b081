/** Log4j's level numbers: what the header `flume.client.log4j.log.level` holds. */
export const LOG4J_LEVEL = {
  TRACE: 5_000,
  DEBUG: 10_000,
  INFO: 20_000,
  WARN: 30_000,
  ERROR: 40_000,
  FATAL: 50_000,
} as const

export type Log4jLevelName = keyof typeof LOG4J_LEVEL
export type Log4jLevel = (typeof LOG4J_LEVEL)[Log4jLevelName]

/** The names from the lowest to the highest level. */
export const LOG4J_LEVEL_NAMES = [
  'TRACE',
  'DEBUG',
  'INFO',
  'WARN',
  'ERROR',
  'FATAL',
] as const satisfies readonly Log4jLevelName[]

/**
 * One call of a logger, as an adapter hands it over. The engine and the mapper read it during
 * {@link Appender.append} only and never write to it or to what it points at.
 */
export interface LogRecord {
  /** When the logger was called, in epoch milliseconds. */
  readonly timestampMs: number
  /** One of {@link LOG4J_LEVEL}. */
  readonly level: number
  /** The level's own name in the logger, such as `http` or `MARK`. */
  readonly levelName: string
  /** The logger, category or service that the record belongs to. */
  readonly loggerName: string
  /** The body as the logger rendered it. */
  readonly text: string | Buffer
  /** A value of an Avro schema that is the body in place of the text. */
  readonly avro?: AvroDatum | undefined
  /** The error that the record reports. Any value can be thrown, so any value can stand here. */
  readonly error?: unknown
  /** Further errors of the same call. */
  readonly others?: readonly unknown[] | undefined
  /** Fields of the record beside its text. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  /** Arguments of the call that are neither fields nor used by a placeholder of the text. */
  readonly args?: readonly unknown[] | undefined
  /** Where the logger was called. */
  readonly source?: LogSource | undefined
  /** Set when another process logged it: a worker of a cluster whose events come to this one. */
  readonly origin?: LogOrigin | undefined
  /** Entries of the mapped diagnostic context. */
  readonly context?: Readonly<Record<string, unknown>> | undefined
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
  /** Set for a record of the logger's handler of uncaught exceptions or rejections. */
  readonly isUncaught?: 'exception' | 'rejection' | undefined
}

/** One value in Avro's binary encoding, and where its schema is to be found. */
export interface AvroDatum {
  readonly bytes: Uint8Array
  /** The schema's JSON; left out when `url` is given. */
  readonly schema: string | undefined
  readonly url: string | undefined
  /** Why there is none: the event is then one of text that says so. */
  readonly failure?: string | undefined
}

/** A process. */
export interface LogOrigin {
  readonly pid: number
  /** As in the header `millrace.worker`. */
  readonly worker: string
}

/** A place in the program's code. */
export interface LogSource {
  readonly file?: string | undefined
  readonly line?: number | undefined
  readonly column?: number | undefined
  readonly func?: string | undefined
}
