/** `directory.wal`: says which log a data directory belongs to. See `docs/formats/wal.md`, "Data directories". */
import { crc32 } from 'node:zlib'
import { checkVersion, FORMAT_VERSION } from './segment-header.js'

export const IDENTITY_BYTES = 64
const MAGIC = Buffer.from('MILLRDIR', 'latin1')
const CHECKED_FROM = 12

export interface DirectoryIdentity {
  readonly logId: string
  /** Of this directory: 32 hexadecimal digits. */
  readonly directoryId: string
}

export function encodeIdentity({ logId, directoryId }: DirectoryIdentity): Buffer {
  const bytes = Buffer.alloc(IDENTITY_BYTES)
  MAGIC.copy(bytes)
  bytes.writeUInt32LE(FORMAT_VERSION, 12)
  bytes.write(logId, 16, 'hex')
  bytes.write(directoryId, 32, 'hex')
  bytes.writeUInt32LE(crc32(bytes.subarray(CHECKED_FROM)), 8)
  return bytes
}

export function decodeIdentity(bytes: Buffer, path: string): DirectoryIdentity | undefined {
  if (bytes.length < IDENTITY_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    return undefined
  }
  if (bytes.readUInt32LE(8) !== crc32(bytes.subarray(CHECKED_FROM, IDENTITY_BYTES))) {
    return undefined
  }
  checkVersion(bytes.readUInt32LE(12), path)
  return { logId: bytes.toString('hex', 16, 32), directoryId: bytes.toString('hex', 32, 48) }
}
