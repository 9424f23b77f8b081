import { AvroError } from '@millrace/runtime'

/** Longest encoding of a 64-bit varint, in bytes. */
export const MAX_VARINT_BYTES = 10

/** What the tenth group of seven bits is worth. */
const TENTH_SCALE = 2 ** 63

/**
 * Reads Avro's zig-zag varints (`long`) from untrusted bytes. One reader is one position; the fast
 * paths live in {@link ./scan.ts}, which falls back to this one for everything unusual.
 *
 *     long := ( 1xxxxxxx )* 0xxxxxxx        least significant group first, zig-zag, at most 10 bytes
 *
 * A value need not be in its shortest form, and of a tenth byte only the lowest bit counts, as in
 * Java. Values beyond 2^53 lose precision; every use compares the value with a buffer's length first.
 */
export class VarintReader {
  readonly bytes: Uint8Array
  readonly end: number
  position: number

  constructor(bytes: Uint8Array, position: number, end: number) {
    this.bytes = bytes
    this.position = position
    this.end = end
  }

  /** @throws AvroError truncated when the bytes end inside, invalid when there are more than ten. */
  readLong(): number {
    const { bytes } = this
    const limit = Math.min(this.end, this.position + MAX_VARINT_BYTES)
    let magnitude = 0
    let scale = 1
    let first = 0
    for (let at = this.position; at < limit; at += 1) {
      const byte = bytes[at] as number
      if (scale === 1) first = byte
      magnitude += (scale === TENTH_SCALE ? byte & 1 : byte & 0x7f) * scale
      if (byte < 0x80) {
        this.position = at + 1
        // Zig-zag: even is n/2, odd is -(n+1)/2. The parity is the first byte's, which stays exact.
        return first & 1 ? -(magnitude + 1) / 2 : magnitude / 2
      }
      scale *= 128
    }
    if (limit === this.end) throw truncated()
    throw new AvroError('MILLRACE_AVRO_INVALID', 'Invalid long encoding')
  }
}

/** Bytes that the varint of a non-negative length takes. */
export function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 64; rest = Math.floor(rest / 128)) size += 1
  return size
}

/** Writes the varint of a non-negative length; gives the position behind it. */
export function writeVarint(target: Uint8Array, position: number, value: number): number {
  let at = position
  let rest = value * 2
  while (rest > 127) {
    target[at] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
    at += 1
  }
  target[at] = rest
  return at + 1
}

export function truncated(): AvroError {
  // The text is what Java's Avro answers, so that a peer's log reads the same.
  return new AvroError('MILLRACE_AVRO_TRUNCATED', 'java.io.EOFException')
}

export function negativeLength(length: number): AvroError {
  return new AvroError('MILLRACE_AVRO_INVALID', `Malformed data. Length is negative: ${length}`)
}
