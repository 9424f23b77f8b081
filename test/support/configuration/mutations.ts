/** Every small slip in a configuration, with the line on which it has to be noticed. */
import type { PropertyDescription } from '@millrace/agent-core'

/** One `key = value` line of a file. */
export interface Line {
  /** From 1. */
  readonly line: number
  readonly key: string
  readonly separator: string
  readonly value: string
}

export interface Mutation {
  readonly what: string
  readonly text: string
  /** Some finding must stand on one of these lines. */
  readonly lines: readonly number[]
}

export function linesOf(text: string): Line[] {
  return text.split('\n').flatMap((content, index) => {
    const match = /^([a-z][^\s=:]*)(\s*[=:]\s*)(.*)$/.exec(content)
    const [, key = '', separator = '', value = ''] = match ?? []
    return match ? [{ line: index + 1, key, separator, value }] : []
  })
}

/** Words that a hurried hand writes for a word: a letter left out, two swapped or one too many. */
function typosOf(word: string): string[] {
  const middle = Math.floor(word.length / 2)
  const [a = '', b = ''] = word.slice(middle - 1)
  const swapped = word.slice(0, middle - 1) + b + a + word.slice(middle + 1)
  return [
    word.slice(0, middle) + word.slice(middle + 1),
    word.length > 3 && a !== b ? swapped : `${word}x`,
  ].filter((typo) => typo !== '')
}

/**
 * Each segment of each key misspelt. A misspelt agent name is another agent, and what follows
 * `selector.mapping.` is a value of a header, so those are left.
 */
export function misspeltKeys(text: string): Mutation[] {
  return linesOf(text).flatMap((each) => {
    const [head = '', ...rest] = each.key.split(/(?<=\.selector\.(?:mapping|optional))(?=\.)/)
    const segments = head.split('.')
    return segments.slice(1).flatMap((segment, index) =>
      typosOf(segment).map((typo) => {
        const key = segments.with(index + 1, typo).join('.') + rest.join('')
        return replaceLine(text, each, { ...each, key })
      }),
    )
  })
}

/** Each value that is not free text misspelt: numbers, booleans, words, names, types. */
export function misspeltValues(text: string, isFree: (line: Line) => boolean): Mutation[] {
  return linesOf(text)
    .filter((each) => !isFree(each))
    .flatMap((each) =>
      each.value
        .split(' ')
        .flatMap((word, index, words) =>
          (/^\d+$/.test(word) ? [`${word}x`, `${word}.5`] : typosOf(word)).map((typo) =>
            replaceLine(text, each, { ...each, value: words.with(index, typo).join(' ') }),
          ),
        ),
    )
}

/** Each line that something needs taken out. */
export function removedLines(
  text: string,
  expectedLines: (line: Line, all: readonly Line[]) => readonly number[],
): Mutation[] {
  const all = linesOf(text)
  return all.flatMap((each) => {
    const lines = expectedLines(each, all)
    if (lines.length === 0) return []
    return [{ ...replaceLine(text, each, undefined), what: `without ${each.key}`, lines }]
  })
}

/** Each line once more at the end of the file. */
export function repeatedLines(text: string): Mutation[] {
  const last = text.split('\n').length
  return linesOf(text).map(({ key, separator, value }) => ({
    what: `${key} twice`,
    text: `${text}${key}${separator}${value}`,
    lines: [last],
  }))
}

function replaceLine(text: string, old: Line, changed: Line | undefined): Mutation {
  const content = changed ? changed.key + changed.separator + changed.value : '# removed'
  return {
    what: content,
    text: text
      .split('\n')
      .with(old.line - 1, content)
      .join('\n'),
    lines: [old.line],
  }
}

/** How a component's described keys name one of its keys. */
export function describes(property: PropertyDescription, key: string): boolean {
  const pattern = property.name
    .split(/(\*|<[^>]+>)/)
    .map((part) => (/^(\*|<)/.test(part) ? '.+' : part.replaceAll('.', '\\.')))
  return new RegExp(`^${pattern.join('')}$`).test(key)
}
