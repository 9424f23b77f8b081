import { varintSize, writeVarint } from './varint.js'

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
    const length = Buffer.byteLength(value)
    this.reserve(varintSize(length) + length)
    this.position = writeVarint(this.buffer, this.position, length)
    this.position += this.buffer.write(value, this.position)
  }
}
