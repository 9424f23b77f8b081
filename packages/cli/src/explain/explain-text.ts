/** What `millrace explain` shows a person: the keys of each component, each with its value and its origin. */
import type { OptionNote, ValueOrigin } from '@millrace/agent-core'
import { printableLine } from '../receive/printable.js'

export interface ExplainOptions {
  /** Keys that nothing sets and that have no default, too. */
  readonly withUnset: boolean
}

/** One line a key, under a line for each component; components in the order of the notes. */
export function explainText(notes: readonly OptionNote[], { withUnset }: ExplainOptions): string {
  const groups = new Map<string, OptionNote[]>()
  for (const note of notes) {
    if (note.origin.from === 'unset' && !withUnset) continue
    const title = titleOf(note)
    const group = groups.get(title) ?? []
    group.push(note)
    groups.set(title, group)
  }
  return [...groups].map(([title, group]) => `${title}\n${linesOf(group)}`).join('\n')
}

function titleOf({ kind, component, type }: OptionNote): string {
  return [kind, component, type === '' ? '' : `(${type})`]
    .filter((word) => word !== '')
    .map(printableLine)
    .join(' ')
}

function linesOf(notes: readonly OptionNote[]): string {
  return notes
    .map(({ key, value, origin, remark }) => {
      const shown = value === null ? '' : ` = ${printableLine(value)}`
      const more = remark === undefined ? '' : `; ${printableLine(remark)}`
      return `  ${printableLine(key)}${shown}\n      ${originText(origin, value)}${more}\n`
    })
    .join('')
}

function originText(origin: ValueOrigin, value: string | null): string {
  switch (origin.from) {
    case 'file': {
      const { file, line, written } = origin
      return `${printableLine(file)}:${line}${written === value ? '' : ` as ${printableLine(written)}`}`
    }
    case 'default':
      return 'the default'
    case 'unset':
      return 'not set'
    case 'system property':
      return `system property ${printableLine(origin.name)}`
    case 'environment':
      return `environment variable ${printableLine(origin.name)}`
  }
}
