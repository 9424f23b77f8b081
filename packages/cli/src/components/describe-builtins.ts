/** What this build's components are and take, for `millrace components` and `millrace help`. */
import {
  builtinComponents,
  type DocumentedComponent,
  type DocumentedProperty,
  documentComponents,
} from '@millrace/agent-core'
import type { ComponentKind } from '@millrace/component'

export interface PropertyDescription extends DocumentedProperty {
  /** Why the key does nothing here, or is refused. */
  readonly note: string | undefined
}

export interface ComponentDescription extends DocumentedComponent {
  readonly properties: readonly PropertyDescription[]
}

/** Loads the definitions of the components that `wanted` says yes to, and describes them. */
export async function describeBuiltins(
  wanted: (component: { readonly kind: ComponentKind; readonly alias: string }) => boolean = () =>
    true,
): Promise<readonly ComponentDescription[]> {
  const documented = await documentComponents(builtinComponents.filter(wanted))
  return documented.map((component) => ({
    ...component,
    properties: component.properties.map((property) => ({ ...property, note: noteOf(property) })),
  }))
}

function noteOf({ noEffect, unsupported }: DocumentedProperty): string | undefined {
  if (unsupported !== undefined) return `refused: ${unsupported}`
  return noEffect === undefined ? undefined : `no effect: ${noEffect}`
}
