/** The components of one configuration, made and wired but not started. */
import type { Channel, ChannelCounters, SinkCounters, SourceCounters } from '@millrace/component'
import type { ComponentConfiguration } from '../configuration/agent-configuration.js'
import type { DeadLetters } from '../runners/dead-letters.js'
import type { SinkRunner } from '../runners/sink-runner.js'
import type { Supervised } from './supervised.js'

/** A channel and what the agent knows about it. */
export interface ChannelNode {
  readonly configuration: ComponentConfiguration<'channel'>
  readonly channel: Channel
  readonly counters: ChannelCounters
  readonly supervised: Supervised
}

export interface SinkNode {
  readonly name: string
  readonly isMonitored: boolean
  readonly counters: SinkCounters
  /** Undefined for a sink without a dead-letter channel. */
  readonly deadLetters: DeadLetters | undefined
  readonly supervised: Supervised
}

export interface SourceNode {
  readonly name: string
  readonly isMonitored: boolean
  readonly counters: SourceCounters
  readonly supervised: Supervised
}

export interface Graph {
  readonly channels: ReadonlyMap<string, ChannelNode>
  readonly sinks: readonly SinkNode[]
  readonly sources: readonly SourceNode[]
  readonly runners: readonly SinkRunner[]
}
