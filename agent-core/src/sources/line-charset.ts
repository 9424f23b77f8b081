/** Character sets of lines of text, under Java's names. */
import { ConfigurationError } from '@millrace/runtime'
import { type LineDecoder, UnreadableError } from './line-decoder.js'
import { Utf8Decoder } from './utf8-decoder.js'

export interface LineCharset {
  createDecoder(): LineDecoder
  /** A character that the set does not have becomes `?`. */
  encode(text: string): Buffer
}

/** Java's names for the one set that the WHATWG, and so TextDecoder, reads as windows-1252. */
const LATIN1 = ['iso88591', '88591', 'latin1', 'l1', 'cp819', 'ibm819', 'isolatin1']
const ASCII = ['ascii', 'usascii', 'iso646us', '646', 'ansix341968']

/** @throws ConfigurationError when Node does not know the name. */
export function lineCharset(name: string): LineCharset {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  if (LATIN1.includes(plain)) return { createDecoder: () => latin1Decoder, encode: encodeLatin1 }
  if (ASCII.includes(plain)) return { createDecoder: () => asciiDecoder, encode: encodeAscii }
  if (plain === 'utf16') {
    return { createDecoder: () => new Utf16Decoder(), encode: encodeUtf16be }
  }
  const label = plain.replace(/^cp(125\d)$/, 'windows-$1')
  const standard = [name, label].map(decoderName).find((each) => each !== undefined)
  if (standard === undefined) {
    throw new ConfigurationError('MILLRACE_CONFIG_INVALID', `${name} is no known character set`)
  }
  if (standard === 'utf-8') return { createDecoder: () => new Utf8Decoder(), encode: encodeUtf8 }
  return { createDecoder: () => streaming(standard), encode: encoderOf(standard) }
}

function decoderName(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function streaming(encoding: string): LineDecoder {
  // Java keeps a byte order mark as a character of the first line.
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true })
  return {
    decode(bytes) {
      try {
        return decoder.decode(bytes, { stream: true })
      } catch {
        throw new UnreadableError(encoding, '')
      }
    },
  }
}

function encoderOf(encoding: string): (text: string) => Buffer {
  if (encoding === 'utf-16le') return (text) => Buffer.from(text, 'utf16le')
  if (encoding === 'utf-16be') return encodeUtf16be
  return encodeAscii
}

function encodeUtf8(text: string): Buffer {
  return Buffer.from(text)
}

function encodeUtf16be(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16()
}

function encodeLatin1(text: string): Buffer {
  return Buffer.from(replaceAbove(text, 0xff), 'latin1')
}

function encodeAscii(text: string): Buffer {
  return Buffer.from(replaceAbove(text, 0x7f), 'latin1')
}

function replaceAbove(text: string, highest: number): string {
  return Array.from(text, (char) => ((char.codePointAt(0) ?? 0) > highest ? '?' : char)).join('')
}

const latin1Decoder: LineDecoder = {
  decode: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'),
}

const asciiDecoder: LineDecoder = {
  decode(bytes) {
    const text = latin1Decoder.decode(bytes)
    const bad = bytes.findIndex((byte) => byte > 0x7f)
    if (bad < 0) return text
    throw new UnreadableError('ASCII', text.slice(0, text.lastIndexOf('\n', bad) + 1))
  },
}

/** Java's `UTF-16`: the order that the mark at the beginning tells, else big-endian. */
class Utf16Decoder implements LineDecoder {
  #first: number | undefined
  #decoder: LineDecoder | undefined

  decode(bytes: Uint8Array): string {
    if (this.#decoder) return this.#decoder.decode(bytes)
    if (bytes.length === 0) return ''
    if (this.#first === undefined && bytes.length === 1) {
      this.#first = bytes[0]
      return ''
    }
    const start = Buffer.concat([
      this.#first === undefined ? Buffer.alloc(0) : Buffer.from([this.#first]),
      bytes,
    ])
    const mark = start.readUInt16BE(0)
    this.#decoder = streaming(mark === 0xfffe ? 'utf-16le' : 'utf-16be')
    return this.#decoder.decode(mark === 0xfffe || mark === 0xfeff ? start.subarray(2) : start)
  }
}
