/**
 * The few Avro types of handshakes and call envelopes, read from untrusted bytes. Events are not read
 * here: they are scanned in `@millrace/event`.
 *
 *     bytes, string := length octet*
 *     map<bytes>    := ( count (string bytes)* | -count byteSize (string bytes)* )* 00
 *     union         := branch value
 */
import { VarintReader, varintSize, writeVarint } from '@millrace/event'
import { AvroError } from '@millrace/runtime'

/** Reads envelope types; every overrun is an AvroError with the text that Java answers. */
export class EnvelopeReader extends VarintReader {
  readonly #buffer: Buffer

  constructor(bytes: Buffer, position: number, end: number) {
    super(bytes, position, end)
    this.#buffer = bytes
  }

  /** A view of the next `length` octets. */
  readFixed(length: number): Buffer {
    const start = this.position
    if (length < 0) {
      throw new AvroError('MILLRACE_AVRO_INVALID', `Malformed data. Length is negative: ${length}`)
    }
    if (length > this.end - start) {
      throw new AvroError('MILLRACE_AVRO_TRUNCATED', 'java.io.EOFException')
    }
    this.position = start + length
    return this.#buffer.subarray(start, this.position)
  }

  readBytes(): Buffer {
    return this.readFixed(this.readLong())
  }

  readString(): string {
    const length = this.readLong()
    const start = this.position
    if (length < 0 || length > this.end - start) this.readFixed(length)
    this.position = start + length
    return this.#buffer.toString('utf8', start, this.position)
  }

  readByte(): number {
    if (this.position >= this.end) this.readFixed(1)
    const byte = this.#buffer[this.position] as number
    this.position += 1
    return byte
  }

  /** The branch of a union or the index of an enum, below `size`. */
  readIndex(size: number): number {
    const index = this.readLong()
    if (index < 0 || index >= size) {
      throw new AvroError('MILLRACE_AVRO_INVALID', `Index ${index} is not below ${size}`)
    }
    return index
  }

  /** Skips a map of bytes; both forms of blocks. */
  skipBytesMap(): void {
    for (;;) {
      let count = this.readLong()
      if (count === 0) return
      if (count < 0) {
        count = -count
        this.readLong()
      }
      // An entry takes at least two octets, so an absurd count fails before the loop runs long.
      if (count * 2 > this.end - this.position) this.readFixed(this.end - this.position + 1)
      for (; count > 0; count -= 1) {
        this.readFixed(this.readLong())
        this.readFixed(this.readLong())
      }
    }
  }
}

/** Length and octets: Avro's `bytes` and `string`. */
export function encodeBytes(bytes: Uint8Array): Buffer {
  const encoded = Buffer.allocUnsafe(varintSize(bytes.length) + bytes.length)
  encoded.set(bytes, writeVarint(encoded, 0, bytes.length))
  return encoded
}

/** Avro's `string`. */
export function encodeString(text: string): Buffer {
  return encodeBytes(Buffer.from(text))
}
