/** One file of a configuration, in any of its spellings. */
import type { BuiltinComponent } from '../../registry.js'
import { type PropertyEntry, decodeProperties, parsePropertiesText } from '../properties.js'
import { readScript } from './script-document.js'
import { flatten, type Tree, type TreeProblem } from './tree.js'

export type ConfigurationFormat = 'properties' | 'json' | 'yaml' | 'javascript'

/** What was read from one place. */
export interface ConfigurationDocument {
  /** Path or address, as it was given. */
  readonly name: string
  readonly bytes: Uint8Array
  readonly format: ConfigurationFormat
}

export interface ParsedDocument {
  readonly entries: readonly PropertyEntry[]
  readonly problems: readonly TreeProblem[]
  readonly lineCount: number
  /** Components that the file itself defines. */
  readonly components: readonly BuiltinComponent[]
}

const FORMATS: readonly (readonly [RegExp, ConfigurationFormat])[] = [
  [/\.json$/i, 'json'],
  [/\.ya?ml$/i, 'yaml'],
  [/\.[cm]?js$/i, 'javascript'],
]

/** By the end of the name; everything else is a properties file. */
export function formatOf(name: string): ConfigurationFormat {
  const path = /^https?:/i.test(name) ? name.replace(/[?#].*$/, '') : name
  return FORMATS.find(([pattern]) => pattern.test(path))?.[1] ?? 'properties'
}

export async function parseDocument(document: ConfigurationDocument): Promise<ParsedDocument> {
  const { name, bytes, format } = document
  const text = decodeProperties(bytes)
  const lineCount = text.split(/\r\n|\r|\n/).length
  if (format === 'properties') {
    return { entries: parsePropertiesText(text), problems: [], lineCount, components: [] }
  }
  if (format === 'javascript') {
    const { tree, problems, components } = await readScript(name)
    return { ...flattened(tree, problems), lineCount, components }
  }
  // Loaded when a file needs it: an agent with a properties file starts faster without it.
  const { parseYaml } = await import('./yaml-document.js')
  const { tree, problems } = parseYaml(text, format)
  return { ...flattened(tree, problems), lineCount, components: [] }
}

function flattened(tree: Tree | undefined, problems: readonly TreeProblem[]) {
  if (tree === undefined) return { entries: [], problems }
  const { entries, problems: more } = flatten(tree)
  return { entries, problems: [...problems, ...more] }
}
