import { RequestError } from '@millrace/runtime'

/** A JSON text, and how bodies are encoded where that is not UTF-8. */
export interface JsonText {
  readonly text: string
  readonly encode: ((body: string) => Buffer) | undefined
}

/**
 * Reads JSON in the character set that the content type names: UTF-8, UTF-16 or UTF-32. As in Flume
 * bodies get the same set: UTF-16 with a mark in front, UTF-32 without one.
 * @throws RequestError for another character set.
 */
export function jsonCharset(bytes: Buffer, contentType: string): JsonText {
  const name = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8'
  if (name === 'utf-8' || name === 'utf8') {
    return { text: withoutMark(bytes.toString()), encode: undefined }
  }
  if (name === 'utf-16') return { text: withoutMark(utf16(bytes)), encode: encodeUtf16 }
  if (name === 'utf-32') return { text: withoutMark(utf32(bytes)), encode: encodeUtf32 }
  throw new RequestError(`JSON in ${name} is not read; UTF-8, UTF-16 and UTF-32 are`)
}

function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text
}

function utf16(bytes: Buffer): string {
  const isLittle = bytes.length >= 2 && bytes.readUInt16BE(0) === 0xfffe
  return new TextDecoder(isLittle ? 'utf-16le' : 'utf-16be').decode(bytes)
}

function utf32(bytes: Buffer): string {
  const isLittle = bytes.length >= 4 && bytes.readUInt32BE(0) === 0xfffe0000
  let text = ''
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
    text += code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code)
  }
  return text
}

function encodeUtf16(text: string): Buffer {
  return Buffer.from(`\ufeff${text}`, 'utf16le').swap16()
}

function encodeUtf32(text: string): Buffer {
  const codes = Array.from(text, (char) => char.codePointAt(0) ?? 0)
  const bytes = Buffer.alloc(codes.length * 4)
  codes.forEach((code, i) => bytes.writeUInt32BE(code, i * 4))
  return bytes
}
