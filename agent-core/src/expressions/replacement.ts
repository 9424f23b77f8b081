/** Java's replacement texts (java.util.regex.Matcher.appendReplacement). */
import { ConfigurationError } from '@millrace/runtime'
import type { JavaPattern } from './java-pattern.js'

/** Texts, and the groups between them. */
type Part = string | { readonly group: number }

/**
 * Reads `$n`, `${name}` and `\x`.
 * @throws ConfigurationError when it names a group that there is not.
 */
export function parseReplacement(text: string, pattern: JavaPattern): readonly Part[] {
  const parts: Part[] = []
  let plain = ''
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (char === '\\') {
      at += 1
      if (at >= text.length) throw invalid('ends with a backslash')
      plain += text.charAt(at)
    } else if (char === '$') {
      const [group, length] = reference(text.slice(at + 1), pattern)
      parts.push(plain, { group })
      plain = ''
      at += length
    } else plain += char
  }
  return [...parts, plain].filter((part) => part !== '')
}

export function replacementFor(
  parts: readonly Part[],
  pattern: JavaPattern,
  match: RegExpExecArray,
): string {
  return parts
    .map((part) => (typeof part === 'string' ? part : (pattern.group(match, part.group) ?? '')))
    .join('')
}

/** The group that is meant, and the length of its name. */
function reference(text: string, pattern: JavaPattern): [group: number, length: number] {
  const named = /^\{([a-zA-Z][a-zA-Z0-9]*)\}/.exec(text)
  if (named) {
    const group = pattern.groupNumber(named[1] ?? '')
    if (group === undefined) throw invalid(`names a group ${named[1]}, which there is not`)
    return [group, named[0].length]
  }
  if (!/^\d/.test(text)) throw invalid('has a $ that names no group')
  let group = Number(text.charAt(0))
  if (group > pattern.groupCount) throw invalid(`names group ${group}, which there is not`)
  let length = 1
  for (; /\d/.test(text.charAt(length)); length += 1) {
    const longer = group * 10 + Number(text.charAt(length))
    if (longer > pattern.groupCount) break
    group = longer
  }
  return [group, length]
}

function invalid(what: string): ConfigurationError {
  return new ConfigurationError('MILLRACE_CONFIG_INVALID', `is no replacement: it ${what}`)
}
