/** CRC-64-AVRO of a schema's parsing canonical form (Avro 1.11, “Parsing Canonical Form for Schemas”). */
import type { Type } from 'avsc'

const EMPTY = 0xc15d213aa4d7a795n
const TABLE: readonly bigint[] = Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte)
  for (let i = 0; i < 8; i += 1) value = (value >> 1n) ^ (value & 1n ? EMPTY : 0n)
  return value
})

/** The hash as Flume writes it: 8 bytes, the lowest first, in hexadecimal digits. */
export function schemaHash(type: Type): string {
  const canonical = JSON.stringify(type.schema())
  let hash = EMPTY
  for (const byte of Buffer.from(canonical)) {
    hash = (hash >> 8n) ^ (TABLE[Number((hash ^ BigInt(byte)) & 255n)] ?? 0n)
  }
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(hash)
  return bytes.toString('hex')
}
