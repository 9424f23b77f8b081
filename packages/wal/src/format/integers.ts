/** Little-endian 64-bit integers that are safe as a number. */

const HIGH = 2 ** 32

/** Writes `value`, a whole number from 0 to 2^53 - 1. */
export function writeUint64(target: Buffer, value: number, offset: number): void {
  target.writeUInt32LE(value >>> 0, offset)
  target.writeUInt32LE(Math.floor(value / HIGH), offset + 4)
}

/** What is above 2^53 - 1 comes back inexact; no valid log holds such a number. */
export function readUint64(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset + 4) * HIGH + bytes.readUInt32LE(offset)
}
