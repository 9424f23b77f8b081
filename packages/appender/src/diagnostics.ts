import { type Clock } from '@millrace/runtime'
import type { DiagnosticOutput } from './diagnostic-output.js'
import { publish } from './diagnostics-channel.js'

/** A kind of trouble. Of each kind at most one report goes out in 30 seconds. */
export type DiagnosticKind =
  | 'connect-failed'
  | 'delivery-failed'
  | 'refused'
  | 'recovered'
  | 'dropped'
  | 'dead-letter'
  | 'encode-failed'
  | 'process-end'
  | 'spool'
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

/** Kinds that mean lost events: their numbers are said in full in the end. */
const LOSSES: ReadonlySet<DiagnosticKind> = new Set(['dropped', 'encode-failed'])

interface Entry {
  untilMs: number
  /** Cases that have not been said yet. */
  count: number
  message: string
  error: unknown
}

/**
 * Reports the appender's own trouble, at most one report for each kind in 30 seconds, never through
 * the logger that it serves and never in a way that could throw. A listener that logs what it hears
 * does not start a circle: what happens meanwhile is counted only.
 */
export class Diagnostics {
  readonly #output: DiagnosticOutput
  readonly #clock: Clock
  readonly #observer: DiagnosticListener | undefined
  readonly #kinds = new Map<DiagnosticKind, Entry>()
  #isReporting = false

  /** @param observer hears what goes out, beside the output. */
  constructor(output: DiagnosticOutput, clock: Clock, observer?: DiagnosticListener) {
    this.#output = output
    this.#clock = clock
    this.#observer = observer
  }

  /** @param count how many cases this report stands for. */
  report(kind: DiagnosticKind, message: string, error?: unknown, count = 1): void {
    const now = this.#clock.monotonic()
    const entry = this.#entry(kind)
    entry.count += count
    entry.message = message
    entry.error = error
    if (now < entry.untilMs || this.#isReporting) return
    entry.untilMs = now + DIAGNOSTIC_INTERVAL_MS
    this.#say(kind, entry)
  }

  /** The end of the appender or of the process: says losses that were only counted, and writes all out. */
  finish(): void {
    for (const [kind, entry] of this.#kinds) {
      if (entry.count > 0 && LOSSES.has(kind) && !this.#isReporting) this.#say(kind, entry)
    }
    this.#output.flush()
  }

  #entry(kind: DiagnosticKind): Entry {
    const known = this.#kinds.get(kind)
    if (known !== undefined) return known
    const entry = { untilMs: Number.NEGATIVE_INFINITY, count: 0, message: '', error: undefined }
    this.#kinds.set(kind, entry)
    return entry
  }

  #say(kind: DiagnosticKind, entry: Entry): void {
    const { message, count, error } = entry
    entry.count = 0
    this.#isReporting = true
    try {
      const diagnostic = { kind, message, count, ...(error === undefined ? {} : { error }) }
      publish(diagnostic)
      this.#observer?.(diagnostic)
      this.#output.report(diagnostic)
    } catch {
      // The listener is the application's, and there is nobody else to tell.
      entry.count = count
    } finally {
      this.#isReporting = false
    }
  }
}
