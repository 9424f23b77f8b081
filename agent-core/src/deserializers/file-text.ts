/** The text of files in any character set, line by line. */
import { ConfigurationError, InputError } from '@millrace/runtime'
import { lineCharset } from '../sources/line-charset.js'

export type DecodeErrorPolicy = 'FAIL' | 'REPLACE' | 'IGNORE'

const REPLACEMENT = '\ufffd'
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT)

/** How the bytes of a file are text. */
export interface FileText {
  readonly isUtf8: boolean
  /** The bytes of a line feed. */
  readonly lineFeed: Buffer
  /** The bytes at the beginning of the file that say which character set it is; they are no text. */
  readonly markBytes: number
  /** @throws InputError when the bytes are no text of the set, under the policy FAIL. */
  decode(bytes: Buffer): string
}

/**
 * @param beginning the first bytes of the file, where a byte order mark may be.
 * @throws ConfigurationError when the character set is not known.
 */
export function fileText(charset: string, policy: DecodeErrorPolicy, beginning: Buffer): FileText {
  // Checks the name, and knows Java's.
  lineCharset(charset)
  const plain = charset.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  const [label, markBytes] = plain === 'utf16' ? utf16Of(beginning) : [encodingOf(charset), 0]
  const isUtf16 = label.startsWith('utf-16')
  const lineFeed = Buffer.from(
    isUtf16 ? (label === 'utf-16be' ? [0x00, 0x0a] : [0x0a, 0x00]) : [0x0a],
  )
  const isUtf8 = label === 'utf-8'
  return { isUtf8, lineFeed, markBytes, decode: decoderOf(label, policy) }
}

function utf16Of(beginning: Buffer): [string, number] {
  const mark = beginning.length >= 2 ? beginning.readUInt16BE(0) : 0
  if (mark === 0xfffe) return ['utf-16le', 2]
  return ['utf-16be', mark === 0xfeff ? 2 : 0]
}

/** TextDecoder reads Java's ISO-8859-1 and US-ASCII as windows-1252, so these have a name of their own. */
function encodingOf(charset: string): string {
  const plain = charset.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  if (/^(iso88591|88591|latin1|l1|cp819|ibm819|isolatin1)$/.test(plain)) return 'latin1'
  if (/^(ascii|usascii|iso646us|646|ansix341968)$/.test(plain)) return 'ascii'
  for (const name of [charset, plain.replace(/^cp(125\d)$/, 'windows-$1')]) {
    try {
      return new TextDecoder(name).encoding
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
  }
  throw new ConfigurationError('MILLRACE_CONFIG_INVALID', `${charset} is no known character set`)
}

function decoderOf(label: string, policy: DecodeErrorPolicy): (bytes: Buffer) => string {
  if (label === 'latin1') return (bytes) => bytes.toString('latin1')
  if (label === 'ascii') return (bytes) => asciiText(bytes, policy)
  const decoder = new TextDecoder(label, { fatal: policy === 'FAIL', ignoreBOM: true })
  const decode = (bytes: Buffer) => {
    try {
      return decoder.decode(bytes)
    } catch (cause) {
      throw new InputError(`the bytes are no ${label}`, { cause })
    }
  }
  if (policy !== 'IGNORE') return decode
  // What was a replacement character before it was decoded is text, and stays.
  return (bytes) =>
    split(bytes, label === 'utf-8' ? REPLACEMENT_BYTES : undefined)
      .map((part) => decode(part).replaceAll(REPLACEMENT, ''))
      .join(REPLACEMENT)
}

function split(bytes: Buffer, at: Buffer | undefined): readonly Buffer[] {
  const parts: Buffer[] = []
  let rest = bytes
  for (let end = at ? rest.indexOf(at) : -1; at && end >= 0; end = rest.indexOf(at)) {
    parts.push(rest.subarray(0, end))
    rest = rest.subarray(end + at.length)
  }
  return [...parts, rest]
}

function asciiText(bytes: Buffer, policy: DecodeErrorPolicy): string {
  if (policy === 'FAIL' && bytes.some((byte) => byte > 0x7f)) {
    throw new InputError('the bytes are no ASCII')
  }
  const text = bytes.toString('latin1')
  return text.replaceAll(/[^\0-\x7f]/g, policy === 'IGNORE' ? '' : REPLACEMENT)
}
