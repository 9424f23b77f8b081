/**
 * Java's `.properties` format by the rules of `java.util.Properties.load`: `#` and `!` comments,
 * `=`, `:` or blanks between key and value, `\` escapes and continuations, CR, LF and CRLF. Keeps
 * lines and repetitions, which Java forgets. Nothing in a file makes it throw.
 */

/** One key with its value, both unescaped. */
export interface PropertyEntry {
  readonly key: string
  readonly value: string
  /** The line on which the key starts, from 1. */
  readonly line: number
  /** A malformed `\uXXXX` in the key or the value; the text then holds it as written. */
  readonly malformed?: string
}

/** A line as Java sees it: continuations joined, escapes still in it. */
interface LogicalLine {
  readonly text: string
  readonly line: number
}

const isBlank = (char: string): boolean => char === ' ' || char === '\t' || char === '\f'

/** Every entry of a file, in its order, repetitions included. */
export function parseProperties(bytes: Uint8Array): PropertyEntry[] {
  return parsePropertiesText(decodeProperties(bytes))
}

export function parsePropertiesText(text: string): PropertyEntry[] {
  return logicalLines(text).map(parseEntry)
}

/** UTF-8, without its byte order mark, when the bytes are that; else Java's ISO-8859-1. */
export function decodeProperties(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  }
}

function logicalLines(text: string): LogicalLine[] {
  const lines: LogicalLine[] = []
  let joined = ''
  let startLine = 0
  let isContinued = false
  for (const [index, natural] of text.split(/\r\n|\r|\n/).entries()) {
    const content = trimStart(natural)
    // Only a line that continues nothing can be a comment; a blank one ends a continuation.
    if (!isContinued && (content === '' || content[0] === '#' || content[0] === '!')) continue
    if (joined === '') startLine = index + 1
    isContinued = endsInOddBackslashes(content)
    joined += isContinued ? content.slice(0, -1) : content
    if (isContinued) continue
    if (joined !== '') lines.push({ text: joined, line: startLine })
    joined = ''
  }
  // A backslash at the end of the file continues into nothing.
  if (joined !== '') lines.push({ text: joined, line: startLine })
  return lines
}

function trimStart(line: string): string {
  let start = 0
  while (start < line.length && isBlank(line[start] ?? '')) start += 1
  return line.slice(start)
}

function endsInOddBackslashes(line: string): boolean {
  let count = 0
  while (line[line.length - 1 - count] === '\\') count += 1
  return count % 2 === 1
}

function parseEntry({ text, line }: LogicalLine): PropertyEntry {
  let keyEnd = 0
  while (keyEnd < text.length) {
    const char = text[keyEnd] ?? ''
    if (char === '=' || char === ':' || isBlank(char)) break
    keyEnd += char === '\\' ? 2 : 1
  }
  keyEnd = Math.min(keyEnd, text.length)
  let valueStart = keyEnd
  let hasSeparator = false
  while (valueStart < text.length) {
    const char = text[valueStart] ?? ''
    if (!isBlank(char)) {
      if (hasSeparator || (char !== '=' && char !== ':')) break
      hasSeparator = true
    }
    valueStart += 1
  }
  const key = unescape(text.slice(0, keyEnd))
  const value = unescape(text.slice(valueStart))
  const malformed = key.malformed ?? value.malformed
  return {
    key: key.text,
    value: value.text,
    line,
    ...(malformed === undefined ? {} : { malformed }),
  }
}

const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|([^]?))/g
/** Of `\uXXXX`. */
const ESCAPE_LENGTH = 6
const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescape(text: string): { text: string; malformed?: string } {
  if (!text.includes('\\')) return { text }
  let malformed: string | undefined
  const replace = (whole: string, hex: string | undefined, char = '', offset = 0): string => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    if (char !== 'u') return ESCAPES[char] ?? char
    malformed ??= text.slice(offset, offset + ESCAPE_LENGTH)
    return whole
  }
  const result = text.replaceAll(ESCAPE, replace)
  return malformed === undefined ? { text: result } : { text: result, malformed }
}
