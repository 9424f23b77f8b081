/** Makes the components of a configuration and wires them. Nothing is started and nothing touched. */
import {
  ChannelCounters,
  type ComponentKind,
  type Components,
  type EventSerializer,
  SinkCounters,
  SourceCounters,
  type NamedBySource,
} from '@millrace/component'
import { type Clock, ConfigurationError, type Logger, type Random } from '@millrace/runtime'
import type {
  AgentConfiguration,
  ChannelConfiguration,
  ComponentConfiguration,
  SinkConfiguration,
  SinkGroupConfiguration,
  SourceConfiguration,
} from '../configuration/agent-configuration.js'
import { ChannelProcessor } from '../processing/channel-processor.js'
import { defaultProcessor } from '../processors/default.js'
import { DeadLetters } from '../runners/dead-letters.js'
import { SinkRunner } from '../runners/sink-runner.js'
import { SinkWorker } from '../runners/sink-worker.js'
import { DeliveryPath } from '../processing/delivery-path.js'
import type { ChannelNode, Graph, RunnerNode, SinkNode, SourceNode } from './graph.js'
import { canStay, isSameGroup, isSamePath, isSameSink, isSameSource } from './sameness.js'
import { SourcePart } from './source-part.js'
import { type Startable, Supervised } from './supervised.js'
import type { OnBytes } from '../processing/on-bytes.js'

export interface AssemblyTools {
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  /** Told the bytes of each batch that a source hands over, or a sink has taken. */
  readonly onBytes?: OnBytes | undefined
}

const NOTHING: Graph = { channels: new Map(), sinks: [], sources: [], runners: [] }

/**
 * Builds the graph of a configuration. What it has in common with the graph that runs is taken from
 * there as it is; a source whose events only take another way gets a `nextPath`.
 * @throws what a component's `create` throws.
 */
export function assemble(
  configuration: AgentConfiguration,
  tools: AssemblyTools,
  running: Graph = NOTHING,
): Graph {
  return new Assembly(configuration, tools, running).build()
}

class Assembly {
  readonly #configuration: AgentConfiguration
  readonly #tools: AssemblyTools
  readonly #running: Graph
  readonly #channels = new Map<string, ChannelNode>()
  readonly #workers = new Map<string, SinkWorker>()

  constructor(configuration: AgentConfiguration, tools: AssemblyTools, running: Graph) {
    this.#configuration = configuration
    this.#tools = tools
    this.#running = running
  }

