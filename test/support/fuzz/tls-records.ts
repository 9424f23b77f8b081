/** A stream that changes the TLS records which are written into it. What it reads it hands on. */
import { Duplex } from 'node:stream'
import type { RecordFault } from './fuzz-case.js'

const HEADER_BYTES = 5
/** A fatal alert `internal_error`. */
const ALERT = Buffer.from('15030300020250', 'hex')

export class RecordFaults extends Duplex {
  readonly #inner: Duplex
  readonly #faults: readonly RecordFault[]
  #pending = Buffer.alloc(0)
  #record = 0

  constructor(inner: Duplex, faults: readonly RecordFault[]) {
    super({ allowHalfOpen: true })
    this.#inner = inner
    this.#faults = faults
    inner.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) inner.pause()
    })
    inner.on('end', () => this.push(null))
    inner.on('error', (error) => this.destroy(error))
    inner.on('close', () => this.destroy())
  }

  override _read(): void {
    this.#inner.resume()
  }

  override _write(chunk: Buffer, _: string, callback: () => void): void {
    this.#pending = Buffer.concat([this.#pending, chunk])
    const made: Buffer[] = []
    while (this.#pending.length >= HEADER_BYTES) {
      const length = HEADER_BYTES + this.#pending.readUInt16BE(3)
      if (this.#pending.length < length) break
      const record = Buffer.from(this.#pending.subarray(0, length))
      this.#pending = this.#pending.subarray(length)
      made.push(...this.#changed(record))
      this.#record += 1
    }
    if (made.length > 0 && this.#inner.writable) this.#inner.write(Buffer.concat(made))
    callback()
  }

  override _final(callback: () => void): void {
    this.#inner.end()
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#inner.destroy()
    callback(error)
  }

  #changed(record: Buffer): Buffer[] {
    let records = [record]
    for (const { record: index, kind, value } of this.#faults) {
      if (index !== this.#record) continue
      const at = value % record.length
      if (kind === 'flip') record[at] = (record[at] ?? 0) ^ (1 << (value % 8))
      else if (kind === 'type') record[0] = value & 255
      else if (kind === 'version') record.writeUInt16BE(value & 0xff_ff, 1)
      else if (kind === 'length') record.writeUInt16BE(value & 0xff_ff, 3)
      else if (kind === 'drop') records = []
      else if (kind === 'double') records = [record, record]
      else if (kind === 'cut') records = [record.subarray(0, at)]
      else records = [ALERT, record]
    }
    return records
  }
}
