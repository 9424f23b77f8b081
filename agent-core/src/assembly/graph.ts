/** The components of one configuration, made and wired but not started. */
import type { Channel, ChannelCounters, SinkCounters, SourceCounters } from '@millrace/component'
import type {
  ComponentConfiguration,
  SinkConfiguration,
  SinkGroupConfiguration,
  SourceConfiguration,
} from '../configuration/agent-configuration.js'
import type { DeliveryPath } from '../processing/delivery-path.js'
import type { DeadLetters } from '../runners/dead-letters.js'
import type { SinkRunner } from '../runners/sink-runner.js'
import type { SinkWorker } from '../runners/sink-worker.js'
import type { SourcePart } from './source-part.js'
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
  readonly configuration: SinkConfiguration
  readonly isMonitored: boolean
  readonly counters: SinkCounters
  /** Undefined for a sink without a dead-letter channel. */
  readonly deadLetters: DeadLetters | undefined
  readonly worker: SinkWorker
  readonly supervised: Supervised
}

export interface SourceNode {
  readonly name: string
  readonly configuration: SourceConfiguration
  readonly isMonitored: boolean
  readonly counters: SourceCounters
  readonly part: SourcePart
  readonly supervised: Supervised
  /** The way its events are to take, where a reload changes that and leaves the source alone. */
  readonly nextPath?: DeliveryPath | undefined
}

export interface RunnerNode {
  readonly configuration: SinkGroupConfiguration
  readonly runner: SinkRunner
}

export interface Graph {
  readonly channels: ReadonlyMap<string, ChannelNode>
  readonly sinks: readonly SinkNode[]
  readonly sources: readonly SourceNode[]
  readonly runners: readonly RunnerNode[]
}
