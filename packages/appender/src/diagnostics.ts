import { debuglog } from 'node:util'
import { type Clock, messageOf } from '@millrace/runtime'

/** A kind of trouble. Of each kind at most one report goes out in 30 seconds. */
export type DiagnosticKind =
  | 'connect-failed'
  | 'delivery-failed'
  | 'refused'
  | 'recovered'
  | 'dropped'
  | 'dead-letter'
  | 'encode-failed'
  | 'internal'

/** What the appender has to say about its own work. Never holds an event or a secret. */
export interface Diagnostic {
  readonly kind: DiagnosticKind
  /** One line for a person. */
  readonly message: string
  /** How many of this kind there were since the last report, this one included. */
  readonly count: number
  readonly error?: unknown
}

export type DiagnosticListener = (diagnostic: Diagnostic) => void

/** Time between two reports of one kind, in milliseconds. */
export const DIAGNOSTIC_INTERVAL_MS = 30_000

/**
 * Reports the appender's own trouble, at most one report for each kind in 30 seconds, never through
 * the logger that it serves and never in a way that could throw. A listener that logs what it hears
 * does not start a circle: what happens meanwhile is counted only.
 */
export class Diagnostics {
  readonly #listener: DiagnosticListener
  readonly #clock: Clock
  readonly #kinds = new Map<DiagnosticKind, { untilMs: number; count: number }>()
  #isReporting = false

  constructor(listener: DiagnosticListener, clock: Clock) {
    this.#listener = listener
    this.#clock = clock
  }

  /** @param count how many cases this report stands for. */
  report(kind: DiagnosticKind, message: string, error?: unknown, count = 1): void {
    const now = this.#clock.monotonic()
    const entry = this.#kinds.get(kind) ?? { untilMs: Number.NEGATIVE_INFINITY, count: 0 }
    this.#kinds.set(kind, entry)
    entry.count += count
    if (now < entry.untilMs || this.#isReporting) return
    const total = entry.count
    entry.untilMs = now + DIAGNOSTIC_INTERVAL_MS
    entry.count = 0
    this.#isReporting = true
    try {
      this.#listener({ kind, message, count: total, ...(error === undefined ? {} : { error }) })
    } catch {
      // The listener is the application's, and there is nobody else to tell.
      entry.count = total
    } finally {
      this.#isReporting = false
    }
  }
}

/** Where reports go when the application does not listen. */
export function defaultListener(target: 'stderr' | 'debug' | 'off'): DiagnosticListener {
  if (target === 'off') return () => undefined
  const debug = debuglog('millrace')
  return (diagnostic) => {
    if (target === 'debug' || debug.enabled) debug('%s', line(diagnostic))
    // Not inside the logger's call: some kinds of stderr block.
    else setImmediate(() => process.stderr.write(`${line(diagnostic)}\n`)).unref()
  }
}

function line({ kind, message, count, error }: Diagnostic): string {
  const many = count > 1 ? ` (${count} times)` : ''
  const reason = messageOf(error)
  const tail = error === undefined || message.includes(reason) ? '' : `: ${reason}`
  return `millrace appender: ${kind}: ${message}${tail}${many}`
}
