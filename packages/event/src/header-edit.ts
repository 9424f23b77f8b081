/**
 * Editing headers on encoded bytes: nothing is decoded, no object is made per event.
 *
 * What does not change is moved in runs that are as long as can be. A header that is added goes in
 * front of the map's end, so that one run reaches from there over the event's body, and over the
 * next event's map up to its end; the count of entries on its way is overwritten in place:
 *
 *     source   count entries ¦ 00 length body │ count entries ¦ 00 length body │ …
 *     target   COUNT entries HEADERS 00 length body COUNT entries HEADERS 00 length body …
 *                            └ written ┘└──────── one moved run ─────────┘
 *
 * The source is first copied to the end of the target, which is as large as all edits can make it.
 * What is written then never reaches what is not moved yet: every byte in front of a run is either
 * moved too, or was allowed for. Moving within one buffer is several times faster than copying
 * between two, which makes an object for each call.
 */
import { HeaderCursor, HeaderName } from './headers.js'
import { varintSize, writeVarint } from './varint.js'

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

/** The largest number of entries whose count is one byte. */
const MAX_SHORT_COUNT = 63

/**
 * Edits the headers of each event. A header that is written goes behind those that stay. The body is
 * never looked at; a map that is changed and has several blocks becomes one block.
 * @returns undefined when no event changes.
 */
export function editHeaders(
  bytes: Buffer,
  offsets: Uint32Array,
  edits: readonly HeaderEdit[],
): EditedEvents | undefined {
  const count = offsets.length - 1
  const editor = new HeaderEditor(
    bytes,
    offsets,
    edits.map((edit) => new PreparedEdit(edit, count)),
  )
  const edited = new Uint32Array(count + 1)
  for (let i = 0; i < count; i += 1) edited[i] = editor.edit(i)
  return editor.finish(edited)
}

/** An edit with its bytes, and what is known of it for the event at hand. */
class PreparedEdit {
  /** The encoded key: its length and its bytes. */
  readonly key: Buffer
  readonly name: HeaderName
  readonly preserve: boolean
  /** The entry for every event, and for each one, where that differs. */
  readonly constant: Buffer | undefined
  readonly #entries: readonly (Buffer | undefined)[] | undefined
  /** The entry to write into this event; undefined when it gets none. */
  entry: Buffer | undefined
  /** Whether this event's header of that name goes, or is replaced. */
  isActive = true
  isPresent = false

  constructor({ name, value, preserveExisting = false }: HeaderEdit, count: number) {
    this.key = encodeString(name)
    this.name = new HeaderName(name)
    this.preserve = preserveExisting
    if (typeof value === 'string') this.constant = this.#encode(value)
    this.entry = this.constant
    if (typeof value === 'function') this.#entries = this.#encodeEach(value, count)
  }

  /** Length of all its entries, in bytes. */
  totalBytes(count: number): number {
    if (!this.#entries) return (this.constant?.length ?? 0) * count
    return this.#entries.reduce((sum, entry) => sum + (entry?.length ?? 0), 0)
  }

  prepare(index: number): void {
    this.isPresent = false
    if (!this.#entries) return
    this.entry = this.#entries[index]
    this.isActive = this.entry !== undefined
  }

  /** Whether the entry is to be written behind those that stay. */
  get isWritten(): boolean {
    return this.entry !== undefined && !(this.preserve && this.isPresent)
  }

  #encode(text: string): Buffer {
    return Buffer.concat([this.key, encodeString(text)])
  }

  #encodeEach(
    value: (index: number) => string | undefined,
    count: number,
  ): readonly (Buffer | undefined)[] {
    let lastText: string | undefined
    let last: Buffer | undefined
    return Array.from({ length: count }, (_, index) => {
      const text = value(index)
      if (text === undefined) return undefined
      // Such functions tend to repeat themselves.
      if (last === undefined || text !== lastText) last = this.#encode(text)
      lastText = text
      return last
    })
  }
}

