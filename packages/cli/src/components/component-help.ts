/** `millrace help sinks` and `millrace help sink file_roll`. */
import type { ComponentKind } from '@millrace/component'
import { UsageError } from '../exit-code.js'
import { nearest } from '../nearest.js'
import { type ComponentDescription, describeBuiltins } from './describe-builtins.js'

/** Words for a kind, as in Flume's guide and in keys. */
const KIND_WORDS: Readonly<Record<string, ComponentKind>> = {
  source: 'source',
  channel: 'channel',
  sink: 'sink',
  interceptor: 'interceptor',
  selector: 'selector',
  sinkprocessor: 'sinkProcessor',
  processor: 'sinkProcessor',
  serializer: 'serializer',
  deserializer: 'deserializer',
  httphandler: 'httpHandler',
  handler: 'httpHandler',
  configfilter: 'configFilter',
  filter: 'configFilter',
}

/** The kind that a word means; an s at its end and its case do not matter. */
export function kindOf(word: string): ComponentKind | undefined {
  const plain = word.toLowerCase().replaceAll(/[-_]/g, '')
  return KIND_WORDS[plain] ?? KIND_WORDS[plain.replace(/s$/, '')]
}

/** All words that name a kind, for a suggestion. */
export const kindWords = (): readonly string[] => Object.keys(KIND_WORDS)

/** The components of a kind, or one of them with its keys. */
export async function componentHelp(
  kind: ComponentKind,
  alias: string | undefined,
): Promise<string> {
  const family = await describeBuiltins((component) => component.kind === kind)
  if (alias === undefined) return listOf(kind, family)
  const wanted = alias.toLowerCase()
  const found = family.find(
    (each) => each.alias?.toLowerCase() === wanted || each.classNames.includes(alias),
  )
  if (found) return pageOf(found)
  const guess = nearest(
    alias,
    family.flatMap((each) => each.alias ?? []),
  )
  throw new UsageError(`there is no ${kind} “${alias}”${guess ? `; did you mean “${guess}”?` : ''}`)
}

function listOf(kind: string, family: readonly ComponentDescription[]): string {
  const width = Math.max(...family.map((each) => (each.alias ?? '').length))
  const lines = family.map((each) => `  ${(each.alias ?? '').padEnd(width)}  ${each.summary}`)
  return `${lines.join('\n')}\n\nThe keys of one: millrace help ${kind} <type>\n`
}

function pageOf(component: ComponentDescription): string {
  const { kind, alias, classNames, summary, properties } = component
  const head = [`${kind} ${alias ?? ''}`, `  ${summary}`]
  if (classNames.length > 0) head.push(`  Also as type: ${classNames.join(', ')}`)
  const keys = properties.flatMap((property) => {
    const { name, type, unit, values, required, description, note } = property
    const kindOfValue = values ? values.join(' | ') : unit ? `${type}, ${unit}` : type
    const fallback = required ? 'required' : `default ${showDefault(property.default)}`
    const lines = [`  ${name}  (${kindOfValue}; ${fallback})`, `      ${description}`]
    return note === undefined ? lines : [...lines, `      ${note}`]
  })
  return `${[...head, '', ...(keys.length > 0 ? keys : ['  It has no keys of its own.'])].join('\n')}\n`
}

function showDefault(value: string | number | boolean | null): string {
  if (value === null) return '(none)'
  return value === '' ? '(empty)' : String(value)
}
