const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/** Cuts output into lines, as Java does: at a line feed, a carriage return, or both in a row. */
export class OutputLines {
  readonly #maxLineBytes: number
  /** The parts of the line that has no end yet. */
  #parts: Buffer[] = []
  #length = 0
  /** Whether the last byte was a carriage return, whose line feed may follow. */
  #isAfterReturn = false

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes
  }

  /** The lines that the chunk completes. */
  add(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = []
    let start = this.#isAfterReturn && chunk[0] === LINE_FEED ? 1 : 0
    if (chunk.length > 0) this.#isAfterReturn = false
    for (;;) {
      const end = endOfLine(chunk, start)
      if (end < 0) break
      lines.push(this.#complete(chunk.subarray(start, end)))
      start = end + 1
      if (chunk[end] !== CARRIAGE_RETURN) continue
      if (chunk[start] === LINE_FEED) start += 1
      else this.#isAfterReturn = start === chunk.length
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
    // Longer than anybody means: cut, so that memory is bounded.
    if (this.#length >= this.#maxLineBytes) lines.push(this.#complete(Buffer.alloc(0)))
    return lines
  }

  /** What has no end. */
  end(): Buffer[] {
    return this.#length > 0 ? [this.#complete(Buffer.alloc(0))] : []
  }

  #keep(part: Buffer): void {
    this.#parts.push(part)
    this.#length += part.length
  }

  #complete(last: Buffer): Buffer {
    if (this.#parts.length === 0) return last
    const line = Buffer.concat([...this.#parts, last])
    this.#parts = []
    this.#length = 0
    return line
  }
}

function endOfLine(chunk: Buffer, from: number): number {
  const feed = chunk.indexOf(LINE_FEED, from)
  const before = feed < 0 ? chunk : chunk.subarray(0, feed)
  const carriage = before.indexOf(CARRIAGE_RETURN, from)
  return carriage < 0 ? feed : carriage
}
