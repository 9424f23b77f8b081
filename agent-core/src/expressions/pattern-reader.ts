import { ConfigurationError } from '@millrace/runtime'

/** What the flags `(?idmsx)` switch on. */
export interface PatternFlags {
  readonly i: boolean
  readonly d: boolean
  readonly m: boolean
  readonly s: boolean
  readonly x: boolean
}

export const NO_FLAGS: PatternFlags = { i: false, d: false, m: false, s: false, x: false }

/** The text of an expression and where its parser stands in it. */
export class PatternReader {
  readonly #chars: readonly string[]
  at = 0
  flags: PatternFlags = NO_FLAGS

  constructor(text: string) {
    this.#chars = Array.from(withoutQuotes(text))
  }

  get isAtEnd(): boolean {
    this.#skipComments()
    return this.at >= this.#chars.length
  }

  /** The next character; empty at the end. */
  get peek(): string {
    this.#skipComments()
    return this.#chars[this.at] ?? ''
  }

  /** @throws ConfigurationError at the end. */
  next(): string {
    const char = this.peek
    if (char === '') throw this.invalid('ends too early')
    this.at += 1
    return char
  }

  /** The character behind a backslash, be it a blank. @throws ConfigurationError at the end. */
  nextEscaped(): string {
    const char = this.#chars[this.at]
    if (char === undefined) throw this.invalid('ends too early')
    this.at += 1
    return char
  }

  /** Goes behind the text if it stands here. */
  take(text: string): boolean {
    this.#skipComments()
    if (!this.startsWith(text)) return false
    this.at += Array.from(text).length
    return true
  }

  startsWith(text: string): boolean {
    const wanted = Array.from(text)
    return wanted.every((char, i) => this.#chars[this.at + i] === char)
  }

  /** What stands here and fits, as far as it goes. It begins at the next character. */
  match(form: RegExp): string {
    const rest = this.#chars.slice(this.at, this.at + 100).join('')
    const found = form.exec(rest)
    if (!found || found.index !== 0) return ''
    this.at += Array.from(found[0]).length
    return found[0]
  }

  invalid(what: string): ConfigurationError {
    return new ConfigurationError(
      'MILLRACE_CONFIG_INVALID',
      `is no regular expression: it ${what} (character ${this.at})`,
    )
  }

  refused(what: string): ConfigurationError {
    return new ConfigurationError(
      'MILLRACE_CONFIG_UNSUPPORTED',
      `has ${what} (character ${this.at}), which is not supported`,
    )
  }

  /** With flag `x`, blanks and what follows `#` mean nothing. */
  #skipComments(): void {
    if (!this.flags.x) return
    for (;;) {
      const char = this.#chars[this.at]
      if (char === undefined) return
      if (' \t\n\v\f\r'.includes(char)) this.at += 1
      else if (char === '#') {
        while (this.at < this.#chars.length && !/[\n\r]/.test(this.#chars[this.at] ?? ''))
          this.at += 1
      } else return
    }
  }
}

/** The text with what stands between `\Q` and `\E` escaped character by character. */
function withoutQuotes(text: string): string {
  let plain = ''
  for (let at = 0; at < text.length; ) {
    if (text.startsWith('\\Q', at)) {
      const end = text.indexOf('\\E', at)
      const quoted = text.slice(at + 2, end < 0 ? text.length : end)
      plain += Array.from(quoted, escaped).join('')
      at = end < 0 ? text.length : end + 2
    } else if (text[at] === '\\') {
      plain += text.slice(at, at + 2)
      at += 2
    } else {
      plain += text[at]
      at += 1
    }
  }
  return plain
}

function escaped(char: string): string {
  return `\\x{${(char.codePointAt(0) ?? 0).toString(16)}}`
}
