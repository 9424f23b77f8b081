import { OptionError } from '@millrace/runtime'
import { LOG4J_LEVEL } from '../log-record.js'
import { isPlainObject } from '../options/option-check.js'

/** Level names of winston's npm, syslog and cli sets, of log4js and of pino, in lower case. */
const LEVELS_BY_NAME: ReadonlyMap<string, number> = new Map([
  ['fatal', LOG4J_LEVEL.FATAL],
  ['emerg', LOG4J_LEVEL.FATAL],
  ['alert', LOG4J_LEVEL.FATAL],
  ['crit', LOG4J_LEVEL.FATAL],
  ['error', LOG4J_LEVEL.ERROR],
  ['warn', LOG4J_LEVEL.WARN],
  ['warning', LOG4J_LEVEL.WARN],
  ['info', LOG4J_LEVEL.INFO],
  ['notice', LOG4J_LEVEL.INFO],
  ['http', LOG4J_LEVEL.INFO],
  ['help', LOG4J_LEVEL.INFO],
  ['data', LOG4J_LEVEL.INFO],
  ['mark', LOG4J_LEVEL.INFO],
  ['verbose', LOG4J_LEVEL.DEBUG],
  ['debug', LOG4J_LEVEL.DEBUG],
  ['prompt', LOG4J_LEVEL.DEBUG],
  ['silly', LOG4J_LEVEL.TRACE],
  ['input', LOG4J_LEVEL.TRACE],
  ['trace', LOG4J_LEVEL.TRACE],
])

/** OpenTelemetry's severity number for each of Log4j's levels. */
const SEVERITY_NUMBERS: ReadonlyMap<number, number> = new Map([
  [LOG4J_LEVEL.FATAL, 21],
  [LOG4J_LEVEL.ERROR, 17],
  [LOG4J_LEVEL.WARN, 13],
  [LOG4J_LEVEL.INFO, 9],
  [LOG4J_LEVEL.DEBUG, 5],
  [LOG4J_LEVEL.TRACE, 1],
])

/** The largest of Log4j's levels that is not above `level`; what lies below TRACE is TRACE. */
export function canonicalLevel(level: number): number {
  if (level >= LOG4J_LEVEL.FATAL) return LOG4J_LEVEL.FATAL
  if (level >= LOG4J_LEVEL.ERROR) return LOG4J_LEVEL.ERROR
  if (level >= LOG4J_LEVEL.WARN) return LOG4J_LEVEL.WARN
  if (level >= LOG4J_LEVEL.INFO) return LOG4J_LEVEL.INFO
  if (level >= LOG4J_LEVEL.DEBUG) return LOG4J_LEVEL.DEBUG
  return LOG4J_LEVEL.TRACE
}

/** Log4j's level for one of pino's numbers: bands of ten, 30–39 is INFO. */
export function levelOfPinoNumber(level: number): number {
  if (level >= 60) return LOG4J_LEVEL.FATAL
  if (level >= 50) return LOG4J_LEVEL.ERROR
  if (level >= 40) return LOG4J_LEVEL.WARN
  if (level >= 30) return LOG4J_LEVEL.INFO
  if (level >= 20) return LOG4J_LEVEL.DEBUG
  return LOG4J_LEVEL.TRACE
}

export function severityNumber(level: number): number {
  return SEVERITY_NUMBERS.get(level) ?? 9
}

/** Log4j's level for a level's name: the user's own map first, then the table of known names. */
export class LevelNames {
  readonly #own: ReadonlyMap<string, number>

  constructor(levelMap: Readonly<Record<string, number>> = {}) {
    this.#own = new Map(Object.entries(levelMap))
  }

  /** The level that the user gave to `name`. */
  own(name: string): number | undefined {
    return this.#own.size === 0 ? undefined : this.#own.get(name)
  }

  /** The level of `name`, or undefined when nobody knows it. */
  find(name: string): number | undefined {
    return this.#own.get(name) ?? LEVELS_BY_NAME.get(name) ?? LEVELS_BY_NAME.get(name.toLowerCase())
  }
}

/**
 * Checks the option `levelMap`.
 * @throws OptionError when it holds anything but names and Log4j's levels.
 */
export function levelMap(value: unknown, name: string): Readonly<Record<string, number>> {
  if (value === undefined) return {}
  if (!isPlainObject(value)) {
    throw new OptionError(`${name} must be an object of level names with Log4j's levels`)
  }
  const canonical: readonly unknown[] = Object.values(LOG4J_LEVEL)
  const map: Record<string, number> = {}
  for (const [key, level] of Object.entries(value)) {
    if (typeof level !== 'number' || !canonical.includes(level)) {
      throw new OptionError(
        `${name}.${key} must be one of ${canonical.join(', ')}: Java consumers read any other number as DEBUG`,
      )
    }
    map[key] = level
  }
  return map
}
