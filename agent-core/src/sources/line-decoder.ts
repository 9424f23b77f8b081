/** Decodes a stream of bytes. */
export interface LineDecoder {
  /** @throws UnreadableError for bytes that mean nothing; the stream cannot go on. */
  decode(bytes: Uint8Array): string
}

/** Bytes that are no text of a character set. */
export class UnreadableError extends TypeError {
  /** Whole lines in front of them, as far as the set lets them be told. */
  readonly linesBefore: string

  constructor(name: string, linesBefore: string) {
    super(`The bytes are not ${name}`)
    this.linesBefore = linesBefore
  }
}