  build(): Graph {
    const { channels, sinks, sinkGroups, sources } = this.#configuration
    for (const each of channels) this.#channels.set(each.name, this.#keptOrNewChannel(each))
    const sinkNodes = sinks.map((each) => this.#keptOrNewSink(each))
    for (const { name, worker } of sinkNodes) this.#workers.set(name, worker)
    const grouped = new Set(sinkGroups.flatMap((group) => group.sinks))
    const alone = sinks.filter(({ name }) => !grouped.has(name))
    const runners = [
      ...sinkGroups.map((group) => this.#keptOrNewRunner(group, `sink group ${group.name}`)),
      ...alone.map((sink) => this.#keptOrNewRunner(groupOfOne(sink), `sink ${sink.name}`)),
    ]
    const sourceNodes = sources.map((each) => this.#keptOrNewSource(each))
    return { channels: this.#channels, sinks: sinkNodes, sources: sourceNodes, runners }
  }

  #keptOrNewChannel(configuration: ChannelConfiguration): ChannelNode {
    const node = this.#running.channels.get(configuration.name)
    return node && canStay(node, configuration)
      ? { ...node, configuration }
      : this.#makeChannel(configuration)
  }

  /** Whether a channel of this name runs and stays, so that what knows it need not be made anew. */
  #stays(name: string): boolean {
    const node = this.#running.channels.get(name)
    return node !== undefined && this.#channels.get(name)?.channel === node.channel
  }

  #keptOrNewSink(configuration: SinkConfiguration): SinkNode {
    const { name, channel, deadLetterChannel = channel } = configuration
    const node = this.#running.sinks.find((each) => each.name === name)
    const isKept = node && isSameSink(node.configuration, configuration)
    if (!isKept || !this.#stays(channel) || !this.#stays(deadLetterChannel)) {
      return this.#makeSink(configuration)
    }
    return { ...node, configuration }
  }

  #keptOrNewRunner(group: SinkGroupConfiguration, title: string): RunnerNode {
    const node = this.#running.runners.find((each) => isSameGroup(each.configuration, group))
    const isKept = group.sinks.every((name) =>
      this.#running.sinks.some(({ worker }) => worker === this.#workers.get(name)),
    )
    return node && isKept ? node : { configuration: group, runner: this.#makeRunner(group, title) }
  }

  #keptOrNewSource(configuration: SourceConfiguration): SourceNode {
    const { name, channels } = configuration
    const node = this.#running.sources.find((each) => each.name === name)
    if (!node || !isSameSource(node.configuration, configuration)) {
      return this.#makeSource(configuration)
    }
    const isSameWay =
      isSamePath(node.configuration, configuration) && channels.every((each) => this.#stays(each))
    return {
      ...node,
      configuration,
      nextPath: isSameWay ? undefined : this.#makePath(configuration),
    }
  }

  #makeChannel(configuration: ChannelConfiguration): ChannelNode {
    const channel = this.#make('channel', configuration)
    const counters = new ChannelCounters()
    const supervised = this.#supervise(`channel ${configuration.name}`, {
      start: async (context) => {
        counters.started(this.#tools.clock.now())
        await channel.start?.({ ...context, counters })
      },
      stop: async (options) => {
        await channel.stop?.(options)
        counters.stopped(this.#tools.clock.now())
      },
    })
    return { configuration, channel, counters, supervised }
  }

  #makeSink(configuration: SinkConfiguration): SinkNode {
    const { name, serializer } = configuration
    const { clock, onBytes, logger } = this.#tools
    const createSerializer = (): EventSerializer => {
      if (serializer) return this.#make('serializer', serializer)
      const message = `Sink ${name} has no serializer`
      throw new ConfigurationError('MILLRACE_CONFIG_MISSING', message)
    }
    const sink = this.#make('sink', configuration, { createSerializer })
    if (!Number.isInteger(sink.batchSize) || sink.batchSize < 1) {
      const message = `Sink ${name}: its batchSize must be a whole number of at least 1, not ${String(sink.batchSize)}`
      throw new ConfigurationError('MILLRACE_CONFIG_INVALID', message)
    }
    const counters = new SinkCounters()
    const channel = this.#channel(configuration.channel).channel
    const sinkLogger = logger.child(`sink ${name}`)
    const deadLetters = this.#makeDeadLetters(configuration)
    const worker = new SinkWorker({
      name,
      sink,
      channel,
      counters,
      deadLetters,
      logger: sinkLogger,
      clock,
      onBytes,
    })
    const supervised = this.#supervise(`sink ${name}`, {
      start: async (context) => {
        counters.started(clock.now())
        await worker.start(context)
      },
      stop: async (options) => {
        await worker.stop(options)
        counters.stopped(clock.now())
      },
    })
    return {
      name,
      configuration,
      isMonitored: configuration.definition.isMonitored !== false,
      counters,
      deadLetters,
      worker,
      supervised,
    }
  }

  #makeDeadLetters(configuration: SinkConfiguration): DeadLetters | undefined {
    const { name: sink, deadLetterChannel: name } = configuration
    if (name === undefined) return undefined
    const { channel } = this.#channel(name)
    return new DeadLetters({ sink, name, channel, clock: this.#tools.clock })
  }

  #makeRunner(group: SinkGroupConfiguration, title: string): SinkRunner {
    const { clock, logger, random } = this.#tools
    const workers = new Map<string, SinkWorker>()
    for (const name of group.sinks) {
      const worker = this.#workers.get(name)
      if (worker) workers.set(name, worker)
    }
    const sinks = [...workers.keys()].map((name) => ({ name }))
    return new SinkRunner({
      processor: this.#make('sinkProcessor', group.processor, { sinks }),
      workers,
      logger: logger.child(title),
      clock,
      random,
    })
  }

  #makePath(configuration: SourceConfiguration): DeliveryPath {
    const { name, selector, interceptors: chain, channels } = configuration
    const { clock, onBytes, logger } = this.#tools
    const interceptors = chain.map((each) => this.#make('interceptor', each))
    const processor = new ChannelProcessor({
      channels: new Map(channels.map((channel) => [channel, this.#channel(channel).channel])),
      selector: this.#make('selector', selector, { channels }),
      interceptors,
      logger: logger.child(`source ${name}`),
      clock,
      onBytes,
    })
    return new DeliveryPath(interceptors, processor)
  }

  #makeSource(configuration: SourceConfiguration): SourceNode {
    const { name } = configuration
    const { clock } = this.#tools
    const logger = this.#tools.logger.child(`source ${name}`)
    const path = this.#makePath(configuration)
    const source = this.#make('source', configuration, this.#makersOf(configuration))
    const counters = new SourceCounters()
    const part = new SourcePart({ source, path, counters, logger, clock })
    const supervised = this.#supervise(`source ${name}`, part)
    return {
      name,
      configuration,
      isMonitored: configuration.definition.isMonitored !== false,
      counters,
      part,
      supervised,
    }
  }

  #makersOf({ name, named }: SourceConfiguration): NamedBySource {
    const make = <K extends 'deserializer' | 'httpHandler'>(
      kind: K,
      extra: Readonly<Record<string, unknown>>,
    ): Components[K] => {
      if (named?.definition.kind === kind) {
        return this.#make(kind, named as ComponentConfiguration<K>, extra)
      }
      const message = `Source ${name} has no ${kind}`
      throw new ConfigurationError('MILLRACE_CONFIG_MISSING', message)
    }
    return {
      createDeserializer: (input) => make('deserializer', { input }),
      createHttpHandler: () => make('httpHandler', {}),
    }
  }

  #supervise(name: string, part: Startable): Supervised {
    const { clock, logger, random } = this.#tools
    return new Supervised({ name, part, logger: logger.child(name), clock, random })
  }

  #channel(name: string): ChannelNode {
    const node = this.#channels.get(name)
    if (node) return node
    throw new ConfigurationError('MILLRACE_CONFIG_UNKNOWN_NAME', `There is no channel ${name}`)
  }

  #make<K extends ComponentKind>(
    kind: K,
    configuration: ComponentConfiguration<K>,
    extra: object = {},
  ): Components[K] {
    const { name, definition, options } = configuration
    const context = {
      agent: this.#configuration.agent,
      name,
      options,
      logger: this.#tools.logger.child(`${kind} ${name}`),
      clock: this.#tools.clock,
      random: this.#tools.random,
      ...extra,
    }
    return definition.create(context as Parameters<typeof definition.create>[0])
  }
}

/** A sink outside of all groups works under a `default` processor. */
function groupOfOne({ name, file, line }: SinkConfiguration): SinkGroupConfiguration {
  return {
    name,
    sinks: [name],
    processor: {
      name,
      type: 'default',
      definition: defaultProcessor,
      options: {},
      file,
      line,
    },
  }
}
