/** An event that cannot be delivered. */
export interface DeadLetter {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** `refused`: a receiver refused it alone, again and again. `oversize`: it exceeds a limit here. */
  readonly reason: 'refused' | 'oversize'
  /** The receiver that refused it last, as `host:port`. */
  readonly host?: string
}

/** Takes a dead letter. A promise is awaited; a failure counts the event as dropped. */
export type DeadLetterListener = (letter: DeadLetter) => void | Promise<void>
