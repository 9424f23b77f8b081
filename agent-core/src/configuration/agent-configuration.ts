/** One agent's section of a configuration, checked and complete: what the assembly builds from. */
import type { ComponentDefinition, ComponentKind } from '@millrace/component'

/** One component as configured. */
export interface ComponentConfiguration<K extends ComponentKind = ComponentKind> {
  readonly name: string
  /** The type as the user wrote it. */
  readonly type: string
  readonly definition: ComponentDefinition<K>
  /** Options as the definition's shape gives them. */
  readonly options: Readonly<Record<string, unknown>>
  /** Where the component's `type` stands. */
  readonly file: string
  readonly line: number
}

export interface SourceConfiguration extends ComponentConfiguration<'source'> {
  readonly channels: readonly string[]
  readonly selector: ComponentConfiguration<'selector'>
  /** In the order in which they work. */
  readonly interceptors: readonly ComponentConfiguration<'interceptor'>[]
  /** Of a source whose options name one. */
  readonly named?: ComponentConfiguration<'deserializer' | 'httpHandler'> | undefined
}

export type ChannelConfiguration = ComponentConfiguration<'channel'>

export interface SinkConfiguration extends ComponentConfiguration<'sink'> {
  readonly channel: string
  /** The channel for events that the sink refuses for good. */
  readonly deadLetterChannel: string | undefined
  /** Of a sink whose options name one. */
  readonly serializer: ComponentConfiguration<'serializer'> | undefined
}

export interface SinkGroupConfiguration {
  readonly name: string
  readonly sinks: readonly string[]
  readonly processor: ComponentConfiguration<'sinkProcessor'>
}

export interface AgentConfiguration {
  readonly agent: string
  readonly sources: readonly SourceConfiguration[]
  readonly channels: readonly ChannelConfiguration[]
  readonly sinks: readonly SinkConfiguration[]
  /** Sinks in no group work alone, each under a `default` processor. */
  readonly sinkGroups: readonly SinkGroupConfiguration[]
}
