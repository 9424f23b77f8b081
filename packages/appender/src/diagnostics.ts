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
