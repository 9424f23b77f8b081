/**
 * JSON as Gson reads it when it is lenient: single quotes, words without quotes, comments, `;` for
 * `,` and `=` or `=>` for `:`. Numbers, true and false are texts here, as they stand; null is null.
 */
import { RequestError } from '@millrace/runtime'

export type LenientValue =
  | string
  | null
  | readonly LenientValue[]
  | ReadonlyMap<string, LenientValue>

const MAX_DEPTH = 32
const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** @throws RequestError when the text is no such JSON. */
export function parseLenient(text: string): LenientValue {
  const reader = new LenientReader(text)
  const value = reader.value(0)
  reader.end()
  return value
}

class LenientReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): LenientValue {
    if (depth > MAX_DEPTH) throw this.#error('is nested too deeply')
    this.#skip()
    const char = this.#text[this.#at]
    if (char === '[') return this.#array(depth)
    if (char === '{') return this.#object(depth)
    const isQuoted = char === '"' || char === "'"
    const text = this.#word()
    return text === 'null' && !isQuoted ? null : text
  }

  end(): void {
    this.#skip()
    if (this.#at < this.#text.length) throw this.#error('goes on where it should end')
  }

  #array(depth: number): readonly LenientValue[] {
    const values: LenientValue[] = []
    this.#at += 1
    while (!this.#takes(']')) {
      values.push(this.value(depth + 1))
      if (!this.#takes(',') && !this.#takes(';') && !this.#isNext(']'))
        throw this.#error('lacks a ]')
    }
    return values
  }

  #object(depth: number): ReadonlyMap<string, LenientValue> {
    const values = new Map<string, LenientValue>()
    this.#at += 1
    while (!this.#takes('}')) {
      this.#skip()
      const key = this.#word()
      if (values.has(key)) throw this.#error(`has the key ${key} twice`)
      if (!this.#takes(':') && !this.#takes('=')) throw this.#error(`lacks a : behind ${key}`)
      this.#takes('>')
      values.set(key, this.value(depth + 1))
      if (!this.#takes(',') && !this.#takes(';') && !this.#isNext('}'))
        throw this.#error('lacks a }')
    }
    return values
  }

  #word(): string {
    const quote = this.#text[this.#at]
    if (quote === '"' || quote === "'") return this.#quoted(quote)
    const bare = /[^\s,:;=[\]{}#/\\"']+/y
    bare.lastIndex = this.#at
    const found = bare.exec(this.#text)?.[0]
    if (found === undefined) throw this.#error('has no value')
    this.#at += found.length
    return found
  }

  #quoted(quote: string): string {
    let text = ''
    for (let from = this.#at + 1; ; ) {
      const end = this.#text.indexOf(quote, from)
      const escape = this.#text.indexOf('\\', from)
      if (end < 0) throw this.#error('has a text without an end')
      if (escape < 0 || escape > end) {
        this.#at = end + 1
        return text + this.#text.slice(from, end)
      }
      text += this.#text.slice(from, escape)
      const char = this.#text[escape + 1] ?? ''
      const code = char === 'u' ? this.#text.slice(escape + 2, escape + 6) : undefined
      if (code !== undefined && !/^[0-9a-fA-F]{4}$/.test(code)) {
        throw this.#error(`has \\u${code}`)
      }
      text += code === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(parseInt(code, 16))
      from = escape + (code === undefined ? 2 : 6)
    }
  }

  #isNext(char: string): boolean {
    this.#skip()
    return this.#text[this.#at] === char
  }

  #takes(char: string): boolean {
    if (!this.#isNext(char)) return false
    this.#at += 1
    return true
  }

  /** Passes blanks and comments. */
  #skip(): void {
    const blank = /(?:\s+|#[^\n]*|\/\/[^\n]*|\/\*[^]*?\*\/)*/y
    blank.lastIndex = this.#at
    this.#at += blank.exec(this.#text)?.[0].length ?? 0
  }

  #error(what: string): RequestError {
    return new RequestError(`The JSON ${what}, at character ${this.#at}`)
  }
}
