/**
 * Every component that comes with the agent: what may stand as a `type`, and where its definition
 * is. A definition is imported when a configuration names it, never before.
 */
import type { ComponentDefinition, ComponentKind } from '@millrace/component'

export interface BuiltinComponent {
  readonly kind: ComponentKind
  /** The short name, compared without case. */
  readonly alias: string
  /** Flume's class names, compared exactly. */
  readonly classNames: readonly string[]
  load(): Promise<ComponentDefinition>
}

/** Of one family in alphabetical order. */
export const builtinComponents: readonly BuiltinComponent[] = []
