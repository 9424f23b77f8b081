/** A configuration in JavaScript or TypeScript: the same model as in a file, with types. */
import type { ComponentDefinition } from '@millrace/component'

type Value = string | number | boolean | readonly (string | number)[] | undefined

/** Settings under Flume's keys, dots included, or nested at the dots. */
export interface Settings {
  readonly [key: string]: Value | ComponentDefinition | Settings
}

interface TypedSettings extends Settings {
  /** Alias, class name or module, or the definition of a component itself. */
  readonly type: string | ComponentDefinition
  /** False keeps the settings and leaves the component out. */
  readonly enabled?: boolean
}

interface SourceSettings extends TypedSettings {
  readonly channels: string | readonly string[]
  /** By their names, in the order in which they work. */
  readonly interceptors?: Readonly<Record<string, TypedSettings>>
}

interface SinkSettings extends TypedSettings {
  readonly channel: string
}

interface SinkGroupSettings extends Settings {
  readonly sinks: string | readonly string[]
}

/** One agent: components by family and name. */
export interface AgentDefinition {
  readonly sources?: Readonly<Record<string, SourceSettings>>
  readonly channels: Readonly<Record<string, TypedSettings>>
  readonly sinks?: Readonly<Record<string, SinkSettings>>
  readonly sinkgroups?: Readonly<Record<string, SinkGroupSettings>>
  readonly configfilters?: Readonly<Record<string, TypedSettings>>
  readonly deadLetterChannel?: string
}

/** What the default export of a configuration in JavaScript holds: agents by their names. */
export function defineAgent(
  name: string,
  definition: AgentDefinition,
): Readonly<Record<string, AgentDefinition>> {
  return { [name]: definition }
}
