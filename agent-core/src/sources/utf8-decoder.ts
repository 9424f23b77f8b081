import { isUtf8 } from 'node:buffer'
import { type LineDecoder, UnreadableError } from './line-decoder.js'

const NEWLINE = 0x0a

/** UTF-8 in pieces that may end inside a character. Strict: what Java's decoder reports is an error here. */
export class Utf8Decoder implements LineDecoder {
  /** Octets of a character that is not complete. */
  #unfinished: Buffer = Buffer.alloc(0)

  decode(bytes: Uint8Array): string {
    const all = Buffer.concat([this.#unfinished, bytes])
    const end = all.length - unfinishedOctets(all)
    const whole = all.subarray(0, end)
    if (!isUtf8(whole)) throw new UnreadableError('UTF-8', readableLines(whole))
    this.#unfinished = all.subarray(end)
    return whole.toString()
  }
}

/** The lines in front of the one that cannot be read. */
function readableLines(bytes: Buffer): string {
  let end = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, end)) {
    if (!isUtf8(bytes.subarray(end, at))) break
    end = at + 1
  }
  return bytes.subarray(0, end).toString()
}

/** How many octets at the end begin a character that needs more of them. */
function unfinishedOctets(bytes: Buffer): number {
  for (let count = 1; count <= 3 && count <= bytes.length; count += 1) {
    const octet = bytes[bytes.length - count] ?? 0
    const isContinuation = (octet & 0xc0) === 0x80
    if (!isContinuation) return octetsOf(octet) > count ? count : 0
  }
  return 0
}

/** The length of a character by its first octet. */
function octetsOf(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 1
  if (first < 0xe0) return 2
  return first < 0xf0 ? 3 : 4
}
