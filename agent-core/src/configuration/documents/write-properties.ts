/** Text that `java.util.Properties` reads as given entries, in ASCII and lines of its own. */

export interface WrittenEntry {
  readonly key: string
  readonly value: string
  /** Lines of the comment above it, without `#`. */
  readonly comment?: readonly string[] | undefined
}

export function writeProperties(
  entries: readonly WrittenEntry[],
  end: readonly string[] = [],
): string {
  const lines = entries.flatMap(({ key, value, comment = [] }) => [
    ...comment.map(commentLine),
    `${escape(key).replaceAll(/[ =:]/g, String.raw`\$&`).replace(/^[#!]/, String.raw`\$&`)} = ${escape(value).replace(/^ /, String.raw`\ `)}`,
  ])
  return [...lines, ...end.map(commentLine)].map((line) => `${line}\n`).join('')
}

const commentLine = (text: string): string => (text === '' ? '' : `#${text}`)

const NAMES: Readonly<Record<string, string>> = { '\t': 't', '\n': 'n', '\r': 'r', '\f': 'f' }

/** Everything that could be read in another way, whatever character set the reader takes the file for. */
function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll(/[^ -~]/g, (char) => {
    const name = NAMES[char]
    return name === undefined
      ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
      : `\\${name}`
  })
}
