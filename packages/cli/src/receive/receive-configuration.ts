/** The agent behind `millrace receive`: an avro source, a file channel, the sink that shows and keeps. */
import { join } from 'node:path'
import { type AgentConfiguration, builtinComponents } from '@millrace/agent-core'
import type { ComponentDefinition, ComponentKind, OptionSpec } from '@millrace/component'
import { ConfigurationError, messageOf } from '@millrace/runtime'
import { receiveSinkDefinition, type ReceiveSink } from './receive-sink.js'

/** Events that may wait for the terminal; beyond it the senders wait. */
const CHANNEL_CAPACITY = 100_000
/** The largest batch that is taken. */
const TRANSACTION_CAPACITY = 10_000

/** Free space that the disk keeps, in bytes: a receiver for development must work on a nearly full one. */
const FREE_BYTES = 16 * 1024 ** 2
/** Name of the channel, and of its folder. */
export const CHANNEL = 'channel'

export interface ReceiveConfigurationOptions {
  readonly host: string
  readonly port: number
  /** Folder of the files; the channel has one of its own in it. */
  readonly directory: string
  readonly sink: ReceiveSink
}

export async function receiveConfiguration(
  options: ReceiveConfigurationOptions,
): Promise<AgentConfiguration> {
  const { host, port, sink } = options
  const directory = join(options.directory, CHANNEL)
  const [source, channel, selector] = await Promise.all([
    builtin('source', 'avro'),
    builtin('channel', 'file'),
    builtin('selector', 'replicating'),
  ])
  const at = { file: 'millrace receive', line: 1 }
  const configure = <K extends ComponentKind>(
    name: string,
    definition: ComponentDefinition<K>,
    set: Readonly<Record<string, unknown>> = {},
  ) => ({
    name,
    type: definition.alias ?? name,
    definition,
    options: { ...fallbacks(definition), ...set },
    ...at,
  })
  return {
    agent: 'receive',
    sources: [
      {
        ...configure('avro', failingAtOnce(source), { bind: host, port }),
        channels: [CHANNEL],
        selector: configure('selector', selector),
        interceptors: [],
      },
    ],
    channels: [
      configure(CHANNEL, failingAtOnce(channel), {
        checkpointDir: join(directory, 'checkpoint'),
        dataDirs: [join(directory, 'data')],
        minimumRequiredSpace: FREE_BYTES,
        capacity: CHANNEL_CAPACITY,
        transactionCapacity: TRANSACTION_CAPACITY,
      }),
    ],
    sinks: [
      {
        ...configure('show', receiveSinkDefinition(sink)),
        channel: CHANNEL,
        deadLetterChannel: undefined,
        serializer: undefined,
      },
    ],
    sinkGroups: [],
  }
}

/** Makes a component's first failure to start final: a port in use is to be said, not waited for. */
function failingAtOnce<K extends 'source' | 'channel'>(
  definition: ComponentDefinition<K>,
): ComponentDefinition<K> {
  const create: typeof definition.create = (context) => {
    const component = definition.create(context)
    const start: ((context: never) => Promise<void>) | undefined = component.start?.bind(component)
    if (start) {
      component.start = (started: unknown) =>
        start(started as never).catch((cause: unknown) => {
          throw new ConfigurationError('MILLRACE_CONFIG_INVALID', messageOf(cause), { cause })
        })
    }
    return component
  }
  return { ...definition, create }
}

async function builtin<K extends ComponentKind>(
  kind: K,
  alias: string,
): Promise<ComponentDefinition<K>> {
  const entry = builtinComponents.find((each) => each.kind === kind && each.alias === alias)
  if (!entry) throw new TypeError(`There is no ${kind} ${alias}`)
  return (await entry.load()) as ComponentDefinition<K>
}

function fallbacks(definition: ComponentDefinition): Readonly<Record<string, unknown>> {
  const specs = Object.entries<OptionSpec<unknown>>(definition.options)
  return Object.fromEntries(specs.map(([name, spec]) => [name, spec.fallback]))
}
