import type { DiskFile } from '../disk/disk.js'
import { readFully, type Steps } from '../disk/steps.js'
import {
  bodyChecksum,
  readRecordHeader,
  RECORD_ALIGNMENT,
  RECORD_HEADER_BYTES,
  recordBytes,
  type RecordHeader,
  type Seal,
} from '../format/record.js'

/** Read at once where a record is not longer, in bytes. */
const CHUNK_BYTES = 1024 ** 2
/** Unit in which an unreadable disk is asked for what can still be read, in bytes. */
const PAGE_BYTES = 4096
/** A page that can't be read so many times in a row is damaged. */
const PAGE_ATTEMPTS = 4

/** What stands at a place of a segment. */
export type Scanned =
  | { readonly kind: 'record'; readonly header: RecordHeader; readonly body: Buffer }
  /** Bytes that are no valid record. `header` is there when only the body is damaged. */
  | {
      readonly kind: 'damage'
      readonly from: number
      readonly to: number
      readonly header?: RecordHeader
    }

export interface ScanStart {
  /** Position of the first record in bytes. */
  readonly at: number
  /** Records are younger than this one. */
  readonly lastId: number
}

/**
 * Reads the records of a segment one after the other. A damaged body is stepped over by the length in its
 * header; behind a damaged header the next valid one is looked for by its mark. Bytes that only look like a
 * record, because the segment was used before or a body holds a copy of a log, have another mark, seed, offset
 * or an older id.
 */
export class RecordScanner {
  readonly #file: DiskFile
  readonly #seal: Seal
  readonly #mark = Buffer.alloc(4)
  #position: number
  #lastId: number
  #chunk: Buffer = Buffer.alloc(0)
  #chunkStart = 0
  /** Whether pages that can't be read count as damaged, instead of being an error. */
  takesUnreadableAsDamage = false

  constructor(file: DiskFile, seal: Seal, start: ScanStart) {
    this.#file = file
    this.#seal = seal
    this.#mark.writeUInt32LE(seal.mark)
    this.#position = start.at
    this.#lastId = start.lastId
  }

  /** Where the next record is expected. */
  get position(): number {
    return this.#position
  }

  get lastId(): number {
    return this.#lastId
  }

  /** What comes next, not reading at or behind `end`; undefined there. */
  *next(end: number): Steps<Scanned | undefined> {
    const from = this.#position
    if (from + RECORD_HEADER_BYTES > end) return undefined
    const header = yield* this.#headerAt(from, end)
    if (!header) {
      const to = yield* this.#findRecord(from + RECORD_ALIGNMENT, end)
      this.#position = to
      return { kind: 'damage', from, to }
    }
    const to = from + recordBytes(header.bodyBytes)
    const bodyStart = from + RECORD_HEADER_BYTES
    const body = yield* this.#load(bodyStart, header.bodyBytes, end)
    this.#position = to
    this.#lastId = header.id
    if (body.length < header.bodyBytes || bodyChecksum(body, this.#seal) !== header.bodyCrc) {
      return { kind: 'damage', from, to, header }
    }
    return { kind: 'record', header, body }
  }

  /** The bytes [from, from + length) as far as the file has them. */
  bytes(from: number, length: number): Steps<Buffer> {
    return this.#load(from, length, from + length)
  }

  *#headerAt(offset: number, end: number): Steps<RecordHeader | undefined> {
    const bytes = yield* this.#load(offset, RECORD_HEADER_BYTES, end)
    const header = readRecordHeader(bytes, 0, this.#seal, offset)
    if (!header || header.id <= this.#lastId) return undefined
    return offset + recordBytes(header.bodyBytes) <= end ? header : undefined
  }

  /** Position of the first valid header at or behind `from`; `end` when there is none. */
  *#findRecord(from: number, end: number): Steps<number> {
    let at = from
    while (at + RECORD_HEADER_BYTES <= end) {
      const bytes = yield* this.#load(at, Math.min(CHUNK_BYTES, end - at), end)
      if (bytes.length < RECORD_HEADER_BYTES) return end
      let found = bytes.indexOf(this.#mark)
      while (found >= 0) {
        const candidate = at + found
        if (candidate % RECORD_ALIGNMENT === 0 && (yield* this.#headerAt(candidate, end))) {
          return candidate
        }
        found = bytes.indexOf(this.#mark, found + 1)
      }
      // A mark that the end of the chunk cuts is found at the start of the next one.
      at += bytes.length - this.#mark.length + 1
    }
    return end
  }

  /** The bytes [from, from + length) as far as the file has them, not beyond `end`. */
  *#load(from: number, length: number, end: number): Steps<Buffer> {
    const start = from - this.#chunkStart
    if (start >= 0 && start + length <= this.#chunk.length) {
      return this.#chunk.subarray(start, start + length)
    }
    const wanted = Math.max(length, Math.min(CHUNK_BYTES, end - from))
    const chunk = Buffer.allocUnsafeSlow(wanted)
    const count = yield* this.#read(chunk, from)
    this.#chunk = chunk.subarray(0, count)
    this.#chunkStart = from
    return this.#chunk.subarray(0, Math.min(length, count))
  }

  *#read(target: Buffer, from: number): Steps<number> {
    try {
      return yield* readFully(this.#file, target, from)
    } catch (error) {
      if (!this.takesUnreadableAsDamage) throw error
    }
    let done = 0
    while (done < target.length) {
      const page = target.subarray(done, done + PAGE_BYTES)
      const count = yield* this.#readPage(page, from + done)
      if (count === 0) break
      done += count
    }
    return done
  }

  /** What the disk gives in no attempt reads as ones: no record, nor the zeroes behind the last one. */
  *#readPage(page: Buffer, from: number): Steps<number> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return yield* readFully(this.#file, page, from)
      } catch (error) {
        if (attempt < PAGE_ATTEMPTS) continue
        if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error
        page.fill(0xff)
        return page.length
      }
    }
  }
}