/** Length-prefixed bytes of a string. */
function encodeString(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const encoded = Buffer.allocUnsafe(varintSize(length) + length)
  encoded.write(text, writeVarint(encoded, 0, length))
  return encoded
}

class HeaderEditor {
  readonly #source: Buffer
  readonly #offsets: Uint32Array
  readonly #edits: readonly PreparedEdit[]
  readonly #cursor: HeaderCursor
  /** Made at the first event that changes. */
  #target: Buffer = NOTHING
  #position = 0
  /** The source from here on is not moved yet. */
  #runStart: number
  /** What a position in the source is more in the target, where the rest of it lies. */
  #shift = 0
  /** All entries in one, where every edit has one for all events. They lie at the target's end. */
  readonly #constants: Buffer
  /** Start and end of each entry of this event that goes. */
  readonly #removed: number[] = []
  #entries = 0
  /** Position behind this event's map. */
  #mapEnd = 0
  /** Whether the map is one block with a count of one byte, and an end of one byte. */
  #isPlain = false

  constructor(source: Buffer, offsets: Uint32Array, edits: readonly PreparedEdit[]) {
    this.#source = source
    this.#offsets = offsets
    this.#edits = edits
    this.#cursor = new HeaderCursor(source)
    this.#runStart = offsets[0] as number
    const constants = edits.flatMap((edit) => edit.constant ?? [])
    this.#constants = constants.length === edits.length ? Buffer.concat(constants) : NOTHING
  }

