import { type ByteWriter, varintSize, writeVarint } from '@millrace/event'

/** Entries of one map block: their number, doubled, fits into one byte. */
const MAX_BLOCK_ENTRIES = 63
/** Below this a loop over the characters beats a call into native code. */
const SHORT_TEXT = 16

/** `length, bytes` of the name and of the value: one entry of Avro's map. */
export function headerEntry(name: string, value: string): Buffer {
  const nameBytes = Buffer.from(name)
  const valueBytes = Buffer.from(value)
  const entry = Buffer.alloc(
    varintSize(nameBytes.length) +
      nameBytes.length +
      varintSize(valueBytes.length) +
      valueBytes.length,
  )
  let at = writeVarint(entry, 0, nameBytes.length)
  at += nameBytes.copy(entry, at)
  at = writeVarint(entry, at, valueBytes.length)
  valueBytes.copy(entry, at)
  return entry
}

/** `length, bytes` of a header's name alone. */
export function headerName(name: string): Buffer {
  return headerEntry(name, '').subarray(0, -1)
}

/**
 * Writes the header map of one event behind a writer's position.
 *
 *     map   := { count entry* } 0        count is one byte: at most 63 entries to a block
 *     entry := length name length value
 *
 * One object serves all events of a mapper, one after the other.
 */
export class HeaderBlock {
  #countAt = 0
  #count = 0

  /** Opens a map and leaves room for its first count. */
  open(writer: ByteWriter): void {
    this.#countAt = writer.position
    this.#count = 0
    writer.position += 1
  }

  /** Counts entries whose bytes the caller has written; at most 63 before the first {@link HeaderBlock.add}. */
  counted(entries: number): void {
    this.#count += entries
  }

  /** One entry, already encoded. */
  add(writer: ByteWriter, entry: Uint8Array): void {
    this.#next(writer)
    writer.writeRaw(entry)
  }

  /** One entry: `name` is encoded with its length, `value` is text of any content. */
  addText(writer: ByteWriter, name: Uint8Array, value: string): void {
    this.#next(writer)
    writer.writeRaw(name)
    writeText(writer, value)
  }

  close(writer: ByteWriter): void {
    writer.buffer[this.#countAt] = this.#count * 2
    if (this.#count === 0) return
    writer.reserve(1)
    writer.buffer[writer.position] = 0
    writer.position += 1
  }

  #next(writer: ByteWriter): void {
    if (this.#count === MAX_BLOCK_ENTRIES) {
      writer.buffer[this.#countAt] = MAX_BLOCK_ENTRIES * 2
      writer.reserve(1)
      this.open(writer)
    }
    this.#count += 1
  }
}

/** Length and UTF-8 of a text, lone surrogates as U+FFFD: Avro's `string` and, for a body, `bytes`. */
export function writeText(writer: ByteWriter, text: string): void {
  const { length } = text
  writer.reserve(length * 3 + 10)
  const { buffer, position } = writer
  if (length < SHORT_TEXT && writeShort(buffer, position, text)) {
    writer.position = position + 1 + length
    return
  }
  // Most text is ASCII: the length's place is guessed from it and corrected when that was wrong.
  const guessed = varintSize(length)
  const written = buffer.write(text, position + guessed)
  const needed = varintSize(written)
  if (needed !== guessed) {
    buffer.copyWithin(position + needed, position + guessed, position + guessed + written)
  }
  writeVarint(buffer, position, written)
  writer.position = position + needed + written
}

/** Writes a text of less than 64 characters when it is ASCII. */
function writeShort(target: Uint8Array, position: number, text: string): boolean {
  const { length } = text
  for (let i = 0; i < length; i += 1) {
    const code = text.charCodeAt(i)
    if (code > 127) return false
    target[position + 1 + i] = code
  }
  target[position] = length * 2
  return true
}
