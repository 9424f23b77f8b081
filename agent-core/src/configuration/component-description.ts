/** What the components say of themselves: the data of `millrace components` and of the reference. */
import {
  type ComponentDefinition,
  type ComponentKind,
  type OptionType,
  type OptionUnit,
  prefixOf,
} from '@millrace/component'
import { type BuiltinComponent, builtinComponents } from '../registry.js'
import { COMMON_KEYS } from './common-keys.js'

/** One key, as Flume's guide would list it. */
export interface PropertyDescription {
  readonly name: string
  readonly required: boolean
  /** In the unit of the key, as a user would write it; null when there is none. */
  readonly default: string | number | boolean | null
  readonly type: OptionType
}

export interface ComponentDescription {
  readonly kind: ComponentKind
  readonly alias: string | null
  readonly classNames: readonly string[]
  readonly properties: readonly PropertyDescription[]
}

/** A key with all that is declared of it. */
export interface DocumentedProperty extends PropertyDescription {
  readonly description: string
  readonly unit?: OptionUnit | undefined
  readonly values?: readonly string[] | undefined
  readonly noEffect?: string | undefined
  readonly unsupported?: string | undefined
}

export interface DocumentedComponent extends Omit<ComponentDescription, 'properties'> {
  readonly summary: string
  readonly properties: readonly DocumentedProperty[]
}

/** Every built-in component with its keys; loads them all. */
export async function describeComponents(
  components: readonly BuiltinComponent[] = builtinComponents,
): Promise<ComponentDescription[]> {
  const documented = await documentComponents(components)
  return documented.map(({ kind, alias, classNames, properties }) => ({
    kind,
    alias,
    classNames,
    properties: properties.map(({ name, required, default: value, type }) => ({
      name,
      required,
      default: value,
      type,
    })),
  }))
}

/** As {@link describeComponents}, with the texts of the reference pages. */
export async function documentComponents(
  components: readonly BuiltinComponent[] = builtinComponents,
): Promise<DocumentedComponent[]> {
  const definitions = await Promise.all(components.map((component) => component.load()))
  return definitions.map((definition) => ({
    kind: definition.kind,
    alias: definition.alias,
    classNames: definition.classNames,
    summary: definition.summary,
    properties: propertiesOf(definition),
  }))
}

function propertiesOf(definition: ComponentDefinition): DocumentedProperty[] {
  const properties: DocumentedProperty[] = COMMON_KEYS[definition.kind].map((key) => ({
    ...key,
    // A source without this key has a replicating selector, so only that one need not be named.
    required: key.required && !(definition.kind === 'selector' && isReplicating(definition)),
  }))
  for (const spec of Object.values(definition.options)) {
    const { description, required = false, shownDefault, noEffect, unsupported } = spec.info
    properties.push({
      name: spec.key,
      required,
      default: shownDefault ?? spec.default,
      type: spec.type,
      description,
      unit: spec.unit,
      values: spec.values,
      noEffect,
      unsupported,
    })
    if (spec.component && !hasPrefix(definition, spec.component.prefix)) {
      properties.push({
        name: `${spec.component.prefix}*`,
        required: false,
        default: null,
        type: 'map-prefix',
        description: `Settings of the ${spec.component.kind}.`,
      })
    }
  }
  return properties
}

const isReplicating = ({ alias }: ComponentDefinition): boolean => alias === 'replicating'

const hasPrefix = (definition: ComponentDefinition, prefix: string): boolean =>
  Object.values(definition.options).some((spec) => prefixOf(spec) === prefix)
