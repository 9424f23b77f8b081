import { defineInterceptor, type Interceptor, option } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import type { Clock, Logger } from '@millrace/runtime'
import { JavaPattern } from '../expressions/java-pattern.js'
import { parseReplacement, replacementFor } from '../expressions/replacement.js'
import { WatchedEvaluation } from '../expressions/watched-evaluation.js'
import { lineCharset } from '../sources/line-charset.js'
import { problemOf, withStoppedMark } from './body-pattern.js'

/** Flume's `search_replace` interceptor. */
export const searchReplaceInterceptor = defineInterceptor({
  alias: 'search_replace',
  classNames: ['org.apache.flume.interceptor.SearchAndReplaceInterceptor$Builder'],
  summary: 'Replaces what a regular expression finds in the body.',
  options: {
    searchPattern: option.string('searchPattern', {
      description: 'Java regular expression, replaced wherever it is found.',
      required: true,
    }),
    replaceString: option.string('replaceString', {
      description: 'What it is replaced by; `$1` is what the first group matched.',
      default: '',
    }),
    charset: option.string('charset', {
      description: 'Character set of the body.',
      default: 'UTF-8',
    }),
  },
  check: ({ searchPattern, replaceString, charset }) => {
    const problems = problemOf('searchPattern', () => new JavaPattern(searchPattern))
    return [
      ...problems,
      ...(problems.length > 0
        ? []
        : problemOf('replaceString', () =>
            parseReplacement(replaceString, new JavaPattern(searchPattern)),
          )),
      ...problemOf('charset', () => lineCharset(charset)),
    ]
  },
  create: ({ options, name, logger, clock }) =>
    new SearchReplaceInterceptor({ ...options, name }, { logger, clock }),
})

export interface SearchReplaceOptions {
  readonly name: string
  readonly searchPattern: string
  readonly replaceString: string
  readonly charset: string
}

/** A body in which nothing is found, or that is no text of its character set, stays as it is. */
export class SearchReplaceInterceptor implements Interceptor {
  readonly #name: string
  readonly #pattern: JavaPattern
  readonly #expression: RegExp
  readonly #parts: ReturnType<typeof parseReplacement>
  readonly #decode: (batch: EventBatch, index: number) => string | undefined
  readonly #encode: (text: string) => Buffer
  readonly #evaluation: WatchedEvaluation

  constructor(
    { name, searchPattern, replaceString, charset }: SearchReplaceOptions,
    host: { readonly logger: Logger; readonly clock: Clock },
  ) {
    const pattern = new JavaPattern(searchPattern)
    const known = lineCharset(charset)
    this.#name = name
    this.#pattern = pattern
    this.#expression = pattern.regExp('g')
    this.#parts = parseReplacement(replaceString, pattern)
    this.#encode = (text) => known.encode(text)
    this.#decode = /^utf-?8$/i.test(charset)
      ? (batch, index) => batch.bodyTextAt(index)
      : (batch, index) => decoded(charset, batch.bodyAt(index))
    // Each place may be the start of a search.
    const stepBound = (length: number) => pattern.stepBound(length) * 2
    this.#evaluation = new WatchedEvaluation({ ...host, stepBound })
  }

  get metrics(): Readonly<Record<string, number>> {
    return { EventRegexStoppedCount: this.#evaluation.stoppedCount }
  }

  intercept(batch: EventBatch): EventBatch {
    const bodies = new Map<number, Buffer>()
    const stopped = this.#evaluation.run({
      size: batch.size,
      lengthAt: (index) => batch.byteLengthAt(index),
      evaluate: (index) => {
        const text = this.#decode(batch, index)
        const replaced = text === undefined ? undefined : this.#replaced(text)
        if (replaced !== undefined) bodies.set(index, this.#encode(replaced))
      },
    })
    const edited = bodies.size === 0 ? batch : batch.withBodies((index) => bodies.get(index))
    return withStoppedMark(edited, stopped, this.#name)
  }

  /** The text with everything replaced; undefined when nothing was found. */
  #replaced(text: string): string | undefined {
    const expression = this.#expression
    expression.lastIndex = 0
    let match = expression.exec(text)
    if (!match) return undefined
    let result = ''
    let from = 0
    while (match) {
      result += text.slice(from, match.index) + replacementFor(this.#parts, this.#pattern, match)
      from = match.index + match[0].length
      if (match[0] === '') expression.lastIndex += widthAt(text, from)
      match = expression.exec(text)
    }
    return result + text.slice(from)
  }
}

function widthAt(text: string, index: number): number {
  return (text.codePointAt(index) ?? 0) > 0xff_ff ? 2 : 1
}

/** Undefined for bytes that are no text of the set. */
function decoded(charset: string, body: Buffer): string | undefined {
  try {
    return lineCharset(charset).createDecoder().decode(body)
  } catch {
    return undefined
  }
}
