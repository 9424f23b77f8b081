/** What this build's components are and take, for `millrace components` and `millrace help`. */
import { builtinComponents } from '@millrace/agent-core'
import type { ComponentKind, OptionSpec } from '@millrace/component'

export interface PropertyDescription {
  readonly name: string
  readonly required: boolean
  readonly default: string | number | boolean | null
  readonly type: string
  readonly unit: string | undefined
  readonly values: readonly string[] | undefined
  readonly description: string
  /** Why the key does nothing here, or is refused. */
  readonly note: string | undefined
}

export interface ComponentDescription {
  readonly kind: ComponentKind
  readonly alias: string | null
  readonly classNames: readonly string[]
  readonly summary: string
  readonly properties: readonly PropertyDescription[]
}

/** Loads the definitions of the components that `wanted` says yes to, and describes them. */
export async function describeBuiltins(
  wanted: (component: { readonly kind: ComponentKind; readonly alias: string }) => boolean = () =>
    true,
): Promise<readonly ComponentDescription[]> {
  return Promise.all(
    builtinComponents.filter(wanted).map(async (component) => {
      const { kind, alias, classNames, summary, options } = await component.load()
      const specs: readonly OptionSpec<unknown>[] = Object.values(options)
      return { kind, alias, classNames, summary, properties: specs.map(describeProperty) }
    }),
  )
}

function describeProperty(spec: OptionSpec<unknown>): PropertyDescription {
  const { description, required = false, noEffect, unsupported } = spec.info
  const refused = unsupported === undefined ? undefined : `refused: ${unsupported}`
  return {
    name: spec.key,
    required,
    default: spec.default,
    type: spec.type,
    unit: spec.unit,
    values: spec.values,
    description,
    note: noEffect === undefined ? refused : `no effect: ${noEffect}`,
  }
}
