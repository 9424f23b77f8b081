/** From the text of a `type` to the definition that it means. */
import type { ComponentDefinition, ComponentKind } from '@millrace/component'
import { messageOf } from '@millrace/runtime'
import type { BuiltinComponent } from '../registry.js'
import { quote } from './finding.js'
import { suggest } from './suggestion.js'

/** What a kind is called in a sentence. */
export const KIND_NOUNS: Readonly<Record<ComponentKind, string>> = {
  source: 'source',
  channel: 'channel',
  sink: 'sink',
  interceptor: 'interceptor',
  selector: 'channel selector',
  sinkProcessor: 'sink processor',
  serializer: 'serializer',
  deserializer: 'deserializer',
  httpHandler: 'HTTP handler',
  monitor: 'monitor',
  configFilter: 'config filter',
}

const FLUME_PACKAGE = 'org.apache.flume.'

/** Flume's aliases that this version has no component for, to tell them from misspellings. */
const OTHER_ALIASES: Readonly<Record<ComponentKind, string>> = {
  source: 'thrift jms',
  channel: 'jdbc file spillablememory',
  sink: 'hdfs hive thrift irc hbase hbase2 asynchbase morphline_solr elasticsearch http',
  interceptor: '',
  selector: '',
  sinkProcessor: '',
  serializer: '',
  deserializer: '',
  httpHandler: '',
  monitor: '',
  configFilter: 'hadoop',
}

/** A definition, or the sentence that says why there is none. */
export type LoadedType = { readonly definition: ComponentDefinition } | { readonly problem: string }

export interface ComponentTypesOptions {
  readonly builtin: readonly BuiltinComponent[]
  /** Where modules named by a `type` are looked for, in this order. */
  readonly moduleDirectories: readonly string[]
}

/** Loads each type once. */
export class ComponentTypes {
  readonly #options: ComponentTypesOptions
  readonly #loaded = new Map<string, Promise<LoadedType>>()

  constructor(options: ComponentTypesOptions) {
    this.#options = options
  }

  load(kind: ComponentKind, type: string): Promise<LoadedType> {
    const key = `${kind} ${type}`
    const known = this.#loaded.get(key)
    if (known) return known
    const loading = this.#load(kind, type)
    this.#loaded.set(key, loading)
    return loading
  }

  async #load(kind: ComponentKind, type: string): Promise<LoadedType> {
    const family = this.#options.builtin.filter((each) => each.kind === kind)
    const alias = type.toLowerCase()
    const builtin =
      family.find((each) => each.alias.toLowerCase() === alias) ??
      family.find((each) => each.classNames.includes(type))
    try {
      if (builtin) return { definition: await builtin.load() }
      if (isOfFlume(kind, type)) {
        return {
          problem: `${quote(type)} is a ${KIND_NOUNS[kind]} of Flume that this version lacks`,
        }
      }
      const describe = () => describeUnknown(kind, type, family)
      if (type.startsWith(FLUME_PACKAGE)) return { problem: describe() }
      const { loadModuleDefinition } = await import('./module-types.js')
      return await loadModuleDefinition(kind, type, {
        directories: this.#options.moduleDirectories,
        describeUnknown: describe,
      })
    } catch (error) {
      return { problem: `${quote(type)} could not be loaded: ${messageOf(error)}` }
    }
  }
}

function isOfFlume(kind: ComponentKind, type: string): boolean {
  return OTHER_ALIASES[kind].split(' ').includes(type.toLowerCase())
}

function describeUnknown(
  kind: ComponentKind,
  type: string,
  family: readonly BuiltinComponent[],
): string {
  const noun = KIND_NOUNS[kind]
  if (type.startsWith(FLUME_PACKAGE)) {
    const classNames = family.flatMap((each) => each.classNames)
    return `${quote(type)} is no ${noun} class of Flume that this version knows${suggest(type, classNames)}`
  }
  const hint = suggest(
    type,
    family.map((each) => each.alias),
  )
  return `${quote(type)} is neither ${noun.startsWith('i') ? 'an' : 'a'} ${noun} nor a module that can be found${hint}`
}
