/** Something that is not as a log should be, and what was done about it. */
export interface Finding {
  readonly kind: FindingKind
  readonly path: string
  /** A sentence for a person. */
  readonly message: string
  /** Number of events that are lost by it, where it is known. */
  readonly lostEvents?: number
  /** Number of events that a cut end can have held. */
  readonly atMostEvents?: number
  /** The bytes [from, to) of the file that it is about. */
  readonly bytes?: { readonly from: number; readonly to: number }
  /** Where a copy of those bytes is, or where the file was moved. */
  readonly copy?: string
}

export type FindingKind =
  /** A damaged record, or damaged bytes, below the durable frontier: loss. */
  | 'damage'
  /** The end of a log that was not closed, cut at its first damaged record: never acknowledged, or damaged. */
  | 'cut-tail'
  /** Events that no file holds any more. */
  | 'missing'
  /** A second file with the same segment, left alone. */
  | 'doubled'
  /** A segment under another name than it was written, used where it is. */
  | 'renamed'
  /** A file whose header can't be read, set aside or used again. */
  | 'unreadable'
  /** An unfinished file, removed. */
  | 'unfinished'
  /** Something that is not part of the log, left alone. */
  | 'foreign'
  /** The checkpoint is missing or damaged and was made anew from the log. */
  | 'checkpoint'
  /** The position of a consumer was not found: it begins at the oldest event. */
  | 'cursor'

/** What opening a log found. */
export interface RecoveryReport {
  /** The log was made by this opening. */
  readonly isNew: boolean
  /** The log had been closed; false after a crash. */
  readonly wasClosed: boolean
  readonly segments: number
  /** Events that the slowest consumer has not acknowledged. */
  readonly backlogEvents: number
  readonly findings: readonly Finding[]
}
