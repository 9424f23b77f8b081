/** Reading the header map of encoded events. */
import { readBlockCount } from './scan.js'
import { VarintReader } from './varint.js'

/** Headers as a program sees them. No prototype, so that any key is an ordinary key. */
export type Headers = Readonly<Record<string, string>>

/** Walks the entries of one event's map. The bytes must have been scanned before. */
export class HeaderCursor {
  entryStart = 0
  keyStart = 0
  keyEnd = 0
  valueStart = 0
  valueEnd = 0
  /** Where the walk stands; behind the map once {@link HeaderCursor.next} has answered false. */
  position = 0
  readonly #bytes: Uint8Array
  readonly #reader: VarintReader
  #left = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#reader = new VarintReader(bytes, 0, bytes.length)
  }

  /** Goes in front of the map that begins at `position`. */
  seek(position: number): this {
    this.position = position
    this.#left = 0
    return this
  }

  /** Goes to the next entry; false, and behind the map, when there is none. */
  next(): boolean {
    if (this.#left === 0) {
      this.#reader.position = this.position
      this.#left = readBlockCount(this.#reader, 2)
      this.position = this.#reader.position
      if (this.#left === 0) return false
    }
    this.#left -= 1
    this.entryStart = this.position
    const keyLength = this.#readLength()
    this.keyStart = this.position
    this.keyEnd = this.keyStart + keyLength
    this.position = this.keyEnd
    const valueLength = this.#readLength()
    this.valueStart = this.position
    this.valueEnd = this.valueStart + valueLength
    this.position = this.valueEnd
    return true
  }

  #readLength(): number {
    const byte = this.#bytes[this.position] as number
    if (byte < 0x80) {
      this.position += 1
      return byte >> 1
    }
    this.#reader.position = this.position
    const length = this.#reader.readLong()
    this.position = this.#reader.position
    return length
  }
}

/** A header's name, ready to be compared with encoded keys. */
export class HeaderName {
  readonly #bytes: Uint8Array

  constructor(name: string) {
    this.#bytes = Buffer.from(name)
  }

  /** True when the key at `bytes[start, end)` is this name. */
  equals(bytes: Uint8Array, start: number, end: number): boolean {
    const name = this.#bytes
    if (end - start !== name.length) return false
    for (let i = 0; i < name.length; i += 1) if (bytes[start + i] !== name[i]) return false
    return true
  }
}

/** Decodes headers of events in one buffer. Keeps what a next look at the same header can use. */
export class HeaderReader {
  readonly #bytes: Buffer
  readonly #cursor: HeaderCursor
  #text: string | undefined
  #name = EMPTY_NAME

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#cursor = new HeaderCursor(bytes)
  }

  /** The last value under the name in the map that begins at `start`. */
  find(start: number, name: string): string | undefined {
    if (name !== this.#text) {
      this.#name = new HeaderName(name)
      this.#text = name
    }
    const bytes = this.#bytes
    const cursor = this.#cursor.seek(start)
    let valueStart = -1
    let valueEnd = -1
    while (cursor.next()) {
      if (!this.#name.equals(bytes, cursor.keyStart, cursor.keyEnd)) continue
      valueStart = cursor.valueStart
      valueEnd = cursor.valueEnd
    }
    return valueStart < 0 ? undefined : bytes.toString('utf8', valueStart, valueEnd)
  }

  /** The map that begins at `start`. */
  all(start: number): Headers {
    const bytes = this.#bytes
    const cursor = this.#cursor.seek(start)
    const headers: Record<string, string> = Object.create(null)
    while (cursor.next()) {
      const key = bytes.toString('utf8', cursor.keyStart, cursor.keyEnd)
      headers[key] = bytes.toString('utf8', cursor.valueStart, cursor.valueEnd)
    }
    return headers
  }
}

const EMPTY_NAME = new HeaderName('')
