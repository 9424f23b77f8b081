import { JavaPattern } from '../expressions/java-pattern.js'

/**
 * A Java regular expression that a file's name must match as a whole.
 * @throws ConfigurationError when JavaScript has no such expression.
 */
export function namePattern(text: string): RegExp {
  return new JavaPattern(text, { isWhole: true, areGroupsRead: false }).regExp()
}