  /** Edits the event; gives its start in the target. */
  edit(index: number): number {
    const start = this.#offsets[index] as number
    const startInTarget = this.#position + start - this.#runStart
    for (const edit of this.#edits) edit.prepare(index)
    if (!this.#readPlain(start)) this.#readAny(start)
    let written = 0
    for (const edit of this.#edits) if (edit.isWritten) written += 1
    if (written === 0 && this.#removed.length === 0) return startInTarget
    if (this.#target === NOTHING) this.#begin()
    const entries = this.#entries - this.#removed.length / 2 + written
    if (this.#isPlain && entries > 0 && entries <= MAX_SHORT_COUNT) {
      this.#moveKept(this.#mapEnd - 1)
      this.#target[startInTarget] = entries << 1
      this.#writeEntries(written)
      this.#runStart = this.#mapEnd - 1
    } else {
      this.#rewriteMap(start, entries)
      this.#writeEntries(written)
      this.#target[this.#position] = 0
      this.#position += 1
      this.#runStart = this.#mapEnd
    }
    return startInTarget
  }

  /** Moves the rest, and completes the offsets. The bytes do not pin twice what they are. */
  finish(offsets: Uint32Array): EditedEvents | undefined {
    if (this.#target === NOTHING) return undefined
    this.#move(this.#runStart, this.#offsets[this.#offsets.length - 1] as number)
    const length = this.#position
    offsets[offsets.length - 1] = length
    const bytes = this.#target.subarray(0, length)
    if (length * 2 >= this.#target.length) return { bytes, offsets }
    const trimmed = Buffer.allocUnsafeSlow(length)
    bytes.copy(trimmed)
    return { bytes: trimmed, offsets }
  }

  #begin(): void {
    const start = this.#offsets[0] as number
    const count = this.#offsets.length - 1
    const end = this.#offsets[count] as number
    // A map's count grows by no more than the varint of the number of edits.
    let added = count * varintSize(this.#edits.length)
    for (const edit of this.#edits) added += edit.totalBytes(count)
    const length = end - start + added
    this.#target = Buffer.allocUnsafeSlow(length + this.#constants.length)
    this.#shift = added - start
    this.#source.copy(this.#target, added, start, end)
    this.#constants.copy(this.#target, length)
  }

  /**
   * Walks a map of one block with fewer than 64 entries and strings shorter than 8 KiB: notes the
   * entries that go, and for each edit whether its header is there. False: it is no such map.
   */
  #readPlain(start: number): boolean {
    const source = this.#source
    const edits = this.#edits
    const removed = this.#removed
    removed.length = 0
    const count = source[start] as number
    if (count >= 0x80 || (count & 1) === 1) return false
    let at = start + 1
    for (let left = count; left > 0; left -= 2) {
      const entryStart = at
      const keyLength = source[at] as number
      if (keyLength >= 0x80) return false
      at += 1 + (keyLength >> 1)
      const low = source[at] as number
      const high = source[at + 1] as number
      if (low < 0x80) at += 1 + (low >> 1)
      else if (high < 0x80) at += 2 + (((low & 0x7f) | (high << 7)) >> 1)
      else return false
      let goes = false
      for (let i = 0; i < edits.length; i += 1) {
        const edit = edits[i] as PreparedEdit
        if (edit.key[0] !== keyLength || !edit.isActive) continue
        if (!beginsWith(source, entryStart, edit.key)) continue
        edit.isPresent = true
        if (!edit.preserve) goes = true
      }
      if (goes) removed.push(entryStart, at)
    }
    this.#isPlain = count > 0
    if (count > 0 && source[at] !== 0) return false
    this.#entries = count >> 1
    this.#mapEnd = count > 0 ? at + 1 : at
    return true
  }

  /** As {@link HeaderEditor.#readPlain}, for every map. */
  #readAny(start: number): void {
    const source = this.#source
    const removed = this.#removed
    const cursor = this.#cursor.seek(start)
    for (const edit of this.#edits) edit.isPresent = false
    let entries = 0
    removed.length = 0
    while (cursor.next()) {
      entries += 1
      let goes = false
      for (const edit of this.#edits) {
        if (!edit.isActive || !edit.name.equals(source, cursor.keyStart, cursor.keyEnd)) continue
        edit.isPresent = true
        if (!edit.preserve) goes = true
      }
      if (goes) removed.push(cursor.entryStart, cursor.valueEnd)
    }
    this.#entries = entries
    this.#mapEnd = cursor.position
    this.#isPlain = false
  }

  /** Moves what the removed entries leave, up to `end`. */
  #moveKept(end: number): void {
    const removed = this.#removed
    let from = this.#runStart
    for (let i = 0; i < removed.length; i += 2) {
      this.#move(from, removed[i] as number)
      from = removed[i + 1] as number
    }
    this.#move(from, end)
  }

  /** Writes the count and the entries that stay as one block, whatever blocks they lie in. */
  #rewriteMap(start: number, entries: number): void {
    this.#move(this.#runStart, start)
    if (entries > 0) this.#position = writeVarint(this.#target, this.#position, entries)
    const removed = this.#removed
    const cursor = this.#cursor.seek(start)
    let next = 0
    while (cursor.next()) {
      if (removed[next] === cursor.entryStart) next += 2
      else this.#move(cursor.entryStart, cursor.valueEnd)
    }
  }

  #writeEntries(written: number): void {
    const target = this.#target
    const { length } = this.#constants
    if (length > 0 && written === this.#edits.length) {
      target.copyWithin(this.#position, target.length - length, target.length)
      this.#position += length
      return
    }
    for (const edit of this.#edits) {
      if (!edit.isWritten || edit.entry === undefined) continue
      target.set(edit.entry, this.#position)
      this.#position += edit.entry.length
    }
  }

  /** Moves bytes of the source to where the target has come to. */
  #move(start: number, end: number): void {
    const from = start + this.#shift
    this.#target.copyWithin(this.#position, from, end + this.#shift)
    this.#position += end - start
  }
}

const NOTHING = Buffer.alloc(0)

function beginsWith(bytes: Uint8Array, start: number, wanted: Uint8Array): boolean {
  for (let i = 1; i < wanted.length; i += 1) if (bytes[start + i] !== wanted[i]) return false
  return true
}
