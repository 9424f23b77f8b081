/** Sources, sinks and configurations for tests of the agent. */
import type { AgentConfiguration, ComponentConfiguration } from '@millrace/agent-core'
import { memoryChannel } from '@millrace/agent-core/internal/channels/memory'
import { replicatingSelector } from '@millrace/agent-core/internal/selectors/replicating'
import {
  type ComponentDefinition,
  type ComponentKind,
  type Deliver,
  defineSink,
  defineSource,
  type OptionShape,
  type Sink,
  type SinkStartContext,
  type Source,
  type SourceStartContext,
} from '@millrace/component'
import { EventBatch } from '@millrace/event'

/** A batch whose bodies are the given texts. */
export const batchOf = (...bodies: (string | number)[]): EventBatch =>
  EventBatch.of(bodies.map((body) => ({ body: String(body) })))

export const bodiesOf = (batch: EventBatch): string[] =>
  [...batch.events()].map((event) => event.body.toString())

/** A source that delivers what the test says. */
export class HandSource {
  context: SourceStartContext | undefined
  starts = 0
  stops = 0
  /** Awaited at each start. */
  onStart: () => Promise<void> = async () => {}

  get deliver(): Deliver {
    if (!this.context) throw new Error('The source is not started')
    return this.context.deliver
  }

  async start(context: SourceStartContext): Promise<void> {
    this.starts += 1
    await this.onStart()
    this.context = context
  }

  async stop(): Promise<void> {
    this.stops += 1
  }
}

/** A sink that keeps what it got. */
export class HandSink implements Sink {
  batchSize = 100
  readonly bodies: string[] = []
  context: SinkStartContext | undefined
  starts = 0
  stops = 0
  onStart: () => Promise<void> = async () => {}
  /** Called before the events are kept: to fail, to wait, or to reject some. */
  onWrite: (batch: EventBatch, signal: AbortSignal) => ReturnType<Sink['write']> = async () => {}

  async start(context: SinkStartContext): Promise<void> {
    this.starts += 1
    await this.onStart()
    this.context = context
  }

  async stop(): Promise<void> {
    this.stops += 1
  }

  async write(batch: EventBatch, signal: AbortSignal): ReturnType<Sink['write']> {
    const result = await this.onWrite(batch, signal)
    const rejected = new Set(result?.rejected.map(({ index }) => index))
    bodiesOf(batch).forEach((body, index) => {
      if (!rejected.has(index)) this.bodies.push(body)
    })
    return result
  }
}

export const sourceOf = (source: Source) =>
  defineSource({ alias: 'hand', classNames: [], summary: '', options: {}, create: () => source })

export const sinkOf = (sink: Sink) =>
  defineSink({ alias: 'hand', classNames: [], summary: '', options: {}, create: () => sink })

/** One component, its options by their names in code; those not given have their defaults. */
export function component<K extends ComponentKind, S extends OptionShape>(
  name: string,
  definition: ComponentDefinition<K, S>,
  options: Readonly<Record<string, unknown>> = {},
): ComponentConfiguration<K> {
  const defaults = Object.entries(definition.options).map(([key, spec]) => [key, spec.fallback])
  return {
    name,
    type: definition.alias ?? '',
    definition: definition,
    options: { ...Object.fromEntries(defaults), ...options },
    file: 'test.properties',
    line: 1,
  }
}

type SourceConfiguration = AgentConfiguration['sources'][number]
type SinkConfiguration = AgentConfiguration['sinks'][number]

/** A source by the name r1, wired to channels. */
export const sourceNode = (
  source: Source,
  more: Partial<SourceConfiguration> = {},
): SourceConfiguration => ({
  ...component('r1', sourceOf(source)),
  channels: ['c1'],
  selector: component('r1', replicatingSelector),
  interceptors: [],
  ...more,
})

/** A sink by the name k1, on channel c1. */
export const sinkNode = (sink: Sink, more: Partial<SinkConfiguration> = {}): SinkConfiguration => ({
  ...component('k1', sinkOf(sink)),
  channel: 'c1',
  deadLetterChannel: undefined,
  serializer: undefined,
  ...more,
})

/** A memory channel by the name c1. */
export const channelNode = (options: Readonly<Record<string, unknown>> = {}, name = 'c1') =>
  component(name, memoryChannel, options)

/** r1 → c1 → k1. */
export const oneWay = (
  source: Source,
  sink: Sink,
  more: Partial<AgentConfiguration> = {},
): AgentConfiguration => ({
  agent: 'a1',
  sources: [sourceNode(source)],
  channels: [channelNode()],
  sinks: [sinkNode(sink)],
  sinkGroups: [],
  ...more,
})
