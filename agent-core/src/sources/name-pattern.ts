import { ConfigurationError, messageOf } from '@millrace/runtime'

/** What Java's expressions have and JavaScript's lack, or mean otherwise. */
const JAVA_ONLY: readonly (readonly [RegExp, string])[] = [
  [/\\[AzZGhHRXpPaexN]/, 'its escape'],
  [/\\Q/, 'its quotation'],
  [/[*+?}]\+/, 'its possessive quantifier'],
  [/&&/, 'its intersection of classes'],
  [/\(\?[a-zA-Z-]*[^:=!<a-zA-Z-]/, 'its flag'],
  [/\(\?>/, 'its atomic group'],
]

/**
 * A Java regular expression that a file's name must match as a whole. `(?i)` in front is understood.
 * @throws ConfigurationError when JavaScript has no such expression.
 */
export function namePattern(text: string): RegExp {
  const flag = /^\(\?i\)/.exec(text)
  const source = flag ? text.slice(flag[0].length) : text
  for (const [form, name] of JAVA_ONLY) {
    const found = form.exec(source)
    if (found) throw invalid(`${name} ${found[0]} is not supported`)
  }
  try {
    return new RegExp(`^(?:${source})$`, flag ? 'i' : '')
  } catch (error) {
    throw invalid(messageOf(error))
  }
}

function invalid(reason: string): ConfigurationError {
  return new ConfigurationError('MILLRACE_CONFIG_INVALID', reason)
}
