/** Reading and editing the header map of encoded events. */
import { readBlockCount } from './scan.js'
import { varintSize, VarintReader, writeVarint } from './varint.js'

/** Headers as a program sees them. No prototype, so that any key is an ordinary key. */
export type Headers = Readonly<Record<string, string>>

/** Walks the entries of one event's map. The bytes must have been scanned before. */
export class HeaderCursor {
  entryStart = 0
  keyStart = 0
  keyEnd = 0
  valueStart = 0
  valueEnd = 0
  readonly #reader: VarintReader
  #left = -1

  constructor(bytes: Uint8Array) {
    this.#reader = new VarintReader(bytes, 0, bytes.length)
  }

  /** Goes in front of the map that begins at `position`. */
  seek(position: number): this {
    this.#reader.position = position
    this.#left = -1
    return this
  }

  /** Goes to the next entry; false, and behind the map, when there is none. */
  next(): boolean {
    const reader = this.#reader
    if (this.#left <= 0) this.#left = readBlockCount(reader, 2)
    if (this.#left === 0) return false
    this.#left -= 1
    this.entryStart = reader.position
    const keyLength = reader.readLong()
    this.keyStart = reader.position
    this.keyEnd = this.keyStart + keyLength
    reader.position = this.keyEnd
    const valueLength = reader.readLong()
    this.valueStart = reader.position
    this.valueEnd = this.valueStart + valueLength
    reader.position = this.valueEnd
    return true
  }

  /** Position behind the map, once {@link HeaderCursor.next} has answered false. */
  get position(): number {
    return this.#reader.position
  }
}

/** True when `bytes[start, end)` equals `wanted`. */
export function sameBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  wanted: Uint8Array,
): boolean {
  if (end - start !== wanted.length) return false
  for (let i = 0; i < wanted.length; i += 1) if (bytes[start + i] !== wanted[i]) return false
  return true
}

/** One header to write into, or with value `null` to take out of, events. */
export interface HeaderEdit {
  readonly name: string
  /** One value for all, or a value by the event's index, where undefined leaves that event alone. */
  readonly value: string | null | ((index: number) => string | undefined)
  /** Whether an event that has the header keeps its value. Default false. */
  readonly preserveExisting?: boolean
}

/** Bytes and offsets of edited events. */
export interface EditedEvents {
  readonly bytes: Buffer
  readonly offsets: Uint32Array
}

/**
 * Edits the headers of each event by copying encoded bytes into maps of one block. A header that is
 * written goes behind those that stay; the body is never looked at.
 */
export function editHeaders(
  bytes: Buffer,
  offsets: Uint32Array,
  edits: readonly HeaderEdit[],
): EditedEvents {
  const count = offsets.length - 1
  const edited = new Uint32Array(count + 1)
  const writer = new MapWriter(bytes, offsets, edits)
  for (let i = 0; i < count; i += 1) {
    edited[i] = writer.position
    writer.writeEvent(i)
  }
  edited[count] = writer.position
  return { bytes: writer.finish(), offsets: edited }
}

/** Length-prefixed bytes of a string. */
function encodeString(value: string): Buffer {
  const length = Buffer.byteLength(value)
  const encoded = Buffer.allocUnsafe(varintSize(length) + length)
  encoded.write(value, writeVarint(encoded, 0, length))
  return encoded
}

/** An edit with its bytes, and what is known of it for the event at hand. */
class PreparedEdit {
  readonly key: Buffer
  readonly entryKey: Buffer
  readonly preserve: boolean
  readonly #value: HeaderEdit['value']
  readonly #constant: Buffer | undefined
  /** Encoded value for this event; undefined when the event gets none. */
  value: Buffer | undefined
  /** Whether this event's header of that name goes or is replaced. */
  isActive = false
  isPresent = false

  constructor(edit: HeaderEdit) {
    this.key = Buffer.from(edit.name)
    this.entryKey = encodeString(edit.name)
    this.preserve = edit.preserveExisting ?? false
    this.#value = edit.value
    this.#constant = typeof edit.value === 'string' ? encodeString(edit.value) : undefined
  }

  prepare(index: number): void {
    this.isPresent = false
    if (typeof this.#value === 'function') {
      const value = this.#value(index)
      this.value = value === undefined ? undefined : encodeString(value)
      this.isActive = value !== undefined
    } else {
      this.value = this.#constant
      this.isActive = true
    }
  }

  /** Whether the entry is to be written behind those that stay. */
  get isWritten(): boolean {
    return this.value !== undefined && !(this.preserve && this.isPresent)
  }
}

/** Collects rewritten events in one growing buffer. */
class MapWriter {
  position = 0
  readonly #source: Buffer
  readonly #offsets: Uint32Array
  readonly #edits: readonly PreparedEdit[]
  readonly #cursor: HeaderCursor
  #target: Buffer
  /** Start and end in the source of each entry that stays; reused from event to event. */
  readonly #kept: number[] = []

  constructor(source: Buffer, offsets: Uint32Array, edits: readonly HeaderEdit[]) {
    this.#source = source
    this.#offsets = offsets
    this.#edits = edits.map((edit) => new PreparedEdit(edit))
    this.#cursor = new HeaderCursor(source)
    const count = offsets.length - 1
    const length = (offsets[count] as number) - (offsets[0] as number)
    let added = 4
    for (const edit of this.#edits) added += edit.entryKey.length + 40
    this.#target = Buffer.allocUnsafe(length + count * added)
  }

  writeEvent(index: number): void {
    const start = this.#offsets[index] as number
    const end = this.#offsets[index + 1] as number
    const edits = this.#edits
    let size = end - start + 10
    for (const edit of edits) {
      edit.prepare(index)
      size += edit.entryKey.length + (edit.value?.length ?? 0)
    }
    this.#reserve(size)
    const kept = this.#collectKept(start)
    let entries = kept.length / 2
    for (const edit of edits) if (edit.isWritten) entries += 1
    if (entries > 0) this.position = writeVarint(this.#target, this.position, entries)
    for (let i = 0; i < kept.length; i += 2) this.#copy(kept[i] as number, kept[i + 1] as number)
    for (const edit of edits) {
      if (!edit.isWritten || !edit.value) continue
      this.#append(edit.entryKey)
      this.#append(edit.value)
    }
    this.#target[this.position] = 0
    this.position += 1
    this.#copy(this.#cursor.position, end)
  }

  finish(): Buffer {
    return this.#target.subarray(0, this.position)
  }

  /** Notes the runs of entries that stay, and for each edit whether its header is there. */
  #collectKept(start: number): number[] {
    const kept = this.#kept
    const cursor = this.#cursor.seek(start)
    kept.length = 0
    while (cursor.next()) {
      let stays = true
      for (const edit of this.#edits) {
        if (!edit.isActive || !sameBytes(this.#source, cursor.keyStart, cursor.keyEnd, edit.key))
          continue
        edit.isPresent = true
        if (!edit.preserve) stays = false
      }
      if (stays) kept.push(cursor.entryStart, cursor.valueEnd)
    }
    return kept
  }

  #append(value: Buffer): void {
    this.#target.set(value, this.position)
    this.position += value.length
  }

  #copy(start: number, end: number): void {
    this.#source.copy(this.#target, this.position, start, end)
    this.position += end - start
  }

  #reserve(bytes: number): void {
    if (this.position + bytes <= this.#target.length) return
    const grown = Buffer.allocUnsafe((this.position + bytes) * 2)
    this.#target.copy(grown, 0, 0, this.position)
    this.#target = grown
  }
}
