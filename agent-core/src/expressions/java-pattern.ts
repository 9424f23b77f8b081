import { ConfigurationError, messageOf } from '@millrace/runtime'
import { checkGroups } from './group-check.js'
import { emitPattern } from './pattern-emitter.js'
import type { ParsedPattern } from './pattern-node.js'
import { parsePattern } from './pattern-parser.js'
import { stepBound } from './step-bound.js'

export interface JavaPatternOptions {
  /** Whether the text must match as a whole (`matches`), not somewhere in it (`find`). Default false. */
  readonly isWhole?: boolean
  /** Whether what the groups matched is looked at. Default true. */
  readonly areGroupsRead?: boolean
}

/**
 * A regular expression as `java.util.regex.Pattern` reads it. What differs in JavaScript is
 * translated: possessive quantifiers, atomic groups, flags within the expression, `\Q…\E`, POSIX
 * classes, unions and intersections of classes, `\A \z \Z \R \h \v`, Java's `$ ^ .` and `\s`. What
 * cannot be is refused by name.
 */
export class JavaPattern {
  readonly groupCount: number
  readonly #parsed: ParsedPattern
  readonly #source: string
  readonly #groups: readonly number[]
  /** The bound for texts of up to 2^i characters. */
  readonly #bounds: number[] = []

  /**
   * @throws ConfigurationError `MILLRACE_CONFIG_INVALID` when it is no expression of Java's,
   *   `MILLRACE_CONFIG_UNSUPPORTED` for what has no counterpart here.
   */
  constructor(text: string, { isWhole = false, areGroupsRead = true }: JavaPatternOptions = {}) {
    this.#parsed = parsePattern(text)
    checkGroups(this.#parsed.root, areGroupsRead)
    const { source, groups } = emitPattern(this.#parsed.root)
    this.#source = isWhole ? `^(?:${source})$` : source
    this.#groups = groups
    this.groupCount = this.#parsed.groupCount
    try {
      this.regExp()
    } catch (error) {
      const message = `cannot be used: ${messageOf(error)}`
      throw new ConfigurationError('MILLRACE_CONFIG_UNSUPPORTED', message, { cause: error })
    }
  }

  /** A new object each time, with no state of an earlier search. */
  regExp(flags = ''): RegExp {
    return new RegExp(this.#source, `u${flags}`)
  }

  /** What one of Java's groups matched; undefined when it did not. */
  group(match: RegExpExecArray, number: number): string | undefined {
    return match[this.#groups[number] ?? -1]
  }

  /** The number of a named group. */
  groupNumber(name: string): number | undefined {
    return this.#parsed.groupNames.get(name)
  }

  /** Upper bound on the steps of one search in a text of so many characters. */
  stepBound(length: number): number {
    const power = length === 0 ? 0 : 32 - Math.clz32(length)
    return (this.#bounds[power] ??= stepBound(this.#parsed.root, 2 ** power))
  }
}
