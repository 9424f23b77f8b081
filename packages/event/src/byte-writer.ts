import { varintSize, writeVarint } from './varint.js'

/** Longest text, in characters, that is written without help. Its length takes one byte. */
const SHORT_LENGTH = 32

/** A growing buffer and the position where the next bytes go. Fields are open for hot paths. */
export class ByteWriter {
  buffer: Buffer
  position = 0

  constructor(initialBytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(initialBytes)
  }

  /** Makes room for `bytes` more; what was written stays. */
  reserve(bytes: number): void {
    if (this.position + bytes <= this.buffer.length) return
    const grown = Buffer.allocUnsafeSlow((this.position + bytes) * 2)
    this.buffer.copy(grown, 0, 0, this.position)
    this.buffer = grown
  }

  /** A non-negative length as Avro's varint. */
  writeVarint(value: number): void {
    this.reserve(10)
    this.position = writeVarint(this.buffer, this.position, value)
  }

  writeRaw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.position)
    this.position += bytes.length
  }

  /** Length and bytes: Avro's `bytes`. */
  writeBytes(bytes: Uint8Array): void {
    this.writeVarint(bytes.length)
    this.writeRaw(bytes)
  }

  /** Length and UTF-8: Avro's `string`. */
  writeString(value: string): void {
    if (value.length <= SHORT_LENGTH && this.#writeShort(value)) return
    const length = Buffer.byteLength(value)
    this.reserve(varintSize(length) + length)
    this.position = writeVarint(this.buffer, this.position, length)
    this.position += this.buffer.write(value, this.position)
  }

  /** Writes a short text of ASCII by itself, which costs less than a call into the runtime. */
  #writeShort(value: string): boolean {
    const { length } = value
    this.reserve(length + 1)
    const { buffer, position } = this
    for (let i = 0; i < length; i += 1) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) return false
      buffer[position + 1 + i] = code
    }
    buffer[position] = length << 1
    this.position = position + 1 + length
    return true
  }
}
