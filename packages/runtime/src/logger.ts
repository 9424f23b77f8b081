import { type Clock, systemClock } from './clock.js'
import { messageOf } from './errors.js'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'off'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Millrace's own log. A line is for a person; fields never hold event data or secrets. */
export interface Logger {
  trace(message: string, error?: unknown): void
  debug(message: string, error?: unknown): void
  info(message: string, error?: unknown): void
  warn(message: string, error?: unknown): void
  error(message: string, error?: unknown): void
  isEnabled(level: Exclude<LogLevel, 'off'>): boolean
  /** A logger whose lines begin with `name`. */
  child(name: string): Logger
}

export interface LoggerOptions {
  readonly level: LogLevel
  /** Takes one line with its newline. */
  readonly write: (line: string) => void
  readonly clock?: Clock
  readonly name?: string
}

/** A logger that writes `time LEVEL name: message` lines, with the cause chain of an error behind. */
export function createLogger(options: LoggerOptions): Logger {
  const { clock = systemClock, name = 'millrace', write } = options
  const threshold = LOG_LEVELS.indexOf(options.level)
  const log = (level: Exclude<LogLevel, 'off'>) => {
    if (LOG_LEVELS.indexOf(level) < threshold) return () => {}
    const label = level.toUpperCase().padEnd(5)
    return (message: string, error?: unknown) => {
      const tail = error === undefined ? '' : `: ${describe(error)}`
      write(`${new Date(clock.now()).toISOString()} ${label} ${name}: ${message}${tail}\n`)
    }
  }
  return {
    trace: log('trace'),
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    isEnabled: (level) => LOG_LEVELS.indexOf(level) >= threshold,
    child: (child) => createLogger({ ...options, name: child }),
  }
}

/** Drops everything. */
export const silentLogger: Logger = createLogger({ level: 'off', write: () => {} })

/** How far causes are followed. */
const MAX_CAUSES = 4

/** The message of an error and its causes; those that the message tells already are left out. */
function describe(error: unknown, depth = 0): string {
  const own = messageOf(error)
  let cause = causeOf(error)
  const isTold = () => cause instanceof Error && own.includes(cause.message)
  // Not for ever: a cause can be its own.
  for (let i = 0; i < MAX_CAUSES && isTold(); i += 1) cause = causeOf(cause)
  if (cause === undefined || isTold() || depth === MAX_CAUSES) return own
  return `${own} (cause: ${describe(cause, depth + 1)})`
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined)

/** Lets one line per key through in each interval; the next one says how many were held back. */
export class RateLimit {
  readonly #intervalMs: number
  readonly #clock: Clock
  readonly #keys = new Map<string, { untilMs: number; held: number }>()
  readonly #maxKeys: number

  constructor(options: { intervalMs: number; clock?: Clock; maxKeys?: number }) {
    this.#intervalMs = options.intervalMs
    this.#clock = options.clock ?? systemClock
    this.#maxKeys = options.maxKeys ?? 1_000
  }

  /** The number of lines held back since the last one, or undefined when this one must be held back. */
  admit(key: string): number | undefined {
    const now = this.#clock.monotonic()
    const entry = this.#keys.get(key)
    if (entry && now < entry.untilMs) {
      entry.held += 1
      return undefined
    }
    if (!entry && this.#keys.size >= this.#maxKeys) this.#keys.clear()
    this.#keys.set(key, { untilMs: now + this.#intervalMs, held: 0 })
    return entry?.held ?? 0
  }
}
